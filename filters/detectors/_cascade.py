"""The cascade: asks one detector after the other about pieces of text, until one accepts them.

A piece is accepted if the probability of the requested language's group (the languages that cannot be told
from it, such as Bosnian, Croatian and Serbian) reaches the detector's threshold. Pieces of all rows go to a
detector in one batch, equal ones once.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glotmill import languages
from glotmill.errors import RecipeError
from glotmill.filters.detectors import labels_of, load, tag_of
from glotmill.filters.detectors._thresholds import LENGTHS, threshold

ENGLISH = "eng_Latn"
_MIN_ENGLISH = 0.6  # mean probability, over the detectors that answered, of a piece that is called English
_CERTAIN = 0.8  # probability of another language that decides against detectors without that language


class Pieces(NamedTuple):
    """Pieces of text to check, one entry each; the pieces of a row are adjacent."""

    texts: list[str]
    letters: NDArray[np.intp]
    weight: NDArray[np.intp]  # letters; a letter of a dense script, such as Han, counts more than once
    row: NDArray[np.intp]  # number of the row
    language: NDArray[np.intp]  # number of the requested language


class Answer(NamedTuple):
    """The answer of one detector. n: pieces that it was asked about."""

    detector: str
    labels: tuple[str, ...]
    pieces: NDArray[np.intp]  # (n,): their numbers
    accepted: NDArray[np.bool_]  # (n,)
    probabilities: NDArray[np.float32]  # (n, labels)
    certain: NDArray[np.intp]  # (n,): the label outside the group that is certain; -1 if none is


class Findings(NamedTuple):
    """What all detectors found, an entry for each piece, and their answers."""

    accepted: NDArray[np.bool_]  # by one of them
    score: NDArray[np.float32]  # highest probability of the language's group
    other: NDArray[np.float32]  # highest probability of a language outside the group
    english: NDArray[np.bool_]  # not accepted, and in English
    answers: list[Answer]


def ask(
    detectors: Sequence[str], pieces: Pieces, tags: Sequence[str], min_score: float | str | None
) -> Findings:
    """Ask the detectors that know the requested language of each piece, in order.

    A piece goes to the next detector only if none has accepted it. Nor does it if an earlier detector is
    certain of a language that the next one does not know and could only mistake for another.

    tags: the requested languages, by number. min_score: one threshold for all, or a file of thresholds; None:
    each detector's own thresholds.
    """
    number = len(pieces.texts)
    accepted = np.zeros(number, bool)
    score, other, english, answered = np.zeros((4, number), np.float32)
    answers: list[Answer] = []
    for detector in detectors:
        covered = np.array([bool(group(detector, tag)) for tag in tags], bool)
        suitable = covered[pieces.language] | (english > _MIN_ENGLISH * answered)
        left = np.flatnonzero(~accepted & suitable & ~_outside(detector, answers, number))
        if not len(left):
            continue
        labels, probabilities = _probabilities(detector, [pieces.texts[piece] for piece in left.tolist()])
        language = pieces.language[left]
        in_group = np.array([columns(labels, group(detector, tag)) for tag in tags], np.float32)
        group_score = np.einsum("ij,ij->i", probabilities, in_group[language])
        if isinstance(min_score, float | int):
            accepted[left] = group_score >= min_score
        else:
            limits = _thresholds(detector, language, pieces.letters[left], tags, min_score or "")
            accepted[left] = group_score >= limits
        score[left] = np.maximum(score[left], group_score)
        outside = probabilities * (1 - in_group[language])
        certain = outside.argmax(axis=1)
        highest = outside[np.arange(len(left)), certain]
        other[left] = np.maximum(other[left], highest)
        english[left] += probabilities[:, columns(labels, labels_of(detector, ENGLISH))].sum(axis=1)
        answered[left] += probabilities.any(axis=1)
        certain[highest < _CERTAIN] = -1
        answers.append(Answer(detector, labels, left, accepted[left], probabilities, certain))
    is_english = ~accepted & (english > _MIN_ENGLISH * answered)
    return Findings(accepted, np.minimum(score, 1), other, is_english, answers)


def columns(labels: Sequence[str], members: Collection[str]) -> NDArray[np.bool_]:
    """Return which labels are among the members."""
    return np.fromiter((label in members for label in labels), bool, len(labels))


def _outside(detector: str, answers: Sequence[Answer], number: int) -> NDArray[np.bool_]:
    """Return which pieces are certainly in a language that the detector does not know."""
    outside = np.zeros(number, bool)
    for answer in answers:
        lacks = [_lacks(detector, tag_of(answer.detector, label)) for label in answer.labels]
        outside[answer.pieces] |= np.array([*lacks, False], bool)[answer.certain]
    return outside


@cache
def _lacks(detector: str, tag: str) -> bool:
    """Return whether the detector does not know a language of the table."""
    try:
        return not labels_of(detector, tag)
    except RecipeError:
        return False


def in_other_member(detectors: Sequence[str], texts: Sequence[str], tags: Sequence[str]) -> NDArray[np.bool_]:
    """Return whether each text is more likely in another language of its language's group.

    tags: the requested language of each text. The first detector that tells it from the others decides.
    """
    other = np.zeros(len(texts), bool)
    for tag in set(tags):
        detector = next((name for name in detectors if _rival_labels(name, tag)), None)
        if detector is None:
            continue
        numbers = [number for number, text_tag in enumerate(tags) if text_tag == tag]
        labels, probabilities = _probabilities(detector, [texts[number] for number in numbers])
        score = probabilities[:, columns(labels, labels_of(detector, tag))].sum(axis=1)
        other[numbers] = score < probabilities[:, columns(labels, _rival_labels(detector, tag))].max(axis=1)
    return other


def _rival_labels(detector: str, tag: str) -> list[str]:
    """Return the labels of the other languages of a group in the same script, but for the language's own."""
    labels = set(labels_of(detector, tag)) if tag else set()
    if not labels:
        return []
    members = [languages.find(member) for member in sorted(languages.confusable(tag))]
    rivals = [member.tag for member in members if member.script == languages.find(tag).script]
    return [label for rival in rivals for label in labels_of(detector, rival) if label not in labels]


@cache
def group(detector: str, tag: str) -> tuple[str, ...]:
    """Return the detector's labels for a language and those it cannot be told from; none if it does not know
    the language itself."""
    if not tag or not labels_of(detector, tag):
        return ()
    members = sorted(languages.confusable(tag))
    return tuple(dict.fromkeys(label for member in members for label in labels_of(detector, member)))


def _probabilities(detector: str, texts: list[str]) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Call the detector; equal texts are passed once."""
    first: dict[str, int] = {}
    numbers = [first.setdefault(text, len(first)) for text in texts]
    labels, probabilities = load(detector)(list(first))
    return labels, probabilities if len(first) == len(texts) else probabilities[numbers]


def _thresholds(
    detector: str, language: NDArray[np.intp], letters: NDArray[np.intp], tags: Sequence[str], table: str
) -> NDArray[np.float64]:
    """Return the threshold of each piece, by its language and its length class."""
    bounds = np.sort(list(LENGTHS.values()))
    size = bounds[np.searchsorted(bounds, letters, side="right") - 1]
    pairs, index = np.unique(np.stack((language, size)), axis=1, return_inverse=True)
    limits = [threshold(detector, tags[tag], count, table) for tag, count in pairs.T.tolist()]
    return np.array(limits)[index.ravel()]
