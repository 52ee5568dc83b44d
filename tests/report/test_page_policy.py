"""What a page may do, and what texts in it cannot do."""

import re
from pathlib import Path

import polars as pl
import pytest
from chromium import Page, browser
from report_reader import choose, count, packed, search, texts
from run_folder import HOSTILE, TEXTS, make

from glotmill.report.report import write
from glotmill.runner.run_folder import Run


def test_it_makes_no_network_requests(page: Page) -> None:
    urls = [event["request"]["url"] for event in page.events_named("Network.requestWillBeSent")]
    assert [url for url in urls if not url.startswith("file:")] == []
    assert len(urls) == 1


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
        (
            "document.head.append(Object.assign(document.createElement('base'), {href: 'https://example.org/'}))",
            "base-uri",
        ),
        (
            "const form = document.createElement('form'); form.action = 'https://example.org/';"
            " document.body.append(form); form.submit()",
            "form-action",
        ),
    ],
)
def test_its_policy_forbids_its_own_script_to_reach_out(page: Page, attempt: str, directive: str) -> None:
    violated = page.run(
        "new Promise(done => { addEventListener('securitypolicyviolation',"
        f" event => done(event.effectiveDirective), {{once: true}}); {attempt}; setTimeout(done, 2000) }})"
    )
    assert violated == directive


def test_its_script_runs_without_errors_under_its_policy(folder: Path, tmp_path: Path) -> None:
    with browser(tmp_path) as page:
        page.open(folder / "report.html")
        assert page.events_named("Runtime.exceptionThrown") == page.events_named("Log.entryAdded") == []
        assert page.run("document.styleSheets[0].cssRules.length") > 30


@pytest.mark.parametrize("hostile", HOSTILE)
def test_model_output_stays_text(page: Page, hostile: str) -> None:
    start = re.split(r"[\u202e\x00]", hostile)[0]
    assert search(page, start) >= 7, "one in each language"
    shown = [text for text in texts(page, "dd") if text.startswith(start)]
    named = re.sub(r"[\u202a-\u202e\x00\x1b]", lambda c: f"U+{ord(c[0]):04X}", hostile)
    assert set(shown) == {named}
    assert page.run("document.title").endswith(": report")
    assert page.run("document.querySelectorAll('#rows :is(script, img, b, i, a, style)').length") == 0
    assert page.run("getComputedStyle(document.body).display") == "block"


def test_names_and_reasons_stay_text(tmp_path: Path) -> None:
    run = make(tmp_path, texts={"eng_Latn": TEXTS["eng_Latn"]})
    rows = run.read_rows("eng_Latn-00000")
    bold = pl.lit("<b id=bold>x</b>")
    changed = {
        "verdict": bold,
        "reason": bold,
        "reason_at": bold,
        "answer_language_detected": bold,
        "topic": pl.lit("<b id=bold>x</b>\U000e0041\ufff9"),  # with characters that hide text
    }
    run.write_rows("eng_Latn-00000", rows.with_columns(**changed, id="<i>" + pl.col("id")))
    write(run, tmp_path / "report.html")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        choose(page, "reason", "<b id=bold>x</b>")
        assert count(page) == 10
        assert page.run("document.querySelectorAll('#rows :is(b, i), #bold, td b').length") == 0
        assert "<b id=bold>x</b>" in texts(page, "#rows h3")[0]
        assert "<b id=bold>x</b>U+E0041U+FFF9" in texts(page, "#rows dd")


def test_texts_of_the_recipe_stay_text(page: Page) -> None:
    assert "with <b>markup</b> & 'quotes'." in page.run("document.querySelector('header').textContent")
    assert page.run("document.querySelectorAll('main :is(b, i), header p b').length") == 0


def test_a_report_without_rows(folder: Path, tmp_path: Path) -> None:
    write(Run(folder), tmp_path / "numbers.html", rows=0)
    text = (tmp_path / "numbers.html").read_text(encoding="utf-8")
    assert packed(text)["rows"] == []
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "numbers.html")
        assert page.events_named("Runtime.exceptionThrown") == page.events_named("Log.entryAdded") == []
        assert len(texts(page, "table")) > 5
        assert not texts(page, "form")
