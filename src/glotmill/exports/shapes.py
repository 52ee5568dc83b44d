"""A format with its options: finds it, calls it, checks that what it returns is what its trainer reads."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmill import units
from glotmill.errors import UsageError
from glotmill.exports.writing import SUFFIXES


@dataclass(frozen=True)
class Shape:
    """A format, ready to be called."""

    name: str
    unit: units.Unit
    options: Mapping[str, Any]

    @property
    def suffix(self) -> str:
        """How it is written."""
        return str(self.says("SUFFIX", "parquet"))

    def says(self, what: str, default: Any = None) -> Any:
        """Return what the format's file says of itself."""
        return getattr(sys.modules[self.unit.__module__], what, default)

    def table(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows in this shape. Raises UsageError where rows, or what comes of them, do not fit it."""
        try:
            made = self.unit(rows, **self.options)
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"format {self.name}: {' '.join(str(error).split())[:300]}") from error
        if not isinstance(made, pl.DataFrame):
            raise UsageError(f"format {self.name}: returned a {type(made).__name__}, not a table")
        self._check(made)
        return made

    def features(self) -> Callable[[Any], Any] | None:
        """Return what gives a parquet file's schema the features that datasets reads."""
        features = self.says("features")
        if features is None:
            return None

        def about(schema: Any) -> Any:
            return features(schema).arrow_schema

        return about

    def _check(self, made: pl.DataFrame) -> None:
        schema: Mapping[str, Any] = self.says("SCHEMA", {})
        for column, wanted in schema.items():
            kinds = wanted if isinstance(wanted, tuple) else (wanted,)
            if column not in made.columns:
                raise UsageError(
                    f"format {self.name}: no column {column!r}; there is {', '.join(made.columns)}"
                )
            if made.schema[column] not in kinds:
                raise UsageError(
                    f"format {self.name}: column {column!r} is {made.schema[column]}; "
                    f"it must be {' or '.join(str(kind) for kind in kinds)}"
                )
            if _has_null(made[column]):
                raise UsageError(f"format {self.name}: column {column!r} has a null; filter such rows out")
        if taken := [c for c in made.columns if c not in schema and c in self.says("RESERVED", ())]:
            others = ",".join(c for c in self.options.get("columns", ()) if c not in taken)
            raise UsageError(
                f"format {self.name}: column {taken[0]!r} is a name that trainers read as theirs; name what "
                f"leaves with --columns '{others}', or give the recipe's column another name"
            )


def shape(name: str, given: Mapping[str, Any], columns: list[str]) -> Shape:
    """Find a format. columns: what leaves beside, where the format asks and the user says nothing.

    Raises UsageError for a name or an option that there is not.
    """
    unit = units.find("formats", name)
    units.check_options(unit, given, f"format {name}")
    options = dict(given)
    if "columns" in units.options(unit):
        options.setdefault("columns", columns)
    found = Shape(name, unit, options)
    if found.suffix not in SUFFIXES:
        raise UsageError(f"format {name}: SUFFIX {found.suffix!r}; one of {', '.join(SUFFIXES)}")
    return found


def _has_null(column: pl.Series) -> bool:
    if column.null_count():
        return True
    if isinstance(column.dtype, pl.Struct):
        return any(_has_null(part) for part in column.struct.unnest())
    if isinstance(column.dtype, pl.List):
        return _has_null(column.filter(column.list.len() > 0).explode())
    return False
