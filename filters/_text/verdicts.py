"""Verdicts row by row, for rules that no polars expression can state."""

from collections.abc import Callable

import polars as pl

Verdict = tuple[object, ...]  # the reason or None, then what the filter measures


def verdicts(rule: Callable[..., Verdict], dtype: pl.Struct, **columns: pl.Expr) -> pl.Expr:
    """Return a struct for each row: what `rule` returns when called with the row's values, in this order.

    dtype: the fields of the struct, in the order in which `rule` returns them.
    """

    def judged(batch: pl.Series) -> pl.Series:
        rows = [rule(*row) for row in batch.struct.unnest().iter_rows()]
        return pl.DataFrame(rows, schema=dtype.to_schema(), orient="row").to_struct()

    rows = pl.struct(column.alias(name) for name, column in columns.items())
    return rows.map_batches(judged, return_dtype=dtype, is_elementwise=True)
