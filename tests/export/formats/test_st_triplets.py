"""st-triplets, as datasets loads it: only what is trained on, in this order."""

from pathlib import Path
from typing import Any

import pytest
from finished import SAID, finished, load, rows
from replies import FOREIGN, KEPT, REPEATS, answered, replies

from glotmill.errors import UsageError
from glotmill.export.export import export


def triplets(folder: Path, language: str | None = None) -> list[tuple[str, str, str]]:
    there = load(folder / "out", folder / "cache", language)["train"]
    assert there.column_names == ["anchor", "positive", "negative"]
    return [(row["anchor"], row["positive"], row["negative"]) for row in there]


def test_another_row_of_the_language(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {tag: rows(tag, 3) for tag in SAID})
    export(made, tmp_path / "out", "st-triplets")
    for tag, (question, answer) in SAID.items():
        assert triplets(tmp_path, tag) == [
            (f"{question} ({n})", f"{answer} ({n})", f"{answer} ({(n + 1) % 3})") for n in range(3)
        ]


def test_neither_a_sample_nor_an_equal_text_is_a_negative(tmp_path: Path) -> None:
    said = [[("A", KEPT), ("B", KEPT), ("bad", REPEATS)], [("D", KEPT)], [("C", KEPT)], [("C", KEPT)]]
    asked = ["q", "p", "q", "q", "r", "s"]
    export(answered(tmp_path / "run", said, question=lambda n: asked[n]), tmp_path / "out", "st-triplets")
    assert triplets(tmp_path) == [
        ("q", "A", "C"),
        ("p", "B", "D"),
        ("q", "D", "C"),
        ("r", "C", "A"),
        ("s", "C", "A"),
    ]


def test_rejected_replies(tmp_path: Path) -> None:
    said = [
        [("A", KEPT), ("bad", REPEATS), ("worse", FOREIGN)],
        [("C", KEPT), ("C", FOREIGN)],
        [(" ", KEPT), ("bad", FOREIGN)],
    ]
    export(
        answered(tmp_path / "run", said), tmp_path / "out", "st-triplets", options={"negative": "rejected"}
    )
    assert triplets(tmp_path) == [
        ("Why does it rain? (0)", "A", "bad"),
        ("Why does it rain? (0)", "A", "worse"),
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, r"st-triplets: no row of .*; a language needs two rows"),
        (
            {"negative": "rejected"},
            r"st-triplets: no row of .* a prompt needs a kept reply and one that a filter",
        ),
        ({"negative": "random"}, r"st-triplets: negative is 'random'; give one of other, rejected"),
        (
            {"negative": "rejected", "anchor": "topic"},
            r"negative=rejected reads messages; leave out anchor and",
        ),
        ({"anchor": "nosuch"}, r"st-triplets: no column 'nosuch'"),
    ],
)
def test_what_does_not_fit(tmp_path: Path, given: dict[str, Any], text: str) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": replies("eng_Latn", [[("A", KEPT)]])})
    with pytest.raises(UsageError, match=text):
        export(made, tmp_path / "out", "st-triplets", options=given)
