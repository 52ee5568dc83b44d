"""Formats of a user's own, for tests of exports."""

from pathlib import Path

import pytest

OWN = """
import polars as pl
SUFFIX, NEEDS = "jsonl", "all"
SCHEMA = {"answer": (pl.String(), pl.List(pl.String()), pl.Struct({"a": pl.String()}))}
RESERVED = {"label"}
def judged(rows, *, columns=()): return rows.select("id", "answer", "verdict", "reason", *columns)
def changing(rows): return rows.select("answer", **({"a": "id"} if rows["row"][0] else {}))
def none(rows): return rows.select("answer").clear()
def wrong(rows): return rows.select("row").rename({"row": "answer"})
def nothing(rows): return rows.select("id")
def hole(rows): return rows.select(answer=pl.lit(None, pl.String))
def hole_in_list(rows): return rows.select(answer=pl.concat_list("id", pl.lit(None, pl.String)))
def hole_in_struct(rows): return rows.select(answer=pl.struct(a=pl.lit(None, pl.String)))
def taken(rows, *, columns=()): return rows.select("answer", label="id")
def broken(rows): return rows.select("nosuch")
def plain(rows): return rows.to_dicts()
def raising(rows): raise KeyError("answer")
"""


@pytest.fixture(autouse=True)
def own_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module `own_formats` that can be imported."""
    (tmp_path / "own_formats.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
