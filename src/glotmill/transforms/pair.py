"""Pairs each row with its neighbour: two personas for a conversation."""

from typing import Any

import polars as pl


def pair(rows: pl.DataFrame, *, column: str = "persona") -> pl.DataFrame:
    """Give every row the next row's value that differs from its own; after the last row comes the first.

    rows: <column> -> + <column>_a (its own), <column>_b (its neighbour's), reason (no_partner if none has).
    """
    values = rows[column].to_list()
    partners = [_next(values, row) for row in range(len(values))]
    dtype = rows.schema[column]
    return rows.with_columns(
        pl.Series(f"{column}_a", values, dtype),
        pl.Series(f"{column}_b", partners, dtype),
        pl.Series("reason", [None if p is not None else "no_partner" for p in partners], pl.String),
    )


def _next(values: list[Any], row: int) -> Any:
    order = (values[(row + step) % len(values)] for step in range(1, len(values)))
    return next((value for value in order if value is not None and value != values[row]), None)
