"""Quality buckets: rows in three equal parts by a score, of which one is kept."""

import polars as pl

from glotmill.filters.select import number, place

ACROSS_ROWS = True

BUCKETS = ("low", "medium", "high")


def quality_buckets(
    score: pl.Expr, *, bucket: str = "high", spread: str = "", per: str = "language"
) -> pl.Expr:
    """Keep one third of the rows of each language by a score, such as the mean of a judge's ratings.

    Rows are sorted by the score, equal ones by `spread` (the column with the ratings' standard deviation, if
    there is one) and then by their order; the three buckets are of one size, the first ones a row larger
    where it must be: 10 rows are 4 low, 3 medium, 3 high. As in Alhanai et al., "Bridging the Gap" (2024),
    where a judge rates how useful a row is for one task in one language. per: a column; each of its values
    has buckets of its own; empty: all rows together. It judges the rows of one table, as `select`.
    -> reason: no_score, other_bucket; bucket: low, medium, high. Raises ValueError for an unknown bucket.
    """
    if bucket not in BUCKETS:
        raise ValueError(f"bucket {bucket!r}: low, medium or high")
    scores = number(score)
    keys = [scores, *([number(pl.col(spread)).fill_null(0)] if spread else [])]
    rank, rows = place(*keys).cast(pl.Int64), scores.count().cast(pl.Int64)
    low, medium = (rows + 2) // 3, (rows + 1) // 3
    third = (rank >= low).cast(pl.Int8) + (rank >= low + medium).cast(pl.Int8)
    if per:
        third = third.over(per)
    name = third.replace_strict(dict(enumerate(BUCKETS)), return_dtype=pl.String)
    name = pl.when(scores.is_not_null()).then(name)
    reason = (
        pl.when(name.is_null()).then(pl.lit("no_score")).when(name != bucket).then(pl.lit("other_bucket"))
    )
    return pl.struct(reason.alias("reason"), name.alias("bucket"))
