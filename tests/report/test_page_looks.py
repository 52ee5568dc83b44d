"""How a report's page looks: in every script, in light and dark, on a phone, on paper, to a screen reader."""

from base64 import b64decode
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from chromium import Page, browser
from report_reader import choose, search
from run_folder import TEXTS, make

from glotmill.report.report import write


@pytest.mark.parametrize(
    ("tag", "direction"), [("arb_Arab", "rtl"), ("urd_Arab", "rtl"), ("hin_Deva", "ltr")]
)
def test_rows_have_their_direction_and_language(page: Page, tag: str, direction: str) -> None:
    choose(page, "language", tag)
    choose(page, "verdict", "kept")
    search(page, TEXTS[tag][1].split("\n")[0])  # Arabic begins with HTML
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


def test_a_word_from_another_script_does_not_turn_a_text(tmp_path: Path) -> None:
    texts = {
        "eng_Latn": ("What is سلام?", "It is peace."),
        "arb_Arab": ("ما معنى كلمة peace؟", "API سلام وأمان"),
    }
    write(make(tmp_path / "run", rows=10, texts=texts), tmp_path / "report.html")
    with browser(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        pairs = page.run("[...document.querySelectorAll('dd')].map(e => [e.textContent.slice(0, 6), e.dir])")
        heights = page.run(
            "[...document.querySelectorAll('article')].map(e => getComputedStyle(e).overflowY)"
        )
    directions = {start: direction for start, direction in pairs if start in ("What i", "ما معن", "API سل")}
    assert directions == {"What i": "ltr", "ما معن": "rtl", "API سل": "rtl"}
    assert set(heights) == {"clip"}, "a tower of accents stays in its row"


def test_wide_tables_scroll_by_themselves_and_the_page_does_not(page: Page, tmp_path: Path) -> None:
    page.look(tmp_path / "narrow.png", 360, 800)
    try:
        assert page.run("document.documentElement.scrollWidth") <= 360
    finally:
        page.call("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(page: Page, scheme: str) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    names = ("text", "quiet", "page", "panel", "bad", "good", "gone", "mark")
    colours = {
        name: page.run(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')")
        for name in names
    }
    for ground in ("page", "panel"):
        for ink in ("text", "quiet", "bad", "good", "gone", "mark"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert (luminance(colours["page"]) < 0.2) == (scheme == "dark")


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
