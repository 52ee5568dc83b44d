"""Writes tables, as they come, into the files of one split: parquet, jsonl, json or lines of text."""

import json
import math
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from glotmill.runner import dataset

SUFFIXES = ("parquet", "jsonl", "json", "txt")
_BREAKS = r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+"  # every line break of Python or a reader


def write(
    folder: Path,
    split: str,
    tables: Iterable[pl.DataFrame],
    suffix: str,
    about: Callable[[Any], Any],
) -> int:
    """Write the rows of a split, and return their number; without rows, no file is written.

    parquet: `<split>-00000-of-00001.parquet`; about: maps the pyarrow schema to the one to write.
    jsonl, json: `<split>.<suffix>`.
    txt: each column is a file `<split>.<column>` with one line per row; line breaks become spaces.
    """
    if suffix == "parquet":
        return dataset.write_files(folder, split, tables, about)
    if suffix == "txt":
        return _write_lines(folder, split, tables)
    return _write_json(folder / f"{split}.{suffix}", tables, array=suffix == "json")


def _write_json(path: Path, tables: Iterable[pl.DataFrame], *, array: bool) -> int:
    written = 0
    with ExitStack() as stack:
        file: TextIO | None = None
        for row in (row for table in tables for row in table.iter_rows(named=True)):
            if file is None:
                file = stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
                file.write("[\n" if array else "")
            line = _line(row)
            file.write(",\n" if array and written else "")
            file.write(line if array else f"{line}\n")
            written += 1
        if file is not None and array:
            file.write("\n]\n")
    return written


def _line(row: Any) -> str:
    try:
        return json.dumps(row, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # JSON has no NaN and no infinity
        return json.dumps(_finite(row), ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_lines(folder: Path, split: str, tables: Iterable[pl.DataFrame]) -> int:
    written = 0
    with ExitStack() as stack:
        files: dict[str, TextIO] = {}
        for table in tables:
            for name, lines in table.with_columns(pl.all().str.replace_all(_BREAKS, " ")).to_dict().items():
                if name not in files and table.height:
                    path = folder / f"{split}.{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}"
                    files[name] = stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
                files[name].writelines(f"{line}\n" for line in lines) if table.height else None
            written += table.height
    return written
