"""Matching texts, as `anchor`, `positive`: sentence-transformers."""

import polars as pl

from glotmill.export.formats._shared.text_pairs import anchor_positive_pairs

SCHEMA = {"anchor": pl.String(), "positive": pl.String()}


def st_pairs(rows: pl.DataFrame, *, anchor: str = "", positive: str = "") -> pl.DataFrame:
    """Return two texts per row and no other column: sentence-transformers trains on every column.

    anchor, positive: columns; by default the last user message and the last assistant message. Rows in which
    one of them is null or blank are left out.
    rows: anchor and positive, or messages that end with the assistant -> anchor, positive, in this order,
    by which sentence-transformers tells them apart.
    Source: sentence-transformers 6.2, (anchor, positive) pairs.
    """
    return anchor_positive_pairs(rows, anchor, positive, "st-pairs").select("anchor", "positive")
