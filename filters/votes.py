"""What detectors said of rows, as names of languages. A helper of filters."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters.detectors import labels_of, tag_of
from glotmill.filters.detectors._cascade import Answer, Pieces, columns

_FAINT = 0.001  # a probability that says nothing
_TRACE = 0.01  # of a row's letters; what less of it seems to be is no runner-up
_Numbers: TypeAlias = NDArray[np.intp]


def named(answer: Answer, pieces: Pieces, tags: Sequence[str], asked: _Numbers) -> pl.DataFrame:
    """Return which language each row is in, which next, and what each detector said of the pieces put to it.

    tags: the languages asked for, by number. asked: of each row, that number.
    -> detected: `und` if nothing was said; runner_up: null if there is none; votes: such as
       `pycld2=fra_Latn py3langid=oci_Latn`, null if nothing was said.
    """
    known = [[tag_of(said.detector, label) for label in said.labels] for said in answer.said]
    names = list(dict.fromkeys([*tags, *(name for found in known for name in found)]))
    column = {name: number for number, name in enumerate(names)}
    times = np.zeros(len(pieces.texts), np.float32)
    for said in answer.said:
        times[said.pieces] += 1
    sums, votes = np.zeros((len(asked), len(names))), [pl.lit(None, pl.String)]
    for said, tags_of in zip(answer.said, known, strict=True):
        means = np.tile([column[name] for name in tags_of], (len(tags), 1))
        for number, tag in enumerate(tags):
            means[number, columns(said.labels, labels_of(said.detector, tag) if tag else ())] = column[tag]
        piece, label = np.nonzero(said.probabilities > _FAINT)  # of some hundred labels, a few
        row = pieces.row[said.pieces][piece]
        amount = said.probabilities[piece, label] * pieces.weight[said.pieces][piece]
        decides = np.where(answer.accepted[said.pieces], said.accepted, 1 / times[said.pieces])[piece]
        name = means[asked[row], label]
        sums += _sums(row, name, amount * decides, sums)
        whole = _sums(row, name, amount, sums)
        vote = np.where(whole.any(axis=1), whole.argmax(axis=1), -1)
        votes.append(pl.lit(f"{said.detector}=" + _named(vote, names)))
    return pl.DataFrame(_best_two(sums, names)).with_columns(
        pl.concat_str(votes, separator=" ", ignore_nulls=True).replace("", None).alias("votes")
    )


def _sums(
    row: _Numbers, name: _Numbers, amount: NDArray[np.floating], like: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The amounts of each row and name."""
    found = np.bincount(row * like.shape[1] + name, amount, like.size)
    return found.astype(np.float64, copy=False).reshape(like.shape)


def _best_two(sums: NDArray[np.float64], names: Sequence[str]) -> list[pl.Series]:
    every = np.arange(len(sums))
    least = sums.sum(axis=1) * _TRACE
    first = sums.argmax(axis=1)
    first = np.where(sums[every, first] > 0, first, -1)
    sums[every, first] = 0
    second = sums.argmax(axis=1)
    second = np.where(sums[every, second] > least, second, -1)
    return [_named(first, names).fill_null("und").alias("detected"), _named(second, names).alias("runner_up")]


def _named(numbers: _Numbers, names: Sequence[str]) -> pl.Series:
    """Names by number; null for -1."""
    return pl.Series([*names, None], dtype=pl.String).gather(numbers % (len(names) + 1))
