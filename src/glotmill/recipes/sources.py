"""Where seed rows come from: a file, the Hub, stdin, a table in the recipe, or named lists to draw from."""

import csv
import io
import itertools
import json
import random
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.errors import RecipeError, UsageError
from glotmill.recipes.model import Dataset, Draw, Recipe, Table
from glotmill.recipes.templates import seed_variables

MAX_DRAWN = 1_000_000
SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".txt")
KINDS = ".jsonl, .csv, .parquet, .txt, a Hugging Face dataset id, or - for stdin"

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_OBJECT = re.compile(r'\{\s*["}]')  # {{ is no object, but text

Row = dict[str, Any]


def rows(spec: str | Draw | Table | Dataset, base: Path, recipe: Recipe) -> tuple[str, Iterator[Row]]:
    """Return the name of a source and its rows as they come. Raises RecipeError or UsageError, also later."""
    match spec:
        case Draw():
            return f"{recipe.name}: seeds.draw", _draw(spec)
        case Table():
            return f"{recipe.name}: seeds.rows", iter(spec.rows)
        case Dataset():
            return spec.dataset, _dataset(spec)
    return _file(spec, base, recipe)


def _draw(spec: Draw) -> Iterator[Row]:
    names, lists = list(spec.draw), list(spec.draw.values())
    if empty := [name for name, values in spec.draw.items() if not values]:
        raise RecipeError(f"seeds.draw.{empty[0]}: an empty list; nothing can be drawn from it")
    chance = random.Random(spec.random_seed)  # noqa: S311 no secret
    if spec.size is not None:
        return ({n: chance.choice(v) for n, v in zip(names, lists, strict=True)} for _ in range(spec.size))
    total = 1
    for values in lists:
        total *= len(values)
    if total > MAX_DRAWN:
        raise RecipeError(
            f"seeds.draw: {total:,} combinations; give `size`, at most {MAX_DRAWN:,} are listed whole"
        )
    rows = [dict(zip(names, combination, strict=True)) for combination in itertools.product(*lists)]
    chance.shuffle(rows)
    return iter(rows)


def _dataset(spec: Dataset) -> Iterator[Row]:
    from datasets import load_dataset

    try:
        rows = load_dataset(
            spec.dataset, spec.config, split=spec.split, revision=spec.revision, streaming=True
        )
        for row in rows.select_columns(spec.columns) if spec.columns else rows:
            yield dict(row)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"seeds {spec.dataset!r}: cannot be read as a dataset: {_line(error)}") from error


def _file(spec: str, base: Path, recipe: Recipe) -> tuple[str, Iterator[Row]]:
    if spec == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("seeds: none given; use --seeds FILE, or pipe rows to --seeds -")
        return "stdin", _lines(sys.stdin, "stdin", recipe)
    path = base / spec
    if path.is_file():
        return str(path), _read(path, recipe)
    hub = spec.removeprefix("hf://").removeprefix("datasets/")
    if hub != spec or (_HUB_ID.fullmatch(spec) and path.suffix not in SUFFIXES):
        return hub, _dataset(Dataset(dataset=hub))
    raise RecipeError(f"seeds {path}: no such file; give {KINDS}")


def _read(path: Path, recipe: Recipe) -> Iterator[Row]:
    match path.suffix:
        case ".jsonl" | ".json":
            return _jsonl(path)
        case ".csv":
            return _csv(path)
        case ".parquet":
            return _parquet(path)
        case ".txt":
            return _lines(io.StringIO(_decode(path)), str(path), recipe)
    raise RecipeError(f"seeds {path}: unknown kind of file {path.suffix!r}; give {KINDS}")


def _jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", errors="strict") as lines:
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _json_line(line, f"{path}:{number}")
        except UnicodeDecodeError as error:
            raise RecipeError(f"{path}: not UTF-8: {error.reason}; save it as UTF-8") from None


def _json_line(line: str, place: str) -> Row:
    try:
        row: Row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{place}: not JSON: {_line(error)}; write one object a line") from None
    return row


def _csv(path: Path) -> Iterator[Row]:
    """Every cell is text, so that 007 stays 007; an empty cell is null."""
    rows = csv.DictReader(io.StringIO(_decode(path), newline=""), strict=True)
    try:
        names = rows.fieldnames or []
        if twice := [name for name in names if names.count(name) > 1]:
            raise RecipeError(f"{path}: the header names {twice[0]!r} twice; rename one")
        for row in rows:
            if None in row or None in row.values():
                raise RecipeError(f"{path}:{rows.line_num}: another number of cells than the header has")
            yield {k: v or None for k, v in row.items()}
    except csv.Error as error:
        raise RecipeError(f"{path}:{rows.line_num}: {error}") from None


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                yield from pl.DataFrame(pl.from_arrow(batch)).iter_rows(named=True)
    except (pa.ArrowException, OSError) as error:
        raise RecipeError(f"{path}: not parquet: {_line(error)}") from None


def _lines(lines: Iterable[str], place: str, recipe: Recipe) -> Iterator[Row]:
    """Rows of JSON objects if the first is one, or else a text a line for the one variable there is."""
    column: str | None = None
    for number, raw in enumerate(lines, 1):
        line = raw.lstrip("\ufeff").strip() if number == 1 else raw.strip()
        if not line:
            continue
        if column is None:
            column = "" if _OBJECT.match(line) else _only_variable(recipe, f"{place}:{number}")
        yield {column: line} if column else _json_line(line, f"{place}:{number}")


def _only_variable(recipe: Recipe, place: str) -> str:
    wanted = seed_variables(recipe)
    if len(wanted) != 1:
        raise RecipeError(
            f"{place}: plain lines can fill one variable, but the templates read "
            f"{', '.join(sorted(wanted)) or 'none'}; give rows as JSON objects, one a line"
        )
    return next(iter(wanted))


def _decode(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
