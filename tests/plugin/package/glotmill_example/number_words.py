"""Counts the words of a column."""

import polars as pl


def number_words(rows: pl.DataFrame, *, column: str = "saying", least: int = 1) -> pl.DataFrame:
    """Add the number of words of a column; rows with fewer than `least` words get a reason.

    rows: <column> -> + <column>_words, reason (too_few_words)
    """
    words = pl.col(column).str.split(" ").list.len().alias(f"{column}_words")
    reason = pl.when(words < least).then(pl.lit("too_few_words")).alias("reason")
    return rows.with_columns(words, reason)
