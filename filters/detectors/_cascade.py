"""Pieces of text put to language detectors, one detector after the other. A helper of filters."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glotmill import languages
from glotmill.errors import RecipeError
from glotmill.filters.detectors import labels_of, load, tag_of
from glotmill.filters.detectors._thresholds import LENGTHS, threshold

ENGLISH = "eng_Latn"
_SURE = 0.6  # mean probability, over the detectors asked, of what is called English
_CERTAIN = 0.8  # probability of another language, after which no detector that lacks that one is asked


class Pieces(NamedTuple):
    """Texts to be judged, an entry each, those of a row together."""

    texts: list[str]
    letters: NDArray[np.intp]
    weight: NDArray[np.intp]  # letters, of dense scripts more
    row: NDArray[np.intp]
    asked: NDArray[np.intp]  # the number of the language asked for


class Answer(NamedTuple):
    """What the detectors said of each piece."""

    accepted: NDArray[np.bool_]  # by one of them
    score: NDArray[np.float32]  # the probability of the language's group: the highest that one gave
    other: NDArray[np.float32]  # the probability of a language outside the group: the highest that one gave
    english: NDArray[np.bool_]  # not accepted, and English by one of them
    said: list["Said"]


class Said(NamedTuple):
    """What one detector said of the pieces put to it."""

    detector: str
    labels: tuple[str, ...]
    pieces: NDArray[np.intp]
    accepted: NDArray[np.bool_]
    probabilities: NDArray[np.float32]  # a row a piece, a column a label
    strange: NDArray[np.intp]  # the label outside the group of which it is certain; -1: none


def ask(
    detectors: Sequence[str], pieces: Pieces, tags: Sequence[str], min_score: float | str | None
) -> Answer:
    """Put pieces to the detectors that know the language asked for; to the next only what is not yet
    accepted, nor certainly in a language that the next does not know: it could but take that for another.

    tags: the languages asked for, by number. min_score: instead of each detector's own thresholds, or a file
    that holds others.
    """
    number = len(pieces.texts)
    accepted = np.zeros(number, bool)
    score, other, english, heard = np.zeros((4, number), np.float32)
    said: list[Said] = []
    for detector in detectors:
        known = np.array([bool(group(detector, tag)) for tag in tags], bool)
        wanted = known[pieces.asked] | (english > _SURE * heard)
        left = np.flatnonzero(~accepted & wanted & ~_beyond(detector, said, number))
        if not len(left):
            continue
        labels, found = _scores(detector, [pieces.texts[piece] for piece in left.tolist()])
        asked = pieces.asked[left]
        ours = np.array([columns(labels, group(detector, tag)) for tag in tags], np.float32)
        chance = np.einsum("ij,ij->i", found, ours[asked])
        table = min_score if isinstance(min_score, str) else ""
        own = table or min_score is None
        least = _thresholds(detector, asked, pieces.letters[left], tags, table) if own else min_score
        accepted[left] = chance >= least
        score[left] = np.maximum(score[left], chance)
        others = found * (1 - ours[asked])
        strange = others.argmax(axis=1)
        most = others[np.arange(len(left)), strange]
        other[left] = np.maximum(other[left], most)
        english[left] += found[:, columns(labels, labels_of(detector, ENGLISH))].sum(axis=1)
        heard[left] += found.any(axis=1)
        strange[most < _CERTAIN] = -1
        said.append(Said(detector, labels, left, accepted[left], found, strange))
    return Answer(accepted, np.minimum(score, 1), other, ~accepted & (english > _SURE * heard), said)


def columns(labels: Sequence[str], some: Sequence[str]) -> NDArray[np.bool_]:
    """Return which labels are among some."""
    return np.fromiter((label in some for label in labels), bool, len(labels))


def _beyond(detector: str, said: Sequence[Said], number: int) -> NDArray[np.bool_]:
    """Which pieces are certainly in a language that the detector does not know."""
    found = np.zeros(number, bool)
    for earlier in said:
        lacks = [_lacks(detector, tag_of(earlier.detector, label)) for label in earlier.labels]
        found[earlier.pieces] |= np.array([*lacks, False], bool)[earlier.strange]
    return found


@cache
def _lacks(detector: str, tag: str) -> bool:
    """Whether this is a language of ours that the detector does not know."""
    try:
        return not labels_of(detector, tag)
    except RecipeError:
        return False


def of_another(detectors: Sequence[str], texts: Sequence[str], tags: Sequence[str]) -> NDArray[np.bool_]:
    """Return whether each text is rather in another language of its language's group.

    tags: the language of each. Asked is the first detector with labels that tell it from others.
    """
    found = np.zeros(len(texts), bool)
    for tag in set(tags):
        detector = next((name for name in detectors if _rivals(name, tag)), None)
        if detector is None:
            continue
        of = [number for number, other in enumerate(tags) if other == tag]
        labels, chance = _scores(detector, [texts[number] for number in of])
        own = chance[:, columns(labels, labels_of(detector, tag))].sum(axis=1)
        found[of] = own < chance[:, columns(labels, _rivals(detector, tag))].max(axis=1)
    return found


def _rivals(detector: str, tag: str) -> list[str]:
    """The labels of the others of a language's group that are written as it is, but for its own labels."""
    own = set(labels_of(detector, tag)) if tag else set()
    members = [languages.find(member) for member in sorted(languages.confusable(tag))] if own else []
    written = [member.tag for member in members if member.script == languages.find(tag).script]
    return [label for member in written for label in labels_of(detector, member) if label not in own]


@cache
def group(detector: str, tag: str) -> tuple[str, ...]:
    """Return the detector's labels for a language and for those it cannot be told from; none if it does not
    know the language itself."""
    if not tag or not labels_of(detector, tag):
        return ()
    members = sorted(languages.confusable(tag))
    return tuple(dict.fromkeys(label for member in members for label in labels_of(detector, member)))


def _scores(detector: str, texts: list[str]) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """As the detector, but equal texts are put to it once."""
    place: dict[str, int] = {}
    of = [place.setdefault(text, len(place)) for text in texts]
    labels, found = load(detector)(list(place))
    return labels, found if len(place) == len(texts) else found[of]


def _thresholds(
    detector: str, asked: NDArray[np.intp], letters: NDArray[np.intp], tags: Sequence[str], table: str
) -> NDArray[np.float64]:
    bounds = np.sort(list(LENGTHS.values()))
    size = bounds[np.searchsorted(bounds, letters, side="right") - 1]
    pairs, of = np.unique(np.stack((asked, size)), axis=1, return_inverse=True)
    limits = [threshold(detector, tags[tag], count, table) for tag, count in pairs.T.tolist()]
    return np.array(limits)[of.ravel()]
