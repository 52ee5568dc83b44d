"""What detectors said of rows, as names of languages. A helper of filters."""

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters.cascade import Answer, Pieces
from glotmill.filters.detectors import labels_of, tag_of

_TRACE = 0.01  # of a row's letters; what less of it seems to be is no runner-up
_Numbers: TypeAlias = NDArray[np.intp]


def named(answer: Answer, pieces: Pieces, tags: Sequence[str], asked: _Numbers) -> pl.DataFrame:
    """Return which language each row is in, which next, and what each detector said of the pieces put to it.

    tags: the languages asked for, by number. asked: of each row, that number.
    -> detected: `und` if nothing was said; runner_up: null if there is none; votes: such as
       `pycld2=fra_Latn py3langid=oci_Latn`, null if nothing was said.
    """
    detectors = tuple(said.detector for said in answer.said)
    meant = {said.detector: [tag_of(said.detector, label) for label in said.labels] for said in answer.said}
    names = list(dict.fromkeys(name for found in meant.values() for name in found))
    column = {name: number for number, name in enumerate(names)}
    times = np.zeros(len(pieces.texts), np.float32)
    for said in answer.said:
        times[said.pieces] += 1
    sums, votes = np.zeros((len(asked), len(names) + 1), np.float32), []
    for said in answer.said:
        rows, begins = np.unique(pieces.row[said.pieces], return_index=True)
        size = pieces.letters[said.pieces].astype(np.float32)[:, None]
        decides = np.where(answer.accepted[said.pieces], said.accepted, 1 / times[said.pieces])[:, None]
        own = np.array([column[name] for name in meant[said.detector]], np.intp)
        whole = np.add.reduceat(said.probabilities * size, begins)
        part = np.add.reduceat(said.probabilities * (size * decides.astype(np.float32)), begins)
        for label in np.flatnonzero(part.any(axis=0)).tolist():
            sums[rows, own[label]] += part[:, label]
        top = np.full(len(asked), len(names))
        top[rows] = np.where(whole.any(axis=1), own[whole.argmax(axis=1)], len(names))
        votes.append(f"{said.detector}=" + _tags(top, names, tags, asked, (said.detector,)))
    first = sums.argmax(axis=1)
    least = sums.sum(axis=1) * _TRACE
    best = sums[np.arange(len(asked)), first]
    sums[np.arange(len(asked)), first] = 0
    second = sums.argmax(axis=1)
    nothing = len(names)
    first = np.where(best > 0, first, nothing)
    second = np.where(sums[np.arange(len(asked)), second] > least, second, nothing)
    none = pl.Series([None] * len(asked), dtype=pl.String)
    joined = pl.DataFrame(dict(zip(detectors, votes, strict=True)) or {"": none}).select(
        pl.concat_str(pl.all(), separator=" ", ignore_nulls=True).replace("", None).alias("votes")
    )
    return joined.select(
        pl.lit(_tags(first, names, tags, asked, detectors).fill_null("und")).alias("detected"),
        pl.lit(_tags(second, names, tags, asked, detectors)).alias("runner_up"),
        "votes",
    )


def _tags(
    top: _Numbers, names: Sequence[str], tags: Sequence[str], asked: _Numbers, detectors: tuple[str, ...]
) -> pl.Series:
    """Names by their numbers; null for the number behind the last."""
    pairs, of = np.unique(top * len(tags) + asked, return_inverse=True)
    found = [
        None
        if pair // len(tags) == len(names)
        else _same(names[pair // len(tags)], tags[pair % len(tags)], detectors)
        for pair in pairs.tolist()
    ]
    return pl.Series(found, dtype=pl.String).gather(of)


@cache
def _same(name: str, asked: str, detectors: tuple[str, ...]) -> str:
    """The language asked for, if a detector's label means it and the one of that name; else that name."""
    labels = ((detector, label) for detector in detectors if asked for label in labels_of(detector, asked))
    return asked if any(tag_of(detector, label) == name for detector, label in labels) else name
