"""text, as datasets loads it."""

from pathlib import Path

import pytest
from finished import SAID, chat, chats, finished, load, rows

from glotmill.errors import UsageError
from glotmill.export.export import export


def test_a_column(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {tag: rows(tag, 3) for tag in SAID}, {"columns": ["answer", "topic"]})
    export(made, tmp_path / "out", "text", options={"of": "answer"})
    for tag, (_, answer) in SAID.items():
        there = load(tmp_path / "out", tmp_path / "cache", tag)["train"]
        assert there.column_names == ["id", "language", "text", "topic"]
        assert there["text"] == [f"{answer} ({n})" for n in range(3)]


def test_its_own_column_or_what_was_said(tmp_path: Path) -> None:
    made = finished(
        tmp_path / "one", {"eng_Latn": rows("eng_Latn", 2, text="T")}, {"columns": ["text", "topic"]}
    )
    export(made, tmp_path / "out", "text")
    assert load(tmp_path / "out", tmp_path / "cache")["train"][:]["text"] == ["T", "T"]
    made = finished(
        tmp_path / "two", {"eng_Latn": chats("eng_Latn", [chat("a", "b", system="s")])}, {"columns": []}
    )
    export(made, tmp_path / "out", "text")
    assert load(tmp_path / "out", tmp_path / "cache")["train"][:]["text"] == ["s\n\na\n\nb"]


def test_what_is_no_text(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 3, points=1)}, {"columns": ["topic"]})
    with pytest.raises(
        UsageError, match=r"text: column 'points' is Int64, not a string; name one with --set of=COLUMN"
    ):
        export(made, tmp_path / "out", "text", options={"of": "points"})
    with pytest.raises(
        UsageError, match=r"text: no column 'nosuch'; name another with --set of=COLUMN; the columns are"
    ):
        export(made, tmp_path / "out", "text", options={"of": "nosuch"})
    with pytest.raises(UsageError, match=r"text: no column 'messages'"):
        export(made, tmp_path / "out", "text")
