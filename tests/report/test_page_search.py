"""Finding rows in a report: search, filters, pages, keys."""

from pathlib import Path

import pytest
from chromium import Page
from report_reader import choose, count, search, texts

from glotmill.runner.run_folder import Run


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("السبب", "Arabic"),
        ("العـــجين", "Arabic"),  # stretched
        ("اولا ببطء", "Arabic"),  # without hamza and tanwin
        ("آٹے میں", "Urdu"),
        ("गर्मी से", "Hindi"),
        ("很慢", "Simplified Chinese"),
        ("ขยายตัว", "Thai"),
        ("oluko so bee", "Yoruba"),
        ("OLÙKỌ́", "Yoruba"),
        ("olu\u200bko", "Yoruba"),  # with an invisible character
        ("GROWS  with", "English"),
    ],
)
def test_search_ignores_case_and_marks(page: Page, text: str, language: str) -> None:
    choose(page, "verdict", "kept")
    assert search(page, text) == 25, "all but the five hostile ones"
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
    assert page.run("document.getElementById('count').textContent") == "No rows match."
    page.run("document.querySelector('button[type=reset]').click()")
    page.run("new Promise(done => setTimeout(done, 20))")
    assert count(page) == 350


def test_choices_show_counts(page: Page) -> None:
    assert "Hindi (50)" in texts(page, "#language option")
    assert texts(page, "#verdict option") == ["all", "kept (210)", "dropped (105)", "failed (35)"]
    assert "unparsed_json (35)" in texts(page, "#reason option")


def test_the_lowest_scores_come_first(page: Page) -> None:
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


def test_slash_focuses_the_search_and_tab_moves_on(page: Page) -> None:
    page.run("document.activeElement.blur()")
    page.press("/", "/")
    assert page.run("document.activeElement.id") == "query"
    page.press("/", "/")
    assert page.run("document.getElementById('query').value") == "/", "there it is a letter"
    for name in ("language", "verdict", "reason", "order"):
        page.press("Tab")
        assert page.run("document.activeElement.id") == name
        assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
