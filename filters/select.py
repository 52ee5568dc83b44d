"""Selection by a score: the best share of the rows, or the best so many."""

import polars as pl

ACROSS_ROWS = True


def select(
    score: pl.Expr,
    *,
    keep: float | None = None,
    top: int | None = None,
    per: str = "language",
    order: str = "highest",
) -> pl.Expr:
    """Keep the rows with the best scores of each language.

    keep: the share of the rows that have a score, rounded up: 0.5 of 7 rows are 4. top: how many rows; give
    one of the two. per: a column; rows compete that share its value; empty: all rows compete. order: highest
    or lowest, which is best. Of equal scores, earlier rows stay. A score may be a number or a text that is
    one. It judges the rows of one table: in `steps:` those of a shard, in `finish:` all rows of a language.
    Reasons: no_score (null, no number, not finite), not_selected. Raises ValueError for options that do not
    fit.
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
    counted = scores.count()
    # 0.1 of 30 must be 3, also in floating point
    quota = pl.lit(top) if keep is None else (counted * keep - 1e-9).ceil()
    lost = place(scores, descending=order == "highest") >= quota
    if per:
        lost = lost.over(per)
    return pl.when(scores.is_null()).then(pl.lit("no_score")).when(lost).then(pl.lit("not_selected"))


def number(score: pl.Expr) -> pl.Expr:
    """Return a score, a number or a text that is one, as a finite number, or null."""
    value = score.cast(pl.String, strict=False).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def place(first: pl.Expr, *more: pl.Expr, descending: bool = False) -> pl.Expr:
    """Return each row's place, from 0, by one expression after the other; nulls come last, and of equal rows
    the earlier one is first."""
    order = pl.arg_sort_by([first, *more], descending=descending, nulls_last=True, maintain_order=True)
    return order.arg_sort()
