"""A score against a limit."""

import polars as pl

JUDGES_SCORE = True
NO_FAULT_REASONS = ("no_score",)


def at_least(score: pl.Expr, *, value: float) -> pl.Expr:
    """Keep rows whose score, a number or a text that is one, is `value` or more. Reasons: too_low,
    no_score."""
    number = score.cast(pl.String, strict=False).str.strip_chars().cast(pl.Float64, strict=False)
    return (
        pl.when(number.is_null() | ~number.is_finite())
        .then(pl.lit("no_score"))
        .when(number < value)
        .then(pl.lit("too_low"))
    )
