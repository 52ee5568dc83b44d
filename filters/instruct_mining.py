"""Drop rows that are predicted, from their scores, to leave a high loss after training."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

NO_FAULT_REASONS = ("no_score",)
INTERCEPT = "intercept"
# Both published fits: the logarithm of the loss after training on rows with these mean scores.
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
_BLOCK = 1024  # rows whose distances to all others are in memory at a time


def instruct_mining(
    text: pl.Expr,
    *,
    rule: Literal["v1", "v3"] = "v3",
    coefficients: Mapping[str, float] | None = None,
    columns: Mapping[str, str] | None = None,
    embedding: str = "",
    limit: float | None = None,
) -> pl.Expr:
    """Keep rows whose predicted log loss is at most `limit`.

    The prediction is a weighted sum of scores that stand in columns of the row. The published rules hold for
    English and for the scorers they were fitted to (reward: OpenAssistant's reward model; length: tokens;
    understandability, naturalness and coherence: UniEval's dialogue scores). Other scorers have other scales:
    fit coefficients of your own. In v3, a higher understandability does predict a higher loss. The rule looks
    at no text, so languages are covered as far as the scorers cover them.

    Options:
        rule: `v1` (reward, length, knn6) or `v3` (reward, understandability, naturalness, coherence).
        coefficients: weight of each score, and `intercept`; used instead of a rule.
        columns: column of each score whose column has another name, such as {reward: answer_reward}.
        embedding: column of vectors from which knn6, the distance to the sixth nearest row, is computed
            within the table that is filtered. The verdict on a row then depends on the other rows.
        limit: highest predicted log loss that is kept (natural logarithm). Without it no row is dropped, to
            select by `<column>_instruct_mining_predicted` later.
    Reasons: empty (null text), no_score (a score is null or not a number), high_loss.
    Adds `<column>_instruct_mining_predicted`: the predicted log loss.
    Source: Instruction Mining (Cao et al., 2023), first and third version of the paper.
    """
    if coefficients is None and rule not in RULES:
        raise ValueError(f"rule: {rule!r}; choose {', '.join(RULES)}, or give `coefficients`")
    weights = dict(RULES[rule] if coefficients is None else coefficients)
    names = {score: score for score in weights if score != INTERCEPT} | dict(columns or {})
    if unknown := names.keys() - weights.keys():
        raise ValueError(f"columns: {min(unknown)!r} is not a score of the rule; it has {', '.join(weights)}")
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


def neighbour_distance(vectors: NDArray[np.floating], k: int = 6) -> NDArray[np.float64]:
    """Return the Euclidean distance of each row to its k-th nearest other row.

    vectors: one row each, shape (rows, dimensions). NaN for rows that contain NaN, and for all if there are
    not more than k others. Distances are computed for some rows at a time, as |a|² + |b|² - 2ab.
    """
    count = len(vectors)
    vectors = np.asarray(vectors, np.float64)
    distances = np.full(count, np.nan)
    usable = np.flatnonzero(np.isfinite(vectors).all(axis=1)) if count else np.array([], np.int64)
    if len(usable) <= k:
        return distances
    points = vectors[usable]
    squares = (points**2).sum(axis=1)
    for start in range(0, len(points), _BLOCK):
        block = points[start : start + _BLOCK]
        squared = squares[start : start + _BLOCK, None] + squares[None, :] - 2 * block @ points.T
        squared[np.arange(len(block)), start + np.arange(len(block))] = np.inf  # the row itself
        nearest = np.partition(squared, k - 1, axis=1)[:, k - 1]
        distances[usable[start : start + _BLOCK]] = np.sqrt(nearest.clip(0))
    return distances


def _score(score: str, column: str, embedding: str) -> pl.Expr:
    if score == "knn6" and embedding:
        return pl.col(embedding).map_batches(_knn6, return_dtype=pl.Float64)
    return pl.col(column).cast(pl.Float64, strict=False)


def _knn6(column: pl.Series) -> pl.Series:
    rows = column.cast(pl.List(pl.Float64)).to_list() if column.dtype != pl.Null else [None] * len(column)
    size = max((len(row) for row in rows if row is not None), default=0)
    if any(row is not None and len(row) != size for row in rows):
        raise ValueError("embedding: the vectors differ in length; embed all rows with one model")
    nulls = [None] * size
    vectors = np.array([nulls if row is None else row for row in rows], np.float64).reshape(len(rows), size)
    return pl.Series(neighbour_distance(vectors), dtype=pl.Float64).fill_nan(None)
