"""Balance: no more than so many rows of one kind."""

import hashlib
from collections.abc import Sequence

import polars as pl

ACROSS_ROWS = True


def balance(column: pl.Expr, *, most: int, per: Sequence[str] = ("language",)) -> pl.Expr:
    """Keep the first `most` rows of each value of the column, such as a source or a template.

    per: columns; rows that differ in one of them are counted apart. A null is a value like any other. In
    `steps:` the rows of a shard are counted, in `finish:` those of the run.
    Reason: over_cap. Raises ValueError for a cap under 1.
    """
    _check(most)
    before = pl.int_range(pl.len()).over(_key(column, per))
    return pl.when(before >= most).then(pl.lit(reason()))


def keys(column: pl.Expr, *, most: int, per: Sequence[str] = ("language",)) -> pl.Expr:
    """Return what rows that are counted together share, the same in every process and on every machine."""
    _check(most)
    hashed = _key(column, per).map_batches(_hashes, return_dtype=pl.UInt64, is_elementwise=True)
    return hashed.reshape((-1, 1)).arr.to_list()


def limit(*, most: int) -> int:
    """Return how many rows may share a key."""
    _check(most)
    return most


def reason() -> str:
    """Return the reason of rows that are too many."""
    return "over_cap"


def _key(column: pl.Expr, per: Sequence[str]) -> pl.Expr:
    names = [per] if isinstance(per, str) else per
    parts = [column.alias("0"), *(pl.col(name).alias(str(n)) for n, name in enumerate(names, 1))]
    return pl.struct(parts).struct.json_encode()  # no two values look alike in it


def _hashes(values: pl.Series) -> pl.Series:
    known: dict[str, int] = {}
    for text in values.unique().to_list():
        known[text] = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return pl.Series([known[text] for text in values.to_list()], dtype=pl.UInt64)


def _check(most: int) -> None:
    if most < 1:
        raise ValueError(f"most {most}: at least 1")
