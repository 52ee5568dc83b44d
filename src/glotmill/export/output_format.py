"""A format with its options: finds it, calls it, checks that what it returns is what its trainer reads."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.errors import UsageError, one_line
from glotmill.export.write import SUFFIXES


@dataclass(frozen=True)
class Shape:
    """A format, ready to be called."""

    name: str
    unit: plugins.Plugin
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
            if isinstance(error, pl.exceptions.DuplicateError):
                self._refuse([c for c in self.options.get("columns", ()) if c in self.says("SCHEMA", ())])
            raise UsageError(f"format {self.name}: {one_line(error)}") from error
        if not isinstance(made, pl.DataFrame):
            raise UsageError(f"format {self.name}: returned a {type(made).__name__}, not a table")
        self._check(made)
        return made

    def features(self, schema: Any) -> Any:
        """Return a parquet file's pyarrow schema with the features that datasets is to read."""
        features = self.says("features")
        return features(schema).arrow_schema if features else schema

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
        self._refuse([c for c in made.columns if c not in schema and c in self.says("RESERVED", ())])

    def _refuse(self, taken: Sequence[str]) -> None:
        if taken:
            others = ",".join(c for c in self.options.get("columns", ()) if c not in taken)
            raise UsageError(
                f"format {self.name}: column {taken[0]!r} is a name that trainers read as theirs; name what "
                f"leaves with --columns '{others}', or give the recipe's column another name"
            )


def shape(name: str, given: Mapping[str, Any], columns: list[str]) -> Shape:
    """Find a format. columns: what leaves beside, where the format asks and the user says nothing.

    Raises UsageError for a name or an option that there is not.
    """
    unit = plugins.find("formats", name)
    place = f"format {name}"
    plugins.check_options(unit, given, place)
    options = dict(given)
    if "columns" in plugins.options(unit):
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
