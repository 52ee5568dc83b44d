"""Rows of an earlier dataset, in tables of some thousand. A helper of filters."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.errors import RecipeError, UsageError

_ROWS = 2_000
_SUFFIXES = (".parquet", ".jsonl")
_HUB = re.compile(r"hf://(?:datasets/)?([\w-][\w.-]*/[\w-][\w.-]*)")


def check(place: str) -> None:
    """Raise RecipeError if it is plain, without reading, that there are no earlier rows at a place."""
    if not _HUB.fullmatch(place):
        _files(place)


def read(place: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows of an earlier dataset in tables of some thousand, with those of the columns it has.

    place: a .parquet or .jsonl file, a folder of such, the folder of a run or of `glotmill filter` (its kept
    rows), or `hf://owner/dataset` (its train split, streamed). Raises RecipeError, and UsageError where
    reading fails.
    """
    hub = _HUB.fullmatch(place)
    try:
        if hub:
            yield from _hub(hub[1], columns)
        else:
            for path in _files(place):
                yield from _parquet(path, columns) if path.suffix == ".parquet" else _jsonl(path, columns)
    except (OSError, ValueError, RuntimeError, pl.exceptions.PolarsError) as error:
        told = " ".join(str(error).split())[:300]
        raise UsageError(f"against {place}: cannot be read: {told}") from error


def _files(place: str) -> list[Path]:
    path = Path(place)
    if path.is_file() and path.suffix in _SUFFIXES:
        return [path]
    if (path / "run.json").is_file():
        path = path / "rows"
    if (path / "filter.json").is_file():
        path = path / "kept"
    found = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES and p.is_file())
    if not found:
        raise RecipeError(
            f"against {place}: no rows there; give a .parquet or .jsonl file, a folder of such, the folder "
            "of a run or of `glotmill filter`, or hf://owner/dataset"
        )
    return found


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        there = set(file.schema_arrow.names)
        of_run = "verdict" in there and (path.parent.parent / "run.json").is_file()
        wanted = [name for name in columns if name in there]
        read = list(dict.fromkeys([*wanted, "verdict"])) if of_run else wanted
        for batch in file.iter_batches(batch_size=_ROWS, columns=read):
            table = pl.DataFrame(pl.from_arrow(batch))
            yield (table.filter(verdict="kept") if of_run else table).select(wanted)


def _jsonl(path: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    with path.open(encoding="utf-8-sig") as lines:
        for some in _batches(line for line in lines if line.strip()):
            yield _table([json.loads(line) for line in some], columns)


def _hub(name: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    from datasets import load_dataset

    for some in _batches(load_dataset(name, split="train", streaming=True)):
        yield _table(some, columns)


def _table(rows: Sequence[Any], columns: Sequence[str]) -> pl.DataFrame:
    there = [name for name in columns if any(name in row for row in rows)]
    return pl.DataFrame({name: pl.Series([row.get(name) for row in rows], strict=False) for name in there})


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while some := list(islice(left, _ROWS)):
        yield some
