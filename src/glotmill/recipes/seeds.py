"""Seed rows: from anything that `glotmill.io.rows` reads, a table in the recipe, or lists to draw from.

Seeds are numbered for each language. A row with a `language` is a seed of that language, any other of all.
"""

import io
import itertools
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from math import prod
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.columns import ID, LANGUAGE, RESERVED, SEED_ID
from glotmill.errors import RecipeError, UsageError, one_line
from glotmill.io.hub_names import HubPath, parse_hub_path
from glotmill.io.rows import FileRows, HubRows, Row, open_rows
from glotmill.languages import find as find_language
from glotmill.recipes.recipe import Dataset, Draw, Recipe, Table
from glotmill.recipes.template import seed_variables

__all__ = ["Row", "Seeds", "frame", "open_seeds"]

MAX_COMBINATIONS = 1_000_000


@dataclass
class Seeds:
    """Seed rows in the order of their source, read only as far as needed."""

    location: str
    schema: pl.Schema  # of the columns, without `language`
    _source: Iterator[Row]
    _rows: list[tuple[str, Row]] = field(default_factory=list)  # (hash, row)
    _numbers: dict[str, list[int]] = field(default_factory=dict)  # language -> its rows; "" -> those of all
    _copies: Counter[str] = field(default_factory=Counter)  # hash -> rows

    def take(self, language: str, start: int, stop: int, passes: int) -> list[tuple[int, str, Row]]:
        """Return (pass, hash, row) for positions start..stop of a language's stream of `passes` passes."""
        while len(numbers := self._row_numbers(language)) < stop and self._read_row():
            pass
        if not numbers:
            return []
        positions = range(start, min(stop, passes * len(numbers)))
        return [(p // len(numbers), *self._rows[numbers[p % len(numbers)]]) for p in positions]

    def _row_numbers(self, language: str) -> list[int]:
        if language not in self._numbers:
            self._numbers[language] = list(self._numbers.get("", ()))
        return self._numbers[language]

    def _read_row(self) -> bool:
        row = next(self._source, None)
        if row is None:
            return False
        digest = blake2b(json.dumps(row, sort_keys=True, default=str).encode(), digest_size=12).hexdigest()
        self._copies[digest] += 1
        if self._copies[digest] > 1:  # equal seeds are still different rows
            digest = f"{digest}.{self._copies[digest]}"
        language = str(row.pop(LANGUAGE, None) or "")
        number = len(self._rows)
        self._rows.append((digest, row))
        if language:
            self._row_numbers(language).append(number)
        else:
            self._row_numbers("")
            for numbers in self._numbers.values():
                numbers.append(number)
        return True


def open_seeds(recipe: Recipe, location: str | None = None) -> Seeds:
    """Open the seeds at a location, by default those of the recipe.

    Raises RecipeError, UsageError, and EngineError without the Hub.
    """
    if location is None:
        name, rows = _open(recipe, recipe.seeds, recipe.folder)
    else:
        name, rows = _open(recipe, location, Path())
    source = _checked(name, rows)
    first = list(itertools.islice(source, 1000))
    if not first:
        hint = "; pipe some, or name them with --seeds FILE" if name == "stdin" else ""
        raise RecipeError(f"{name}: no seed row; a recipe needs at least one{hint}")
    try:
        inferred = pl.DataFrame(first, infer_schema_length=None, strict=False).schema
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise RecipeError(f"{name}: the rows do not share one schema: {_advice_cut(error)}") from None
    types = {n: pl.String() if t == pl.Null else t for n, t in inferred.items() if n != LANGUAGE}
    schema = pl.Schema(types)
    try:
        frame(first, schema).clear().write_parquet(io.BytesIO())  # as the run's files will hold it
    except pl.exceptions.PolarsError as error:
        raise RecipeError(f"{name}: columns {dict(schema)} cannot be kept: {_advice_cut(error)}") from None
    return Seeds(name, schema, itertools.chain(first, source))


def frame(rows: Sequence[Row], schema: pl.Schema) -> pl.DataFrame:
    """Return rows as a table of these columns. Raises RecipeError for a value that a column cannot hold."""
    for row in rows:
        if extra := row.keys() - {*schema, LANGUAGE}:
            raise RecipeError(f"seeds: a later row has a column {min(extra)!r}, which the first 1,000 lack")
    columns = []
    for name, kind in schema.items():
        values = [row.get(name) for row in rows]
        try:
            column = pl.DataFrame({name: values}, schema={name: kind}, strict=False)[name]
            pairs = zip(values, column.to_list(), strict=True)
            wrong = next((value for value, stored in pairs if not _same(value, stored)), None)
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
            raise RecipeError(f"seeds: column {name!r} is {kind}: {_advice_cut(error)}") from None
        if wrong is not None:
            raise RecipeError(
                f"seeds: column {name!r} is {kind}, and a row has {wrong!r:.80}; give all values one type"
            )
        columns.append(column)
    return pl.DataFrame(columns)


def _open(recipe: Recipe, spec: str | Draw | Table | Dataset, base: Path) -> tuple[str, Iterator[Row]]:
    """The name of a source, as run.json keeps it, and its rows."""
    match spec:
        case Draw():
            return f"{recipe.name}: seeds.draw", _draw(spec)
        case Table():
            return f"{recipe.name}: seeds.rows", iter(spec.rows)
        case Dataset():
            folder = Path(spec.dataset).exists()
            path = HubPath(spec.dataset) if folder else parse_hub_path(spec.dataset) or HubPath(spec.dataset)
            path = replace(path, revision=spec.revision or path.revision, config=spec.config or path.config)
            return spec.dataset, HubRows(path, spec.split, tuple(spec.columns or ())).rows()
    if spec == "-" and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError("seeds: none given; use --seeds FILE, or pipe rows to --seeds -")
    source = open_rows(spec, base=base, stdin=True)
    if not isinstance(source, FileRows):
        return str(source.path), source.rows()
    if not source.plain_text:
        return source.location, source.rows()
    variables = sorted(seed_variables(recipe))
    if len(variables) != 1:
        raise RecipeError(
            f"{source.location}: plain lines can fill one variable, but the templates read "
            f"{', '.join(variables) or 'none'}; give rows as JSON objects, one a line"
        )
    return source.location, ({variables[0]: row["text"]} for row in source.rows())


def _draw(spec: Draw) -> Iterator[Row]:
    for name, values in spec.draw.items():
        if not values:
            raise RecipeError(f"seeds.draw.{name}: an empty list; nothing can be drawn from it")
    rng = random.Random(spec.random_seed)  # noqa: S311 no secret
    if spec.size is not None:
        return ({name: rng.choice(values) for name, values in spec.draw.items()} for _ in range(spec.size))
    total = prod(len(values) for values in spec.draw.values())
    if total > MAX_COMBINATIONS:
        raise RecipeError(
            f"seeds.draw: {total:,} combinations; give `size`, at most {MAX_COMBINATIONS:,} are all listed"
        )
    rows = [dict(zip(spec.draw, values, strict=True)) for values in itertools.product(*spec.draw.values())]
    rng.shuffle(rows)
    return iter(rows)


def _same(value: Any, stored: Any) -> bool:
    """Whether a column stores a value as it is; as text it may store anything."""
    if isinstance(value, dict):
        return isinstance(stored, dict) and all(_same(v, stored.get(k)) for k, v in value.items())
    if isinstance(value, list | tuple):
        return isinstance(stored, list) and len(value) == len(stored) and all(map(_same, value, stored))
    if value is None or isinstance(stored, str):
        return (value is None) == (stored is None)
    return bool(stored == value or value != value)  # noqa: PLR0124 NaN


def _checked(location: str, rows: Iterable[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        for name in row:
            if name in RESERVED and not _is_seed_id(name, row):
                raise RecipeError(
                    f"{location}: row {number}: column {name!r} is one that glotmill makes; rename it "
                    "(of a dataset, name the needed columns under seeds.columns)"
                )
        seed = {SEED_ID if _is_seed_id(name, row) else str(name): value for name, value in row.items()}
        if seed.get(LANGUAGE) not in (None, ""):
            try:
                seed[LANGUAGE] = find_language(seed[LANGUAGE]).tag
            except RecipeError as error:
                raise RecipeError(f"{location}: row {number}: {error}") from None
        yield seed


def _is_seed_id(name: str, row: Row) -> bool:
    """Most datasets have an `id`, those of earlier runs too: it is kept as `seed_id`."""
    return name == ID and SEED_ID not in row


def _advice_cut(error: BaseException) -> str:
    """What polars says, without its advice to programmers."""
    return one_line(str(error).partition("; make sure")[0])
