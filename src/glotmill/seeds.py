"""Seed rows: read from a file, the Hub, stdin, a table or named lists, and numbered for each language."""

import csv
import io
import itertools
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.errors import RecipeError, UsageError
from glotmill.languages import find as find_language
from glotmill.recipe import Dataset, Draw, Recipe, Table
from glotmill.templates import seed_variables

MAX_DRAWN = 1_000_000
KINDS = ".jsonl, .csv, .parquet, .txt, a Hugging Face dataset id, or - for stdin"
TAKEN = ("id", "row", "pass", "verdict", "reason", "reason_at")  # columns that a run itself makes

Row = dict[str, Any]


@dataclass
class Seeds:
    """Seed rows in the order of their source, read as far as somebody asked for them."""

    place: str
    schema: pl.Schema  # of the columns, without `language`
    _source: Iterator[Row]
    _rows: list[tuple[str, Row]] = field(default_factory=list)  # (hash, row)
    _of: dict[str, list[int]] = field(
        default_factory=dict
    )  # language -> its rows; "" for those of every language
    _seen: Counter[str] = field(default_factory=Counter)

    def take(self, language: str, start: int, stop: int, passes: int) -> list[tuple[int, str, Row]]:
        """Return (pass, row hash, row) for places start..stop of a language's endless stream, fewer where `passes` end it."""
        while len(own := self._own(language)) < stop and self._grow():
            pass
        if not own:
            return []
        places = range(start, min(stop, passes * len(own)))
        return [(place // len(own), *self._rows[own[place % len(own)]]) for place in places]

    def _own(self, language: str) -> list[int]:
        if language not in self._of:  # first asked: rows of every language are its own too
            self._of[language] = list(self._of.get("", ()))
        return self._of[language]

    def _grow(self) -> bool:
        row = next(self._source, None)
        if row is None:
            return False
        digest = blake2b(json.dumps(row, sort_keys=True, default=str).encode(), digest_size=12).hexdigest()
        self._seen[digest] += 1
        if self._seen[digest] > 1:  # equal seeds are still different rows
            digest = f"{digest}.{self._seen[digest]}"
        tag = str(row.pop("language", None) or "")
        self._rows.append((digest, row))
        number = len(self._rows) - 1
        if tag:
            self._of.setdefault(tag, list(self._of.get("", ()))).append(number)
        else:
            self._of.setdefault("", [])
            for own in self._of.values():
                own.append(number)
        return True


def open_seeds(recipe: Recipe, given: str | None = None) -> Seeds:
    """Open a recipe's seeds, or those that the user gave instead. Raises RecipeError or UsageError."""
    spec = given if given is not None else recipe.seeds
    match spec:
        case Draw():
            place, rows = f"{recipe.name}: seeds.draw", _draw(spec)
        case Table():
            place, rows = f"{recipe.name}: seeds.rows", iter(spec.rows)
        case Dataset():
            place, rows = spec.dataset, _dataset(spec)
        case _:
            base = Path() if given is not None else recipe.folder
            place, rows = _file(str(spec), base, recipe)
    source = _checked(place, rows)
    first = list(itertools.islice(source, 1000))
    if not first:
        raise RecipeError(f"{place}: no seed row; a recipe needs at least one")
    try:
        frame = pl.DataFrame(first, infer_schema_length=None, strict=False)
    except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise RecipeError(f"{place}: the rows do not have one form: {error}") from None
    names: dict[str, pl.DataType] = {n: t if t != pl.Null else pl.String() for n, t in frame.schema.items()}
    names.pop("language", None)
    return Seeds(place, pl.Schema(names), itertools.chain(first, source))


def _checked(place: str, rows: Iterable[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise RecipeError(f"{place}: row {number} is a {type(row).__name__}, not a mapping of columns")
        for name in row:
            if name in TAKEN:
                raise RecipeError(
                    f"{place}: row {number}: column {name!r} is one that glotmill makes; rename it"
                )
        if row.get("language"):
            row = {**row, "language": find_language(row["language"]).tag}
        yield {str(k): _sane(v) for k, v in row.items()}


def _sane(value: Any) -> Any:
    """Seed text may hold lone surrogates (JSON allows them); nothing downstream can write those."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_sane(item) for item in value]
    return {k: _sane(v) for k, v in value.items()} if isinstance(value, dict) else value


def _draw(spec: Draw) -> Iterator[Row]:
    names, lists = list(spec.draw), list(spec.draw.values())
    if empty := [name for name, values in spec.draw.items() if not values]:
        raise RecipeError(f"seeds.draw.{empty[0]}: an empty list; nothing can be drawn from it")
    chance = random.Random(spec.random_seed)
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
        return "stdin", _text_rows(sys.stdin, "stdin", recipe)
    path = base / spec
    if not path.exists():
        if spec.startswith("hf://"):
            return spec, _dataset(Dataset(dataset=spec.removeprefix("hf://").removeprefix("datasets/")))
        if not path.suffix and spec.count("/") == 1 and not spec.startswith((".", "/")):
            return spec, _dataset(Dataset(dataset=spec))
        raise RecipeError(f"seeds {path}: no such file; give {KINDS}")
    match path.suffix:
        case ".jsonl" | ".json":
            return str(path), _jsonl(path)
        case ".csv":
            return str(path), _csv(path)
        case ".parquet":
            return str(path), _parquet(path)
        case ".txt":
            return str(path), _text_rows(io.StringIO(_decode(path)), str(path), recipe)
    raise RecipeError(f"seeds {path}: unknown kind of file {path.suffix!r}; give {KINDS}")


def _jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", errors="strict") as lines:
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
        for row in rows:
            if None in row or None in row.values():
                raise RecipeError(f"{path}:{rows.line_num}: another number of cells than the header has")
            yield {k: v or None for k, v in row.items()}
    except csv.Error as error:
        raise RecipeError(f"{path}:{rows.line_num}: {error}") from None


def _parquet(path: Path) -> Iterator[Row]:
    try:
        for batch in pl.scan_parquet(path).collect(engine="streaming").iter_slices(10_000):
            yield from batch.iter_rows(named=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RecipeError(f"{path}: not parquet: {_line(error)}") from None


def _text_rows(lines: Iterable[str], place: str, recipe: Recipe) -> Iterator[Row]:
    """Rows of JSON objects, or else one text a line for the one variable that the templates read."""
    column = ""
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line:
            continue
        if line.startswith("{") and not column:
            yield _json_line(line, f"{place}:{number}")
            continue
        if not column:
            wanted = seed_variables(recipe)
            if len(wanted) != 1:
                raise RecipeError(
                    f"{place}:{number}: plain lines can fill one variable, but the templates read "
                    f"{', '.join(sorted(wanted)) or 'none'}; give rows as JSON objects, one a line"
                )
            (column,) = wanted
        yield {column: line}


def _decode(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
