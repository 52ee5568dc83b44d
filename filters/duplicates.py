"""Duplicates: the same text twice."""

import hashlib
import sys
from collections.abc import Sequence

import polars as pl

from glotmill.filters.seen import over_table, rule
from glotmill.filters.text import joined, squeezed

_BETWEEN = "\x1f"  # no text that has been squeezed holds it


def duplicates(text: pl.Expr, *, within: str = "language", also: Sequence[str] = (), id: str = "") -> pl.Expr:
    """Keep the first of equal texts, in the order of the rows.

    Texts are equal whatever their case, spaces and punctuation. within: a column; texts are compared among
    rows that share its value; empty: among all rows. also: columns that must be equal too. id: a column that
    names the rows.
    Reasons: empty (null), duplicate. With id -> first: of the kept row that a dropped one repeats.
    """
    options = {"within": within, "also": also}
    found = rule(sys.modules[__name__], text, options)
    assert found is not None
    judged = over_table(found, id)
    return judged if id else judged.struct.field("reason")


def keys(column: pl.Expr, *, within: str = "language", also: Sequence[str] = ()) -> pl.Expr:
    """Return the numbers that equal texts share; null for null."""
    mark = fingerprint(column, also=[within, *also] if within else also)
    return pl.when(mark.is_not_null()).then(pl.concat_list(mark))


def reason() -> str:
    """Return the reason of rows that are dropped."""
    return "duplicate"


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
