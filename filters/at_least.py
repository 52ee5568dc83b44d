"""Drop rows whose score is below a minimum."""

import polars as pl

JUDGES_SCORE = True
NO_FAULT_REASONS = ("no_score",)


def at_least(score: pl.Expr, *, value: float) -> pl.Expr:
    """Keep rows whose score is at least `value`.

    The column holds numbers, or texts that are a number and nothing else.

    Options:
        value: lowest score that is kept, on the scale of the column.
    Reasons: too_low, no_score (null, not a number, infinite).
    """
    number = score.cast(pl.String, strict=False).str.strip_chars().cast(pl.Float64, strict=False)
    return (
        pl.when(number.is_null() | ~number.is_finite())
        .then(pl.lit("no_score"))
        .when(number < value)
        .then(pl.lit("too_low"))
    )
