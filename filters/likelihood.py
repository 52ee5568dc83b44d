"""Likelihood: how probable a model finds a reply, by the log-probabilities of its tokens."""

import polars as pl


def likelihood(text: pl.Expr, *, min: float | None = None, max: float | None = None) -> pl.Expr:
    """Keep replies whose mean log-probability per token lies between min and max (natural logarithm, 0 or
    less).

    The column is that mean, such as the `<step>_logprob` that a generate step with `logprobs: 0` leaves, or
    the log-probabilities of the reply's tokens as a list, or a list of such lists, one a model, whose means
    are averaged. Long and short replies are held to the same limits. Texts that the model finds likely are
    easy for it, not right; a mean near 0 is often a loop or a copy, so that a `max` is worth a look too.
    Covers every language; what is usual differs by language, model and template: look at the column first.
    -> reason: no_score (null, no token, not a number, above 0), unlikely, too_likely; mean.
    Source: the preference score of PoFT (2024), mean log-probability per token, averaged over models.
    """
    if min is not None and max is not None and min > max:
        raise ValueError(f"likelihood: min={min} is above max={max}")
    mean = text.map_batches(_means, return_dtype=pl.Float64, is_elementwise=True)
    reason = (
        pl.when(mean.is_null())
        .then(pl.lit("no_score"))
        .when(pl.lit(min is not None) & (mean < (min or 0.0)))
        .then(pl.lit("unlikely"))
        .when(pl.lit(max is not None) & (mean > (max or 0.0)))
        .then(pl.lit("too_likely"))
    )
    return pl.struct(reason.alias("reason"), mean.alias("mean"))


def _means(column: pl.Series) -> pl.Series:
    """The mean of each row, and of means; what is no log-probability is null."""
    if not isinstance(column.dtype, pl.List):
        number = column.cast(pl.Float64, strict=False)
        return number.to_frame("n").select(pl.when(pl.col("n").is_finite() & (pl.col("n") <= 0)).then("n"))[
            "n"
        ]
    if isinstance(column.dtype.inner, pl.List):
        column = column.list.eval(pl.element().list.mean())
    return _means(column.list.mean())
