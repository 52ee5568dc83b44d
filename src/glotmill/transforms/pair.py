"""Pairs each row with its neighbour: two personas for a conversation."""

from typing import Any

import polars as pl


def pair(rows: pl.DataFrame, *, column: str = "persona") -> pl.DataFrame:
    """Give every row the value of the next row that says something else; the last row meets the first.

    rows: <column> -> + <column>_a (its own), <column>_b (its neighbour's), reason (no_partner if none has).
    """
    own = rows[column].to_list()
    partners = [_next(own, place) for place in range(len(own))]
    dtype = rows.schema[column]
    return rows.with_columns(
        pl.Series(f"{column}_a", own, dtype),
        pl.Series(f"{column}_b", partners, dtype),
        pl.Series("reason", [None if p is not None else "no_partner" for p in partners], pl.String),
    )


def _next(values: list[Any], place: int) -> Any:
    order = (values[(place + step) % len(values)] for step in range(1, len(values)))
    return next((value for value in order if value is not None and value != values[place]), None)
