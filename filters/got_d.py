"""Drop all but the rows that move a set of texts towards a target (GOT-D)."""

from importlib.util import find_spec
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from glotmill.errors import UsageError
from glotmill.filters._similar.embeddings import MODEL, embed, unit_length
from glotmill.filters._similar.references import Reference, find, rows, texts
from glotmill.filters._text.words import joined_series

ACROSS_ROWS = True

MAX_TARGET = 1_000  # rows of the target that are used, evenly spread over it
_REGULARISATION = 0.05  # of the largest cost
_MAX_ROUNDS, _PRECISION = 2_000, 1e-7
_VERDICT = pl.Struct({"reason": pl.String, "gradient": pl.Float64})

_Matrix = npt.NDArray[np.float64]


def got_d(column: pl.Expr, *, target: str, keep: float, model: str = MODEL) -> pl.Expr:
    """Keep the share of rows that moves their distribution fastest towards the target's.

    The score of a row is the gradient of the optimal transport distance between the rows and the target with
    respect to the row's weight; the rows with the most negative gradients stay. Unlike similarity to the
    target, this selects what the rows lack: of 99 cats and a dog, for a target of half dogs, the dog. The
    distance is squared Euclidean between vectors of length 1, the duals are entropic (Sinkhorn, by POT).

    The column holds texts, turns, or embeddings (lists of numbers). All rows of a table are read together,
    in 45 kB of memory each; in `finish:`, these are the rows of a language.

    Options:
        target: a file or dataset, as `decontaminate` reads one, of texts, or of embeddings in a column of
            lists of numbers; up to 1,000 rows of it are used.
        keep: share of the rows that stay, rounded up.
        model: folder or Hub id of a model2vec model; only for texts.
    Reasons: empty (null), not_selected.
    Adds `<column>_got_d_gradient`: the lower, the better.
    Source: Kang et al., "Get more for less" (ICLR 2024).
    Raises RecipeError or UsageError if the target, the model or a package (glotmill[select]) is missing.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep {keep}: a share over 0, at most 1")
    if find_spec("ot") is None:
        raise UsageError("got_d needs the package POT; pip install 'glotmill[select]'")
    reference = find(target)
    return column.map_batches(lambda values: _verdicts(values, reference, keep, model), return_dtype=_VERDICT)


def gradients(candidates: _Matrix, target: _Matrix) -> _Matrix:
    """Return the calibrated gradient of each candidate: its dual minus the mean of the others' duals.

    candidates: shape (n, dimensions); target: shape (m, dimensions). The cost of moving candidate i to target
    j is |x_i - y_j|**2 = 2 - 2 * x_i . y_j, for vectors of length 1. Both sides have uniform weights.
    """
    candidates, target = unit_length(candidates), unit_length(target)
    cost = candidates @ target.T
    cost *= -2
    cost += 2
    np.maximum(cost, 0, out=cost)
    n, m = cost.shape
    duals = sinkhorn_duals(np.full(n, 1 / n), np.full(m, 1 / m), cost)
    return np.asarray((duals - duals.mean()) * n / max(n - 1, 1))


def sinkhorn_duals(row_weights: _Matrix, column_weights: _Matrix, cost: _Matrix) -> _Matrix:
    """Return the dual of each row of the cost (n, m), for weights (n,) of rows and (m,) of columns."""
    import ot

    regularisation = _REGULARISATION * (float(cost.max()) or 1.0)
    _, log = ot.sinkhorn(
        row_weights,
        column_weights,
        cost,
        regularisation,
        numItermax=_MAX_ROUNDS,
        stopThr=_PRECISION,
        log=True,
        warn=False,
    )
    return np.asarray(regularisation * np.log(log["u"]), dtype=np.float64)


def _verdicts(values: pl.Series, target: Reference, keep: float, model: str) -> pl.Series:
    present = values.is_not_null()
    gradient = np.full(len(values), np.nan)
    dropped = np.zeros(len(values), dtype=bool)
    if present.any():
        candidates, targets = _candidates(values.filter(present), model), _target(target, model)
        if candidates.shape[1] != targets.shape[1]:
            raise UsageError(
                f"{target.spec}: vectors of {targets.shape[1]} numbers, those of the rows have "
                f"{candidates.shape[1]}; both must come from one model"
            )
        gradient[present.to_numpy()] = gradients(candidates, targets)
        order = np.argsort(gradient, kind="stable")[: int(present.sum())]  # NaN comes last
        dropped[order[ceil(keep * len(order) - 1e-9) :]] = True
    frame = pl.DataFrame(
        {"present": present, "dropped": dropped, "gradient": pl.Series(gradient).fill_nan(None)}
    )
    reason = pl.when(~pl.col("present")).then(pl.lit("empty")).when("dropped").then(pl.lit("not_selected"))
    return frame.select(pl.struct(reason.alias("reason"), "gradient")).to_series()


def _candidates(values: pl.Series, model: str) -> _Matrix:
    dtype = values.dtype
    if isinstance(dtype, pl.List | pl.Array) and dtype.inner.is_numeric():
        return _matrix(values.to_list(), "the embeddings")
    return embed(joined_series(values).to_list(), model).astype(np.float64)


def _target(target: Reference, model: str) -> _Matrix:
    """Return the vectors of the target, from its embeddings if it has any, else from its texts."""
    vectors: list[list[float]] = []
    target_texts: list[str] = []
    for row in rows(target):
        vector = next((value for value in row.values() if _is_vector(value)), None)
        if vector is not None:
            vectors.append(vector)
        elif text := "\n".join(texts(row)):
            target_texts.append(text)
    if vectors:
        return _matrix(_evenly(vectors), target.spec)
    if not target_texts:
        raise UsageError(f"{target.spec}: no texts and no embeddings; there is no target")
    return embed(_evenly(target_texts), model).astype(np.float64)


def _evenly(items: list[Any]) -> list[Any]:
    """Return up to MAX_TARGET items, evenly spread."""
    count = min(len(items), MAX_TARGET)
    return [items[n * len(items) // count] for n in range(count)]


def _is_vector(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(v, int | float) for v in value)


def _matrix(vectors: list[list[float]], place: str) -> _Matrix:
    if len({len(v) for v in vectors}) > 1:
        raise UsageError(f"{place}: embeddings of several lengths; they must come from one model")
    matrix = np.array(vectors, dtype=np.float64)
    if not np.isfinite(matrix).all():
        raise UsageError(f"{place}: an embedding holds a number that is null, NaN or infinite")
    return matrix
