"""A conversation from either side."""

from typing import Any

import polars as pl
import pytest

from glotmill.transforms.sides import sides

TURNS = pl.List(pl.Struct({"speaker": pl.String, "text": pl.String}))


def table(*dialogues: list[tuple[str, str]], **columns: list[Any]) -> pl.DataFrame:
    turns = [[{"speaker": s, "text": t} for s, t in d] for d in dialogues]
    ids = [f"r{n}" for n in range(len(turns))]
    base = pl.DataFrame({"id": ids, "dialogue": turns}, schema={"id": pl.String, "dialogue": TURNS})
    return base.with_columns(**{n: pl.Series(v) for n, v in columns.items()})


def said(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(m["role"], m["content"]) for m in row["messages"]]


def test_both_sides() -> None:
    rows = table(
        [("甲", "1"), ("乙", "2"), ("甲", "3"), ("乙", "4")], a=[["I am", "first."]], b=["I am second."]
    )
    second, first = sides(rows, system=["a", "b"]).to_dicts()
    assert (second["id"], second["speaker"]) == ("r0-0", "乙")
    assert said(second) == [
        ("system", "I am second."),
        ("user", "1"),
        ("assistant", "2"),
        ("user", "3"),
        ("assistant", "4"),
    ]
    assert (first["id"], first["speaker"]) == ("r0-1", "甲")
    assert said(first) == [("system", "I am first."), ("user", "2"), ("assistant", "3")]
    assert first["reason"] is second["reason"] is None
    assert first["dialogue_text"] != second["dialogue_text"]


def test_a_conversation_without_a_second_speaker_has_a_reason() -> None:
    made = sides(table([("A", "1")], [], [("A", "1"), ("B", "2")]))
    assert made.select("id", "reason").rows() == [
        ("r0-0", "too_few_turns"),
        ("r1", "too_few_turns"),
        ("r2-0", None),
        ("r2-1", "too_few_turns"),
    ]


def test_columns_of_the_same_name_are_made_anew() -> None:
    made = sides(table([("A", "1"), ("B", "2")], messages=["old"]))
    assert made.columns.count("messages") == 1
    assert "messages_right" not in made.columns
    assert said(made.to_dicts()[0]) == [("user", "1"), ("assistant", "2")]


def test_an_empty_table_keeps_its_form() -> None:
    assert sides(table()).schema == sides(table([("A", "1"), ("B", "2")])).schema


@pytest.mark.parametrize("system", [["a"], ["a", "b", "a"]])
def test_system_names_two_columns(system: list[str]) -> None:
    with pytest.raises(ValueError, match="first and that of the second"):
        sides(table([("A", "1")], a=["x"], b=["y"]), system=system)


def test_a_column_that_holds_no_turns_is_refused() -> None:
    with pytest.raises(TypeError, match="not turns"):
        sides(table(text=pl.Series([], dtype=pl.String).to_list()).with_columns(text=pl.lit("x")), of="text")
