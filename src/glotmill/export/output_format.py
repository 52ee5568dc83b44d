"""A format with its options, and the check that its rows are what the trainer reads."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.errors import UsageError, one_line
from glotmill.export.split_files import SUFFIXES


@dataclass(frozen=True)
class OutputFormat:
    """A format with its options."""

    name: str
    plugin: plugins.Plugin
    options: Mapping[str, Any]

    @property
    def suffix(self) -> str:
        """The suffix of its files."""
        return str(self.declared("SUFFIX", "parquet"))

    def declared(self, constant: str, default: Any = None) -> Any:
        """Return what the format's module declares."""
        return getattr(sys.modules[self.plugin.__module__], constant, default)

    def table(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows in this format. Raises UsageError if the rows, or the result, do not fit it."""
        try:
            table = self.plugin(rows, **self.options)
        except pl.exceptions.PolarsError as error:
            if isinstance(error, pl.exceptions.DuplicateError):
                self._refuse([c for c in self.options.get("columns", ()) if c in self.declared("SCHEMA", ())])
            raise UsageError(f"format {self.name}: {one_line(error)}") from error
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
            raise UsageError(f"format {self.name}: {type(error).__name__}: {one_line(error)}") from error
        if not isinstance(table, pl.DataFrame):
            raise UsageError(f"format {self.name}: returned a {type(table).__name__}, not a table")
        self._check(table)
        return table

    def features(self, schema: Any) -> Any:
        """Return the pyarrow schema of a parquet file, with the features for datasets."""
        features = self.declared("features")
        return features(schema).arrow_schema if features else schema

    def _check(self, table: pl.DataFrame) -> None:
        schema: Mapping[str, Any] = self.declared("SCHEMA", {})
        for column, allowed in schema.items():
            dtypes = allowed if isinstance(allowed, tuple) else (allowed,)
            if column not in table.columns:
                raise UsageError(
                    f"format {self.name}: no column {column!r}; the columns are {', '.join(table.columns)}"
                )
            if table.schema[column] not in dtypes:
                raise UsageError(
                    f"format {self.name}: column {column!r} is {table.schema[column]}; "
                    f"it must be {' or '.join(str(kind) for kind in dtypes)}"
                )
            if _has_null(table[column]):
                raise UsageError(f"format {self.name}: column {column!r} has a null; filter such rows out")
        self._refuse([c for c in table.columns if c not in schema and c in self.declared("RESERVED", ())])

    def _refuse(self, reserved: Sequence[str]) -> None:
        if reserved:
            others = ",".join(c for c in self.options.get("columns", ()) if c not in reserved)
            raise UsageError(
                f"format {self.name}: column {reserved[0]!r} has a name that trainers read; choose the "
                f"columns with --columns '{others}', or rename the column in the recipe"
            )


def open_format(name: str, options: Mapping[str, Any], columns: list[str]) -> OutputFormat:
    """Return a format. columns: the default of its option `columns`, if it has one.

    Raises UsageError for an unknown format or option.
    """
    plugin = plugins.find("formats", name)
    location = f"format {name}"
    plugins.check_options(plugin, options, location)
    options = dict(options)
    if "columns" in plugins.options(plugin):
        options.setdefault("columns", columns)
    output_format = OutputFormat(name, plugin, options)
    if output_format.suffix not in SUFFIXES:
        raise UsageError(f"format {name}: SUFFIX {output_format.suffix!r}; one of {', '.join(SUFFIXES)}")
    return output_format


def _has_null(column: pl.Series) -> bool:
    if column.null_count():
        return True
    if isinstance(column.dtype, pl.Struct):
        return any(_has_null(part) for part in column.struct.unnest())
    if isinstance(column.dtype, pl.List):
        return _has_null(column.filter(column.list.len() > 0).explode())
    return False
