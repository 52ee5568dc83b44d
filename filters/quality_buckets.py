"""Drop two of three equal parts of the rows, by a score."""

from typing import Literal

import polars as pl

from glotmill.filters.select import number, rank

ACROSS_ROWS = True

BUCKETS = ("low", "medium", "high")


def quality_buckets(
    score: pl.Expr,
    *,
    bucket: Literal["low", "medium", "high"] = "high",
    spread: str = "",
    per: str | None = "language",
) -> pl.Expr:
    """Keep one third of the rows of each language by a score, such as the mean of a judge's ratings.

    In `steps:` it judges the rows of a shard, in `finish:` all rows of a language. The three buckets have one
    size; the first ones hold a row more where it does not divide: 10 rows are 4 low, 3 medium, 3 high.

    Options:
        bucket: the third that is kept.
        spread: column with the standard deviation of the ratings, which sorts equal scores; rows that are
            equal in both keep their order.
        per: column; each of its values has its own buckets. Empty: all rows together.
    Reasons: no_score, other_bucket.
    Adds `<column>_quality_buckets_bucket`: low, medium or high.
    Source: Alhanai et al., "Bridging the Gap" (2024), where a judge rates how useful a row is for one task in
    one language.
    """
    if bucket not in BUCKETS:
        raise ValueError(f"bucket {bucket!r}: low, medium or high")
    scores = number(score)
    keys = [scores, *([number(pl.col(spread)).fill_null(0)] if spread else [])]
    ranks, rows = rank(*keys).cast(pl.Int64), scores.count().cast(pl.Int64)
    low, medium = (rows + 2) // 3, (rows + 1) // 3
    third = (ranks >= low).cast(pl.Int8) + (ranks >= low + medium).cast(pl.Int8)
    if per:
        third = third.over(per)
    name = third.replace_strict(dict(enumerate(BUCKETS)), return_dtype=pl.String)
    name = pl.when(scores.is_not_null()).then(name)
    reason = (
        pl.when(name.is_null()).then(pl.lit("no_score")).when(name != bucket).then(pl.lit("other_bucket"))
    )
    return pl.struct(reason.alias("reason"), name.alias("bucket"))
