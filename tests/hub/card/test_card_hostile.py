"""Whatever stands in a recipe, a seed or a reply stays text in a card."""

import re
from itertools import pairwise
from pathlib import Path

import yaml
from carded import HOSTILE, RECIPE, front, made, parsed

from glotmill.hub.card.card import card, validate


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    hostile = made(tmp_path, languages=["nob", "arb"], word=HOSTILE)
    text = card(hostile, repo="org/name")
    assert validate(text) == []
    assert front(text)["license"] == "unknown"
    assert "\x00" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    parts = parsed(text)
    html = " ".join(part.content for part in parts if part.type.startswith("html"))
    assert set(re.findall(r"<(?!!--)(/?\w+)", html)) == {"details", "/details", "summary", "/summary"}
    assert html.count("<details>") == html.count("</details>") == 2
    assert not [part for part in parts if part.type in ("link_open", "image")]
    headings = [after.content for part, after in pairwise(parts) if part.type == "heading_open"]
    assert headings[0] == "name"
    assert not [title for title in headings if "heading" in title]
    assert len([part for part in parts if part.type == "fence"]) == 4, (
        "two lines to load, two rows, the command"
    )
    assert [line for line in text.split("\n") if line == "<!-- glotmill:end -->"] == ["<!-- glotmill:end -->"]
    assert card(hostile, repo="org/name", existing=text) == text


def test_hostile_words_of_a_recipe_and_a_run(tmp_path: Path) -> None:
    said = HOSTILE.replace("\0", "")  # which a recipe may not hold
    words = {"about": said, "papers": [said, "# x", "1. x", "- x", "---"], "seeds_license": said}
    run = made(tmp_path, languages=["nob"], recipe=yaml.safe_dump({**yaml.safe_load(RECIPE), **words}))
    info = run.info()
    del info["format"]
    given = {
        "model": HOSTILE,
        "revision": HOSTILE,
        "engine": "transformers",
        "engine_args": {HOSTILE: HOSTILE},
    }
    run.write_info({**info, **given, "versions": {"glotmill": HOSTILE}, "seeds": HOSTILE})
    text = card(run, repo="org/name")
    assert validate(text) == []
    assert front(text)["license"] == "unknown"
    parts = parsed(text)
    html = " ".join(part.content for part in parts if part.type.startswith("html"))
    assert set(re.findall(r"<(?!!--)(/?\w+)", html)) == {"details", "/details", "summary", "/summary"}
    assert not {part.type for part in parts} & {"link_open", "image", "hr", "ordered_list_open"}
    headings = [after.content for part, after in pairwise(parts) if part.type == "heading_open"]
    assert not [title for title in headings if title.startswith(("x", "heading"))]
    for sign in "\x00\x1b\u202e\u2028":
        assert sign not in text
    assert sum(line.startswith("<!-- glotmill:") for line in text.split("\n")) == 4
    assert card(run, repo="org/name", existing=text) == text


def test_long_text_is_cut(tmp_path: Path) -> None:
    long = made(tmp_path, languages=["eng"], word="a" * 100_000)
    text = card(long)
    assert len(text) < 30_000
    assert "characters more)" in text


def test_right_to_left_lines_keep_to_themselves(tmp_path: Path) -> None:
    text = card(made(tmp_path, languages=["arb"], word="شمس\nقمر"))
    lines = [line for line in text.split("\n") if "قمر" in line]
    assert lines
    assert all(line.count("\u2068") == line.count("\u2069") == 1 for line in lines)
