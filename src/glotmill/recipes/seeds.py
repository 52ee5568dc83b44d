"""Seed rows: read from a file, the Hub, stdin, a table or named lists, and numbered for each language."""

import io
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.columns import RESERVED
from glotmill.errors import RecipeError
from glotmill.languages import find as find_language
from glotmill.recipes import sources
from glotmill.recipes.model import Recipe
from glotmill.recipes.sources import Row

__all__ = ["Row", "Seeds", "frame", "open_seeds"]


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
        """Return (pass, row hash, row) for places start..stop of a language's stream, which `passes` end."""
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
    place, rows = sources.rows(spec, Path() if given is not None else recipe.folder, recipe)
    source = _checked(place, rows)
    first = list(itertools.islice(source, 1000))
    if not first:
        where = "; pipe some, or name them with --seeds FILE" if place == "stdin" else ""
        raise RecipeError(f"{place}: no seed row; a recipe needs at least one{where}")
    try:
        found = pl.DataFrame(first, infer_schema_length=None, strict=False).schema
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise RecipeError(f"{place}: the rows do not have one form: {_line(error)}") from None
    names: dict[str, pl.DataType] = {n: t if t != pl.Null else pl.String() for n, t in found.items()}
    names.pop("language", None)
    schema = pl.Schema(names)
    try:
        frame(first, schema).clear().write_parquet(io.BytesIO())  # as the run's files will hold it
    except pl.exceptions.PolarsError as error:
        raise RecipeError(f"{place}: columns {dict(schema)} cannot be kept: {_line(error)}") from None
    return Seeds(place, schema, itertools.chain(first, source))


def frame(rows: Sequence[Row], schema: pl.Schema) -> pl.DataFrame:
    """Return rows as a table of these columns. Raises RecipeError for a value that a column cannot hold."""
    for row in rows:
        if extra := row.keys() - {*schema, "language"}:
            raise RecipeError(f"seeds: a later row has a column {min(extra)!r} that the first 1,000 have not")
    columns = []
    for name, kind in schema.items():
        given = [row.get(name) for row in rows]
        try:
            made = pl.DataFrame({name: given}, schema={name: kind}, strict=False)
            wrong = next(
                (g for g, m in zip(given, made[name].to_list(), strict=True) if not _same(g, m)), None
            )
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
            raise RecipeError(f"seeds: column {name!r} is {kind}: {_line(error)}") from None
        if wrong is not None:
            raise RecipeError(
                f"seeds: column {name!r} is {kind}, and a row has {wrong!r:.80}; make them alike"
            )
        columns.append(made[name])
    return pl.DataFrame(columns)


def _same(given: Any, made: Any) -> bool:
    """Whether a value came through; as text anything may."""
    if isinstance(given, dict):
        return isinstance(made, dict) and all(_same(v, made.get(k)) for k, v in given.items())
    if isinstance(given, list | tuple):
        return isinstance(made, list) and len(given) == len(made) and all(map(_same, given, made))
    if given is None or isinstance(made, str):
        return (given is None) == (made is None)
    return bool(made == given or given != given)  # noqa: PLR0124 NaN


def _checked(place: str, rows: Iterable[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise RecipeError(f"{place}: row {number} is a {type(row).__name__}, not a mapping of columns")
        for name in row:
            if name in RESERVED and not _own_id(name, row):
                raise RecipeError(
                    f"{place}: row {number}: column {name!r} is one that glotmill makes; rename it "
                    "(of a dataset, name the needed columns under seeds.columns)"
                )
        sane = {"seed_id" if _own_id(k, row) else str(k): _sane(v) for k, v in row.items()}
        if sane.get("language") not in (None, ""):
            try:
                sane["language"] = find_language(sane["language"]).tag
            except RecipeError as error:
                raise RecipeError(f"{place}: row {number}: {error}") from None
        yield sane


def _own_id(name: str, row: Row) -> bool:
    """Most datasets have an `id`, those of earlier runs too: it is kept as `seed_id`."""
    return name == "id" and "seed_id" not in row


def _sane(value: Any) -> Any:
    """Seed text may hold lone surrogates (JSON allows them); nothing downstream can write those."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_sane(item) for item in value]
    return {k: _sane(v) for k, v in value.items()} if isinstance(value, dict) else value


def _line(error: BaseException) -> str:
    return " ".join(str(error).split("; make sure", 1)[0].split())[:300]
