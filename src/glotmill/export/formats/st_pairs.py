"""Texts that belong together, as `anchor`, `positive`: sentence-transformers trains embeddings on them."""

import polars as pl

from glotmill.export.formats._shared.exchange import sides

SCHEMA = {"anchor": pl.String(), "positive": pl.String()}


def st_pairs(rows: pl.DataFrame, *, anchor: str = "", positive: str = "") -> pl.DataFrame:
    """Return two texts a row, and nothing else: sentence-transformers trains on every column that it sees.

    anchor, positive: columns; without one, what the user said last and what the assistant answered. Rows
    where one is null or blank are left out.
    rows: anchor and positive, or messages that end with the assistant -> anchor, positive, in this order,
    which is what tells them apart. Source: sentence-transformers 6.2, (anchor, positive) pairs.
    """
    return sides(rows, anchor, positive, "st-pairs").select("anchor", "positive")
