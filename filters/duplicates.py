"""Duplicates: the same text twice."""

import hashlib
from collections.abc import Sequence

import polars as pl

from glotmill.filters.text import joined, squeezed

_BETWEEN = "\x1f"  # no text that has been squeezed holds it


def duplicates(text: pl.Expr, *, within: str = "language", also: Sequence[str] = ()) -> pl.Expr:
    """Keep the first of equal texts, in the order of the rows.

    Texts are equal whatever their case, spaces and punctuation. within: a column; texts are compared among
    rows that share its value; empty: among all rows. also: columns that must be equal too.
    Reasons: empty (null), duplicate.
    """
    first = fingerprint(text, also=also).is_first_distinct()
    if within:
        first = first.over(within)
    return pl.when(text.is_null()).then(pl.lit("empty")).when(~first).then(pl.lit("duplicate"))


def fingerprint(text: pl.Expr, also: Sequence[str] = ()) -> pl.Expr:
    """Return a UInt64 that equal texts share, the same in every process and on every machine; null for null.

    For comparing rows that are not in one table: of 10 million different texts, two share one by a chance of
    3 in a million.
    """
    keys = [squeezed(joined(text)), *(squeezed(joined(pl.col(name))).fill_null("") for name in also)]
    whole = pl.concat_str(keys, separator=_BETWEEN)
    return whole.map_batches(_hashes, return_dtype=pl.UInt64, is_elementwise=True)


def _hashes(texts: pl.Series) -> pl.Series:
    hashed = [
        None if t is None else int.from_bytes(hashlib.blake2b(t.encode(), digest_size=8).digest(), "big")
        for t in texts.to_list()
    ]
    return pl.Series(hashed, dtype=pl.UInt64)
