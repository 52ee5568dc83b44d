"""Drop replies that a model finds too improbable, or too probable."""

import polars as pl

NO_FAULT_REASONS = ("no_score",)


def likelihood(text: pl.Expr, *, min: float | None = None, max: float | None = None) -> pl.Expr:
    """Keep replies whose mean log-probability per token lies between `min` and `max`.

    The column holds that mean, such as the column `<step>_logprob` that a generate step with `logprobs: 0`
    adds; or the log-probabilities of the tokens as a list; or a list of such lists, one per model, whose
    means are averaged. Because it is a mean per token, long and short replies meet the same limits.

    A reply that a model finds probable is easy for the model, not correct, and a mean near 0 often marks a
    loop or a copy: consider `max` too. Covers all languages, but usual values differ between languages,
    models and templates: look at the column before choosing limits.

    Options:
        min, max: limits of the mean, as natural logarithms (0 or less); without them no row is dropped.
    Reasons: no_score (null, no tokens, not a number, above 0), unlikely, too_likely.
    Adds `<column>_likelihood_mean`: the mean log-probability per token.
    Source: the preference score of PoFT (2024), averaged over models.
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
    """The mean of each row, or the mean of its means; null where that is not a log-probability."""
    if isinstance(column.dtype, pl.List):
        if isinstance(column.dtype.inner, pl.List):
            column = column.list.eval(pl.element().list.mean())
        return _means(column.list.mean())
    mean = column.cast(pl.Float64, strict=False)
    return pl.select(pl.when(mean.is_finite() & (mean <= 0)).then(mean)).to_series()
