"""Drop all but the rows that pull a set of texts towards a target (GOT-D)."""

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
_ROUNDS, _PRECISION = 2_000, 1e-7
_MEASURED = pl.Struct({"reason": pl.String, "gradient": pl.Float64})

_Matrix = npt.NDArray[np.float64]


def got_d(column: pl.Expr, *, target: str, keep: float, model: str = MODEL) -> pl.Expr:
    """Keep the share of rows that moves their distribution fastest towards the target's.

    After Kang et al., "Get more for less" (ICLR 2024): the gradient of the optimal transport distance between
    the rows and the target, with respect to each row's weight; the most negative ones stay. Unlike matching
    the target, it takes what the rows lack: of 99 cats and a dog, for a target half dogs, the dog. The
    distance is squared Euclidean between vectors of length 1, the duals are entropic (Sinkhorn, by POT).

    column: texts, turns, or embeddings (lists of numbers). target: as `decontaminate` reads one: a file or
    hf:// dataset, of texts, or of embeddings in a column of lists of numbers; 1,000 rows of it are used.
    keep: a share, rounded up. model: see embeddings.embed; only for texts. It judges all rows of a table
    against each other and needs 45 kB of memory for each; in `finish:`, the rows of a language.
    -> reason: empty (null), not_selected; gradient: the lower, the more wanted.
    Raises RecipeError or UsageError where the target, the model or a package (the extra `select`) is missing.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep {keep}: a share over 0, at most 1")
    if find_spec("ot") is None:
        raise UsageError("got_d needs the package POT; pip install 'glotmill[select]'")
    wanted = find(target)
    return column.map_batches(lambda values: _judge(values, wanted, keep, model), return_dtype=_MEASURED)


def gradients(candidates: _Matrix, target: _Matrix) -> _Matrix:
    """Return the calibrated gradient for each candidate: its dual less the mean of the others'."""
    candidates, target = unit_length(candidates), unit_length(target)
    cost = candidates @ target.T
    cost *= -2
    cost += 2
    np.maximum(cost, 0, out=cost)
    here, there = len(candidates), len(target)
    duals = sinkhorn_duals(np.full(here, 1 / here), np.full(there, 1 / there), cost)
    return np.asarray((duals - duals.mean()) * here / max(here - 1, 1))


def sinkhorn_duals(here: _Matrix, there: _Matrix, cost: _Matrix) -> _Matrix:
    """Return the dual of each row of the cost, for masses `here` of rows and `there` of columns."""
    import ot

    regularisation = _REGULARISATION * (float(cost.max()) or 1.0)
    _, log = ot.sinkhorn(
        here,
        there,
        cost,
        regularisation,
        numItermax=_ROUNDS,
        stopThr=_PRECISION,
        log=True,
        warn=False,
    )
    return np.asarray(regularisation * np.log(log["u"]), dtype=np.float64)


def _judge(values: pl.Series, target: Reference, keep: float, model: str) -> pl.Series:
    there = values.is_not_null()
    gradient = np.full(len(values), np.nan)
    lost = np.zeros(len(values), dtype=bool)
    if there.any():
        here, wanted = _candidates(values.filter(there), model), _target(target, model)
        if here.shape[1] != wanted.shape[1]:
            raise UsageError(
                f"{target.spec}: vectors of {wanted.shape[1]} numbers, those of the rows have "
                f"{here.shape[1]}; both must be of one model"
            )
        gradient[there.to_numpy()] = gradients(here, wanted)
        order = np.argsort(gradient, kind="stable")[: int(there.sum())]  # NaN is last
        lost[order[ceil(keep * len(order) - 1e-9) :]] = True
    frame = pl.DataFrame({"there": there, "lost": lost, "gradient": pl.Series(gradient).fill_nan(None)})
    reason = pl.when(~pl.col("there")).then(pl.lit("empty")).when("lost").then(pl.lit("not_selected"))
    return frame.select(pl.struct(reason.alias("reason"), "gradient")).to_series()


def _candidates(values: pl.Series, model: str) -> _Matrix:
    kind = values.dtype
    if isinstance(kind, pl.List | pl.Array) and kind.inner.is_numeric():
        return _matrix(values.to_list(), "the embeddings")
    return embed(joined_series(values).to_list(), model).astype(np.float64)


def _target(target: Reference, model: str) -> _Matrix:
    vectors: list[list[float]] = []
    said: list[str] = []
    for row in rows(target):
        found = next((v for v in row.values() if _is_vector(v)), None)
        if found is not None:
            vectors.append(found)
        elif text := "\n".join(texts(row)):
            said.append(text)
    if not vectors and not said:
        raise UsageError(f"{target.spec}: no texts and no embeddings; there is no target")
    if vectors:
        return _matrix(_spread(vectors), target.spec)
    return embed(_spread(said), model).astype(np.float64)


def _spread(items: list[Any]) -> list[Any]:
    count = min(len(items), MAX_TARGET)
    return [items[n * len(items) // count] for n in range(count)]


def _is_vector(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(v, int | float) for v in value)


def _matrix(vectors: list[list[float]], place: str) -> _Matrix:
    if len({len(v) for v in vectors}) > 1:
        raise UsageError(f"{place}: embeddings of several lengths; they must be of one model")
    matrix = np.array(vectors, dtype=np.float64)
    if not np.isfinite(matrix).all():
        raise UsageError(f"{place}: an embedding with a number that is null, NaN or infinite")
    return matrix
