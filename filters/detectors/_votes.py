"""The answers of the detectors about pieces become languages of rows."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters.detectors import labels_of, tag_of
from glotmill.filters.detectors._cascade import Findings, Pieces, columns

_MIN_PROBABILITY = 0.001  # lower ones are ignored
_MIN_SHARE = 0.01  # of a row's letters, for the runner-up
_Indices: TypeAlias = NDArray[np.intp]


def votes(findings: Findings, pieces: Pieces, tags: Sequence[str], language: _Indices) -> pl.DataFrame:
    """Return, for each row, its language, the next likely one, and the vote of each detector.

    tags: the different languages of the rows. language: index in `tags` of each row, shape (rows,).
    -> detected: tag of a language, `und` if no detector answered; runner_up: tag, null if there is none;
       votes: such as `pycld2=fra_Latn py3langid=oci_Latn`, null if no detector answered.

    A detector's probabilities for the pieces of a row, weighted by their letters, add up to an amount for
    each language. A piece that was accepted counts by the detector that accepted it, another by the mean of
    all that answered.
    """
    label_tags = [[tag_of(answer.detector, label) for label in answer.labels] for answer in findings.answers]
    names = list(dict.fromkeys([*tags, *(tag for labels in label_tags for tag in labels)]))
    index = {name: number for number, name in enumerate(names)}
    answered = np.zeros(len(pieces.texts), np.float32)  # number of detectors that answered
    for answer in findings.answers:
        answered[answer.pieces] += 1
    amounts, detector_votes = np.zeros((len(language), len(names))), [pl.lit(None, pl.String)]
    for answer, label_names in zip(findings.answers, label_tags, strict=True):
        # The language that each label stands for, shape (tags, labels). A label of several languages, such as
        # zh, stands for the row's language if that is one of them.
        meaning = np.tile([index[name] for name in label_names], (len(tags), 1))
        for number, tag in enumerate(tags):
            is_tag = columns(answer.labels, labels_of(answer.detector, tag) if tag else ())
            meaning[number, is_tag] = index[tag]
        piece, label = np.nonzero(answer.probabilities > _MIN_PROBABILITY)  # few of some hundred labels
        row = pieces.row[answer.pieces][piece]
        amount = answer.probabilities[piece, label] * pieces.weight[answer.pieces][piece]
        share = np.where(findings.accepted[answer.pieces], answer.accepted, 1 / answered[answer.pieces])
        name = meaning[language[row], label]
        amounts += _sums(row, name, amount * share[piece], amounts.shape)
        total = _sums(row, name, amount, amounts.shape)
        vote = np.where(total.any(axis=1), total.argmax(axis=1), -1)
        detector_votes.append(pl.lit(f"{answer.detector}=" + _by_index(vote, names)))
    return pl.DataFrame(_best_two(amounts, names)).with_columns(
        pl.concat_str(detector_votes, separator=" ", ignore_nulls=True).replace("", None).alias("votes")
    )


def _sums(
    row: _Indices, name: _Indices, amount: NDArray[np.floating], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Sum the amounts of each row and name: shape (rows, names)."""
    rows, names = shape
    sums = np.bincount(row * names + name, amount, rows * names)
    return sums.astype(np.float64, copy=False).reshape(shape)


def _best_two(amounts: NDArray[np.float64], names: Sequence[str]) -> list[pl.Series]:
    """The names with the largest and the second largest amount of each row (overwrites `amounts`)."""
    rows = np.arange(len(amounts))
    minimum = amounts.sum(axis=1) * _MIN_SHARE
    first = amounts.argmax(axis=1)
    first = np.where(amounts[rows, first] > 0, first, -1)
    amounts[rows, first] = 0
    second = amounts.argmax(axis=1)
    second = np.where(amounts[rows, second] > minimum, second, -1)
    return [
        _by_index(first, names).fill_null("und").alias("detected"),
        _by_index(second, names).alias("runner_up"),
    ]


def _by_index(indices: _Indices, names: Sequence[str]) -> pl.Series:
    """The name at each index; null for -1."""
    return pl.Series([*names, None], dtype=pl.String).gather(indices % (len(names) + 1))
