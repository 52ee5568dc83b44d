"""Drop rows beyond a limit for each value of a column, such as a source or a template."""

from collections.abc import Sequence

import polars as pl

from glotmill.filters._text.hashing import text_hashes

ACROSS_ROWS = True


def balance(column: pl.Expr, *, most: int, per: Sequence[str] = ("language",)) -> pl.Expr:
    """Keep the first `most` rows of each value of the column, such as a source or a template.

    In `steps:` it counts the rows of a shard, in `finish:` those of the run. A null is a value like any
    other.

    Options:
        most: how many rows of each value stay, at least 1.
        per: columns; rows that differ in one of them are counted separately.
    Reason: over_cap.
    """
    _check(most)
    before = pl.int_range(pl.len()).over(_value(column, per))
    return pl.when(before >= most).then(pl.lit(reason()))


def keys(column: pl.Expr, *, most: int, per: Sequence[str] = ("language",)) -> pl.Expr:
    """Return a number that rows counted together share, the same in every process and on every machine."""
    _check(most)
    hashed = _value(column, per).map_batches(text_hashes, return_dtype=pl.UInt64, is_elementwise=True)
    return hashed.reshape((-1, 1)).arr.to_list()


def limit(*, most: int) -> int:
    """Return how many rows may share a key."""
    _check(most)
    return most


def reason() -> str:
    """Return the reason of dropped rows."""
    return "over_cap"


def _value(column: pl.Expr, per: Sequence[str]) -> pl.Expr:
    """Return the values that are counted, as JSON: no two different ones have the same text."""
    names = [per] if isinstance(per, str) else per
    parts = [column.alias("0"), *(pl.col(name).alias(str(n)) for n, name in enumerate(names, 1))]
    return pl.struct(parts).struct.json_encode()


def _check(most: int) -> None:
    if most < 1:
        raise ValueError(f"most {most}: at least 1")
