"""Instruction mining: the loss that training on a row is expected to lead to, from scores of the row."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

INTERCEPT = "intercept"
# Both published fits, of the logarithm of the loss after training on rows with these means.
RULES: Mapping[str, Mapping[str, float]] = {
    "v1": {INTERCEPT: 1.0694, "reward": -0.1498, "length": 8.257e-5, "knn6": -0.9350},
    "v3": {
        INTERCEPT: 0.0274,
        "reward": -0.0078,
        "understandability": 0.4421,
        "naturalness": -0.3212,
        "coherence": -0.1520,
    },
}
_BLOCK = 1024  # rows whose distances to all others are in memory at once


def instruct_mining(
    text: pl.Expr,
    *,
    rule: str = "v3",
    coefficients: Mapping[str, float] | None = None,
    columns: Mapping[str, str] | None = None,
    embedding: str = "",
    limit: float | None = None,
) -> pl.Expr:
    """Keep rows whose predicted log loss is at most `limit`; without one, all of them: choose by `predicted`.

    rule: `v1` (reward, length, knn6) or `v3` (reward, understandability, naturalness, coherence), or
    `coefficients` of your own, with an `intercept` or without. Each score is a column of its name, or the one
    that `columns` says ({reward: answer_reward}). embedding: a column of vectors, from which knn6 is computed
    within the table that is judged; a row's verdict then depends on the rows beside it.
    The published rules hold for their scorers (reward: OpenAssistant's; length in tokens; naturalness and the
    like: UniEval's dialogue scores) and for English; others are on another scale: refit with `refit`. v3 does
    say that what is more understandable is worse. No language is covered but by the scorers.
    -> reason: empty (null text), no_score (one is null or no number), high_loss; predicted: the log loss.
    Source: Instruction Mining (Cao et al., 2023), first and third version.
    """
    if coefficients is None and rule not in RULES:
        raise ValueError(f"rule: {rule!r}; there is {', '.join(RULES)}, or give `coefficients`")
    weights = dict(RULES[rule] if coefficients is None else coefficients)
    names = {score: score for score in weights if score != INTERCEPT} | dict(columns or {})
    if unknown := names.keys() - weights.keys():
        raise ValueError(f"columns: {min(unknown)!r} is no score of the rule; there is {', '.join(weights)}")
    predicted = pl.lit(weights.pop(INTERCEPT, 0.0))
    for score, weight in weights.items():
        predicted = predicted + weight * _score(score, names[score], embedding)
    predicted = pl.when(predicted.is_finite()).then(predicted)
    reason = (
        pl.when(text.is_null())
        .then(pl.lit("empty"))
        .when(predicted.is_null())
        .then(pl.lit("no_score"))
        .when(predicted > (np.inf if limit is None else limit))
        .then(pl.lit("high_loss"))
    )
    return pl.struct(reason.alias("reason"), predicted.alias("predicted"))


def refit(scores: pl.DataFrame, log_loss: Sequence[float]) -> dict[str, float]:
    """Return the coefficients, `intercept` among them, that fit the log losses best (least squares).

    scores: a row for each training run, a column for each score: its mean over the rows trained on. Raises
    ValueError if there are fewer runs than coefficients, or two scores say the same.
    """
    known = np.column_stack([np.ones(scores.height), scores.to_numpy()]).astype(np.float64)
    found, _, rank, _ = np.linalg.lstsq(known, np.asarray(log_loss, np.float64), rcond=None)
    if rank < known.shape[1]:
        raise ValueError(
            f"{scores.height} runs do not tell {known.shape[1]} coefficients apart; add runs, or drop a score"
        )
    return dict(zip((INTERCEPT, *scores.columns), map(float, found), strict=True))


def neighbour_distance(vectors: NDArray[np.floating], k: int = 6) -> NDArray[np.float64]:
    """Return each row's distance to its k-th nearest other row; NaN where it or too many others are NaN."""
    count = len(vectors)
    vectors = np.asarray(vectors, np.float64)
    found = np.full(count, np.nan)
    usable = np.flatnonzero(np.isfinite(vectors).all(axis=1)) if count else np.array([], np.int64)
    if len(usable) <= k:
        return found
    known = vectors[usable]
    squares = (known**2).sum(axis=1)
    for start in range(0, len(known), _BLOCK):
        block = known[start : start + _BLOCK]
        apart = squares[start : start + _BLOCK, None] + squares[None, :] - 2 * block @ known.T
        apart[np.arange(len(block)), start + np.arange(len(block))] = np.inf  # itself
        nearest = np.partition(apart, k - 1, axis=1)[:, k - 1]
        found[usable[start : start + _BLOCK]] = np.sqrt(nearest.clip(0))
    return found


def _score(score: str, column: str, embedding: str) -> pl.Expr:
    if score == "knn6" and embedding:
        return pl.col(embedding).map_batches(_knn6, return_dtype=pl.Float64)
    return pl.col(column).cast(pl.Float64, strict=False)


def _knn6(column: pl.Series) -> pl.Series:
    rows = column.cast(pl.List(pl.Float64)).to_list() if column.dtype != pl.Null else [None] * len(column)
    size = max((len(row) for row in rows if row is not None), default=0)
    if any(row is not None and len(row) != size for row in rows):
        raise ValueError("embedding: vectors of several lengths; one model makes them all")
    empty = [None] * size
    vectors = np.array([empty if row is None else row for row in rows], np.float64).reshape(len(rows), size)
    return pl.Series(neighbour_distance(vectors), dtype=pl.Float64).fill_nan(None)
