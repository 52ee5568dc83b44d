"""English within pieces that a detector took for another language. A helper of filters."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from glotmill.filters.detectors import labels_of
from glotmill.filters.detectors._cascade import ENGLISH, Answer, Pieces, ask, columns

_TRACE = 0.02  # probability of English from which an accepted piece is looked at more closely
_LEAST = 50  # letters of such a piece: two parts
_PART = 25  # letters


def english_parts(
    detectors: Sequence[str],
    pieces: Pieces,
    tags: Sequence[str],
    answer: Answer,
    min_score: float | str | None,
) -> NDArray[np.float64]:
    """Return which share of each accepted piece is English, such as a headline without a full stop that runs
    on into the next sentence.

    Pieces of 50 letters and more in which a detector saw a trace of English are cut after words into parts of
    some 25 letters, and these put to the detectors.
    """
    share = np.zeros(len(pieces.texts))
    some = np.flatnonzero(answer.accepted & (pieces.letters >= _LEAST) & _traced(pieces, tags, answer))
    cut = [_parts(pieces.texts[piece]) for piece in some.tolist()]
    if not cut:
        return share
    of = np.repeat(some, [len(parts) for parts in cut])
    parts = [part for each in cut for part in each]
    letters = np.fromiter(map(_letters, parts), np.intp, len(parts))
    put = Pieces(parts, letters, letters, pieces.row[of], pieces.asked[of])
    english = ask(detectors, put, tags, min_score).english
    total = np.bincount(of, letters, len(share))
    return np.divide(np.bincount(of, letters * english, len(share)), total, out=share, where=total > 0)


def _traced(pieces: Pieces, tags: Sequence[str], answer: Answer) -> NDArray[np.bool_]:
    """Whether a detector saw English in a piece of a row in another language."""
    found = np.zeros(len(pieces.texts), bool)
    for said in answer.said:
        chance = said.probabilities[:, columns(said.labels, labels_of(said.detector, ENGLISH))].sum(axis=1)
        found[said.pieces] |= chance >= _TRACE
    found &= np.array([tag != ENGLISH for tag in tags], bool)[pieces.asked]
    return found


def _parts(text: str) -> list[str]:
    """A text in parts of whole words, alike in letters."""
    words = text.split()
    ends = np.cumsum([_letters(word) for word in words])
    number = max(1, int(ends[-1]) // _PART)
    at = np.searchsorted(ends, ends[-1] * np.arange(1, number) / number) + 1
    return [" ".join(words[a:b]) for a, b in pairwise([0, *at.tolist(), len(words)]) if a < b]


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
