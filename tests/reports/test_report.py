"""The report as a reader has it: opened in a browser, from a file."""

import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from gzip import decompress
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from chromium import Page, browser
from run_folder import HOSTILE, SAID, make

from glotmill.languages import table
from glotmill.recipe import Recipe
from glotmill.reports.report import report, write
from glotmill.reports.sample import MAX_CHARS, sample, share
from glotmill.store import Run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "a run, ünusual"
    run = make(folder)
    write(run, folder / "report.html", price_in=1.0, price_out=2.0)
    return folder


@pytest.fixture(scope="module")
def opened(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        page.open(folder / "report.html")
        yield page


@pytest.fixture
def page(opened: Page) -> Page:
    """The page with nothing chosen."""
    opened.run("new Promise(done => { document.getElementById('form').reset(); setTimeout(done, 20) })")
    return opened


def data(page: str) -> dict[str, Any]:
    found = re.search(r'octet-stream">([^<]*)</script>', page)
    assert found is not None
    plain: dict[str, Any] = json.loads(decompress(b64decode(found[1])))
    return plain


def choose(page: Page, name: str, value: str) -> None:
    page.run(
        f"{{ const e = document.getElementById({name!r}); e.value = {json.dumps(value)};"
        " e.dispatchEvent(new Event('change')) }"
    )


def search(page: Page, text: str) -> int:
    """Type into the search field as a person does, and return how many rows there are."""
    page.run("{ const q = document.getElementById('query'); q.focus(); q.select() }")
    page.type(text)
    page.press("Enter", "\r")
    return count(page)


def count(page: Page) -> int:
    told = page.run("document.getElementById('count').textContent")
    found = re.match(r"Rows [\d,]+ to [\d,]+ of ([\d,]+)", told)
    return int(found[1].replace(",", "")) if found else 0


def texts(page: Page, what: str) -> list[str]:
    found: list[str] = page.run(f"[...document.querySelectorAll({what!r})].map(e => e.textContent)")
    return found


# a file by itself


def test_the_file_is_the_same_every_time(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert report(Run(folder), price_in=1.0, price_out=2.0) == page
    found = re.search(r'octet-stream">([^<]*)', page)
    assert found is not None
    assert b64decode(found[1])[4:8] == bytes(4), "no time in the compressed rows"


def test_it_is_small_in_twenty_languages(tmp_path: Path) -> None:
    tags = [language.tag for language in table()][::12][:20]
    page = report(make(tmp_path, said=dict.fromkeys(tags, ("Why?", "Because."))))
    inside = re.sub(r'(octet-stream">)[^<]*', r"\1", page)
    assert len(data(page)["languages"]) == 20
    assert len(inside.encode()) < 50_000


def test_it_calls_nobody(page: Page) -> None:
    asked = [event["request"]["url"] for event in page.told("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith("file:")] == []
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("attempt", "directive"),
    [
        ("fetch('https://example.org/').catch(() => 0)", "connect-src"),
        ("new Image().src = 'https://example.org/a.png'", "img-src"),
        ("new Image().src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='", "img-src"),
        (
            "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
            "script-src-elem",
        ),
        ("document.body.setAttribute('style', 'color: red')", "style-src-attr"),
        (
            "document.body.append(Object.assign(document.createElement('iframe'), {src: 'a.html'}))",
            "frame-src",
        ),
    ],
)
def test_its_policy_forbids_what_its_own_script_might_try(page: Page, attempt: str, directive: str) -> None:
    told = page.run(
        "new Promise(done => { addEventListener('securitypolicyviolation',"
        f" event => done(event.effectiveDirective), {{once: true}}); {attempt}; setTimeout(done, 2000) }})"
    )
    assert told == directive


def test_nothing_is_wrong_with_its_script_and_policy(folder: Path, tmp_path: Path) -> None:
    with browser(tmp_path) as page:
        page.open(folder / "report.html")
        assert page.told("Runtime.exceptionThrown") == page.told("Log.entryAdded") == []
        assert page.run("document.styleSheets[0].cssRules.length") > 30


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_the_model_wrote_stays_text(page: Page, hostile: str) -> None:
    start = re.split(r"[\u202e\x00]", hostile)[0]
    assert search(page, start) >= 7, "one in each language"
    shown = [text for text in texts(page, "dd") if text.startswith(start)]
    named = re.sub(r"[\u202a-\u202e\x00\x1b]", lambda c: f"U+{ord(c[0]):04X}", hostile)
    assert set(shown) == {named}
    assert page.run("document.title").endswith(": report")
    assert page.run("document.querySelectorAll('#rows :is(script, img, b, i, a, style)').length") == 0
    assert page.run("getComputedStyle(document.body).display") == "block"


def test_names_and_reasons_stay_text(tmp_path: Path) -> None:
    run = make(tmp_path, said={"eng_Latn": SAID["eng_Latn"]})
    rows = run.read_rows("eng_Latn-00000")
    bold = pl.lit("<b id=bold>x</b>")
    changed = {
        "verdict": bold,
        "reason": bold,
        "reason_at": bold,
        "answer_language_detected": bold,
        "topic": bold,
    }
    run.write_rows("eng_Latn-00000", rows.with_columns(**changed, id="<i>" + pl.col("id")), {})
    write(run, tmp_path / "report.html")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        choose(page, "reason", "<b id=bold>x</b>")
        assert count(page) == 10
        assert page.run("document.querySelectorAll('#rows :is(b, i), #bold, td b').length") == 0
        assert "<b id=bold>x</b>" in texts(page, "#rows h3")[0]


def test_what_the_recipe_says_stays_text(page: Page) -> None:
    assert "with <b>markup</b> & 'quotes'." in page.run("document.querySelector('header').textContent")
    assert page.run("document.querySelectorAll('main :is(b, i), header p b').length") == 0


# finding rows


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("السبب", "Arabic"),
        ("العـــجين", "Arabic"),  # stretched
        ("اولا ببطء", "Arabic"),  # without the hamza and the tanwin that are there
        ("آٹے میں", "Urdu"),
        ("गर्मी से", "Hindi"),
        ("很慢", "Simplified Chinese"),
        ("ขยายตัว", "Thai"),
        ("oluko so bee", "Yoruba"),
        ("OLÙKỌ́", "Yoruba"),
        ("GROWS  with", "English"),
    ],
)
def test_search_finds_what_people_type(page: Page, text: str, language: str) -> None:
    choose(page, "verdict", "kept")
    assert search(page, text) == 25, "but for the five hostile ones"
    assert {head.split(" kept")[0] for head in texts(page, "#rows h3")} == {language}


def test_a_vowel_sign_is_a_letter(page: Page) -> None:
    assert search(page, "रोटी") > 0
    assert search(page, "रट") == 0


def test_search_finds_an_id(page: Page, folder: Path) -> None:
    (name,) = Run(folder).rows("tha").select("id").head(1).collect()["id"]
    assert search(page, name) == 1


def test_filters_narrow_each_other(page: Page, folder: Path) -> None:
    rows = Run(folder).rows().collect()
    assert count(page) == rows.height == 350
    choose(page, "language", "urd_Arab")
    assert count(page) == 50
    choose(page, "verdict", "dropped")
    assert count(page) == 15
    choose(page, "reason", "wrong_language")
    assert count(page) == 5
    assert set(texts(page, "#rows h3")) == {"Urdu dropped wrong_language at answer.language"}
    assert search(page, "Because the gas") == 5
    assert search(page, "nowhere") == 0
    assert page.run("document.getElementById('count').textContent") == "No row is like that."
    page.run("document.querySelector('button[type=reset]').click()")
    page.run("new Promise(done => setTimeout(done, 20))")
    assert count(page) == 350


def test_choices_tell_how_many_there_are(page: Page) -> None:
    assert "Hindi (50)" in texts(page, "#language option")
    assert texts(page, "#verdict option") == ["all", "kept (210)", "dropped (105)", "failed (35)"]
    assert "unparsed_json (35)" in texts(page, "#reason option")


def test_the_worst_scored_come_first(page: Page) -> None:
    choose(page, "order", "worst")
    choose(page, "language", "tha_Thai")
    scores = [float(text.split("answer_language_score ")[1]) for text in texts(page, ".measured")]
    assert scores == sorted(scores)
    assert scores[0] == 0.5
    assert len(scores) == 10, "a third of the kept ones"


def test_pages_by_button_and_by_key(page: Page) -> None:
    first = texts(page, "#rows .measured")
    assert page.run("document.getElementById('previous').disabled")
    page.run("document.getElementById('next').click()")
    second = texts(page, "#rows .measured")
    assert len(first) == len(second) == 20
    assert not {*first} & {*second}
    page.run("document.activeElement.blur()")
    page.press("ArrowLeft")
    assert texts(page, "#rows .measured") == first
    page.press("ArrowLeft")
    assert texts(page, "#rows .measured") == first
    for _ in range(30):
        page.press("ArrowRight")
    assert page.run("document.getElementById('next').disabled")
    assert len(texts(page, "#rows .measured")) == 10


def test_a_slash_leads_to_the_search_and_tab_leads_on(page: Page) -> None:
    page.run("document.activeElement.blur()")
    page.press("/", "/")
    assert page.run("document.activeElement.id") == "query"
    page.press("/", "/")
    assert page.run("document.getElementById('query').value") == "/", "there it is a letter"
    for name in ("language", "verdict", "reason", "order"):
        page.press("Tab")
        assert page.run("document.activeElement.id") == name
        assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


# in their own script


@pytest.mark.parametrize(
    ("tag", "direction"), [("arb_Arab", "rtl"), ("urd_Arab", "rtl"), ("hin_Deva", "ltr")]
)
def test_rows_have_their_direction_and_language(page: Page, tag: str, direction: str) -> None:
    choose(page, "language", tag)
    choose(page, "verdict", "kept")
    search(page, SAID[tag][1].split("\n")[0])  # Arabic begins with HTML
    pairs = page.run(
        "[...document.querySelectorAll('dd')].map(e => [e.previousSibling.textContent, e.dir, e.lang])"
    )
    assert pairs[:3] == [
        ["user", direction, tag[:2] if tag != "arb_Arab" else "ar"],
        ["assistant", direction, tag[:2] if tag != "arb_Arab" else "ar"],
        ["topic", "ltr", ""],
    ]


def test_a_reply_in_another_language_goes_its_own_way(page: Page) -> None:
    choose(page, "reason", "wrong_language")
    choose(page, "language", "arb_Arab")
    blocks = page.run(
        "[...document.querySelectorAll('#rows article:first-child dd')].map(e => [e.dir, e.lang])"
    )
    assert blocks[:2] == [["rtl", ""], ["ltr", ""]]


def test_wide_tables_scroll_by_themselves_and_the_page_does_not(page: Page, tmp_path: Path) -> None:
    page.look(tmp_path / "narrow.png", 360, 800)
    try:
        assert page.run("document.documentElement.scrollWidth") <= 360
    finally:
        page.call("Emulation.clearDeviceMetricsOverride")


# to be read by everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(page: Page, scheme: str) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    names = ("text", "quiet", "page", "panel", "bad", "good", "gone", "mark")
    of = {
        name: page.run(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')")
        for name in names
    }
    for ground in ("page", "panel"):
        for ink in ("text", "quiet", "bad", "good", "gone", "mark"):
            assert contrast(of[ink], of[ground]) >= 4.5, (ink, ground)
    assert (luminance(of["page"]) < 0.2) == (scheme == "dark")


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour.strip().removeprefix("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_accessibility_tree_has_names(page: Page) -> None:
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = Counter(node["role"]["value"] for node in nodes if not node.get("ignored"))
    assert roles["heading"] >= 10
    assert roles["rowheader"] >= 20
    assert roles["columnheader"] >= 30
    for node in nodes:
        kind = node.get("role", {}).get("value")
        if not node.get("ignored") and kind in ("button", "combobox", "searchbox", "region", "table"):
            assert node["name"]["value"], node
    assert page.run("document.getElementById('count').getAttribute('aria-live')") == "polite"
    levels = page.run("[...document.querySelectorAll('h1, h2, h3')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_it_prints_without_its_controls(page: Page) -> None:
    page.call("Emulation.setEmulatedMedia", media="print")
    try:
        assert page.run("getComputedStyle(document.getElementById('form')).display") == "none"
        assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    finally:
        page.call("Emulation.setEmulatedMedia", media="")
    assert b64decode(page.call("Page.printToPDF")["data"]).startswith(b"%PDF")


def test_numbers_are_there_without_a_script(folder: Path, page: Page) -> None:
    told = unescape((folder / "report.html").read_text(encoding="utf-8"))
    first = told.split("<tbody>")[1].split("</tbody>")[0]
    assert first.count("<tr>") == 7
    thai = re.sub(r"<[^>]+>", " ", first.split("tha_Thai")[1].split("<tr>")[0]).split()
    assert thai[:6] == ["50", "45", "40", "30", "25", "25"]
    assert " ".join(thai[6:]) == "5 duplicate, 5 engine_died, 5 unparsed_json, 5 wrong_language"
    assert "for each accepted row, at the prices given" in told


# which rows


def test_a_sample_has_every_language_verdict_and_reason(tmp_path: Path) -> None:
    run = make(tmp_path / "run", each=200, shard=16)
    recipe = Recipe.model_validate(run.info()["recipe"])
    found = sample(run, recipe, list(SAID), 140)
    assert len(found) == len({row["id"] for row in found}) == 140
    assert Counter(row["language"] for row in found) == dict.fromkeys(SAID, 20)
    assert Counter(row["verdict"] == "kept" for row in found) == {True: 70, False: 70}
    for tag in SAID:
        mine = [row for row in found if row["language"] == tag]
        reasons = Counter(row["reason"] for row in mine if row["reason"])
        assert sorted(reasons) == ["duplicate", "engine_died", "unparsed_json", "wrong_language"]
        assert max(reasons.values()) - min(reasons.values()) <= 1
        worst = [row["measured"]["answer_language_score"] for row in mine if row["worst"] is not None]
        low = run.rows(tag).filter(verdict="kept").collect()["answer_language_score"].bottom_k(3)
        assert sorted(worst) == sorted(low.to_list())
    assert sample(run, recipe, list(SAID), 140) == found
    assert sample(run, recipe, list(SAID), 0) == []


@pytest.mark.parametrize(
    ("total", "sizes", "given"),
    [
        (10, {"a": 100, "b": 100}, {"a": 5, "b": 5}),
        (10, {"a": 2, "b": 100, "c": 3}, {"a": 2, "b": 5, "c": 3}),
        (10, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        (0, {"a": 1}, {"a": 0}),
        (5, {}, {}),
    ],
)
def test_shares(total: int, sizes: dict[str, int], given: dict[str, int]) -> None:
    assert share(total, sizes) == given


def test_scores_of_a_judge_count_too(tmp_path: Path) -> None:
    run = make(tmp_path)
    info = run.info()
    info["recipe"]["steps"].append({"filter": "at_least", "of": "grade.points", "value": 1})
    rows = run.read_rows("eng_Latn-00000").drop("answer_language_score")
    grades = [{"points": 50 - n} for n in range(rows.height)]
    run.write_rows("eng_Latn-00000", rows.with_columns(grade=pl.Series(grades)), {})
    found = sample(run, Recipe.model_validate(info["recipe"]), ["eng_Latn"], 30)
    last = rows.filter(verdict="kept")["id"].to_list()[-1]
    assert last in {row["id"] for row in found if row["worst"] is not None}


def test_a_lost_row_shows_what_its_steps_wrote(tmp_path: Path) -> None:
    run = make(tmp_path)
    info = run.info()
    info["recipe"]["output"]["messages"] = {"user": "made_later", "assistant": "answer"}
    rows = sample(run, Recipe.model_validate(info["recipe"]), ["eng_Latn"], 50)
    shown = {row["reason"]: [name for name, _, _ in row["texts"]] for row in rows}
    assert shown[None] == ["assistant", "topic"]
    assert shown["wrong_language"] == ["assistant", "question", "topic"]
    assert shown["unparsed_json"] == ["question", "answer_raw", "topic"]
    assert shown["engine_died"] == ["question", "topic"]


def test_long_texts_are_cut(tmp_path: Path) -> None:
    said = {"eng_Latn": ("Why?", "a" * 1_000_000)}
    page = report(make(tmp_path, said=said))
    shown = [text for row in data(page)["rows"] for _, text, _ in row["texts"]]
    assert max(map(len, shown)) < MAX_CHARS + 50
    assert any(text.endswith("characters more)") for text in shown)


def test_a_run_without_rows_has_a_report(tmp_path: Path) -> None:
    made = make(tmp_path / "whole")
    empty = Run(tmp_path / "empty")
    empty.folder.mkdir()
    empty.write_info({name: value for name, value in made.info().items() if name != "format"})
    page = report(empty)
    assert data(page)["rows"] == []
    assert "No row was dropped as a copy" in page
