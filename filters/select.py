"""Drop all but the best share of the rows, or the best N, by a score."""

from typing import Literal

import polars as pl

ACROSS_ROWS = True


def select(
    score: pl.Expr,
    *,
    keep: float | None = None,
    top: int | None = None,
    per: str | None = "language",
    order: Literal["highest", "lowest"] = "highest",
) -> pl.Expr:
    """Keep the rows with the best scores of each language.

    In `steps:` it judges the rows of a shard, in `finish:` all rows of a language. A score is a number, or a
    text that is one. Of equal scores, the earlier rows stay.

    Options (give one of `keep` and `top`):
        keep: share of the rows that have a score, rounded up: 0.5 of 7 rows are 4.
        top: number of rows.
        per: column; rows with the same value in it compete. Empty: all rows compete.
        order: which scores are best, the highest or the lowest.
    Reasons: no_score (null, no number, not finite), not_selected.
    """
    if (keep is None) == (top is None):
        raise ValueError("give one of `keep`, a share, and `top`, a number of rows")
    if keep is not None and not 0 < keep <= 1:
        raise ValueError(f"keep {keep}: a share over 0, at most 1")
    if top is not None and top < 1:
        raise ValueError(f"top {top}: at least 1")
    if order not in ("highest", "lowest"):
        raise ValueError(f"order {order!r}: highest or lowest")
    scores = number(score)
    # 0.1 of 30 must be 3, also in floating point
    quota = pl.lit(top) if keep is None else (scores.count() * keep - 1e-9).ceil()
    over_quota = rank(scores, descending=order == "highest") >= quota
    if per:
        over_quota = over_quota.over(per)
    return pl.when(scores.is_null()).then(pl.lit("no_score")).when(over_quota).then(pl.lit("not_selected"))


def number(score: pl.Expr) -> pl.Expr:
    """Return a score, a number or a text that is one, as a finite number, or null."""
    value = score.cast(pl.String, strict=False).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def rank(first: pl.Expr, *more: pl.Expr, descending: bool = False) -> pl.Expr:
    """Return each row's rank, from 0, by the first expression, then by the next ones.

    Nulls come last; of equal rows, the earlier one comes first.
    """
    order = pl.arg_sort_by([first, *more], descending=descending, nulls_last=True, maintain_order=True)
    return order.arg_sort()
