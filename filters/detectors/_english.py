"""English inside pieces that a detector accepted as another language."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from glotmill.filters.detectors import labels_of
from glotmill.filters.detectors._cascade import ENGLISH, Findings, Pieces, ask, columns

_TRACE = 0.02  # probability of English from which an accepted piece is looked at in parts
_MIN_LETTERS = 50  # of such a piece: two parts
_PART_LETTERS = 25


def english_shares(
    detectors: Sequence[str],
    pieces: Pieces,
    tags: Sequence[str],
    findings: Findings,
    min_score: float | str | None,
) -> NDArray[np.float64]:
    """Return the share of each accepted piece that is English, such as a headline without a full stop that
    runs on into the next sentence.

    Pieces of 50 letters and more in which a detector saw a trace of English are cut between words into parts
    of some 25 letters, and the detectors are asked about each part.
    """
    shares = np.zeros(len(pieces.texts))
    traced = _traced(pieces, tags, findings)
    suspects = np.flatnonzero(findings.accepted & (pieces.letters >= _MIN_LETTERS) & traced)
    part_lists = [_split(pieces.texts[piece]) for piece in suspects.tolist()]
    if not part_lists:
        return shares
    piece = np.repeat(suspects, [len(parts) for parts in part_lists])
    texts = [part for parts in part_lists for part in parts]
    letters = np.fromiter(map(_count_letters, texts), np.intp, len(texts))
    parts = Pieces(texts, letters, letters, pieces.row[piece], pieces.language[piece])
    english = ask(detectors, parts, tags, min_score).english
    total = np.bincount(piece, letters, len(shares))
    in_english = np.bincount(piece, letters * english, len(shares))
    return np.divide(in_english, total, out=shares, where=total > 0)


def _traced(pieces: Pieces, tags: Sequence[str], findings: Findings) -> NDArray[np.bool_]:
    """Return whether a detector saw English in a piece for which another language was requested."""
    traced = np.zeros(len(pieces.texts), bool)
    for answer in findings.answers:
        is_english = columns(answer.labels, labels_of(answer.detector, ENGLISH))
        traced[answer.pieces] |= answer.probabilities[:, is_english].sum(axis=1) >= _TRACE
    traced &= np.array([tag != ENGLISH for tag in tags], bool)[pieces.language]
    return traced


def _split(text: str) -> list[str]:
    """Split a text into parts of whole words with about as many letters each."""
    words = text.split()
    ends = np.cumsum([_count_letters(word) for word in words])
    number = max(1, int(ends[-1]) // _PART_LETTERS)
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, number) / number) + 1
    return [" ".join(words[a:b]) for a, b in pairwise([0, *cuts.tolist(), len(words)]) if a < b]


def _count_letters(text: str) -> int:
    return sum(map(str.isalpha, text))
