"""CLD2: 160 languages, many of them rare elsewhere; the fastest. Written in C, so installed as an extra."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from glotmill.filters.detectors import Scores
from glotmill.filters.detectors._plain import plain

PACKAGES = ("pycld2",)
MODULE, INSTALL = "pycld2", "glotmill[cld2]"
MAX_CHARS = 10_000  # of a text that are read; more costs time and tells nothing new


def pycld2(texts: Sequence[str]) -> Scores:
    """Return probabilities derived from the shares that CLD2 reports; a row of zeros where it reports none.

    CLD2 divides a text among languages; the probability is the square of a language's share, half of that if
    CLD2 calls its result unreliable, and a quarter if it only guesses. A guess of English does not count:
    CLD2 guesses it for any Latin letters.
    """
    labels, column = _labels()
    probabilities = np.zeros((len(texts), len(labels)), np.float32)
    for row, text in enumerate(texts):
        line = plain(text, MAX_CHARS)
        for code, probability in _detect(line) or _guess(line):
            if code in column:
                probabilities[row, column[code]] = probability
    return Scores(labels, probabilities)


def _detect(line: str) -> list[tuple[str, float]]:
    import pycld2

    try:
        reliable, _, details = pycld2.detect(line, isPlainText=True)
    except pycld2.error:  # a code point that it does not accept
        return []
    factor = 1.0 if reliable else 0.5
    return [(code, factor * (share / 100) ** 2) for _, code, share, _ in details if share]


def _guess(line: str) -> list[tuple[str, float]]:
    import pycld2

    try:
        _, _, details = pycld2.detect(line, isPlainText=True, bestEffort=True)
    except pycld2.error:
        return []
    return [(code, 0.25 * (share / 100) ** 2) for _, code, share, _ in details if code != "en"]


@cache
def _labels() -> tuple[tuple[str, ...], dict[str, int]]:
    import pycld2

    codes = dict(pycld2.LANGUAGES)
    labels = tuple(dict.fromkeys(codes[name] for name in pycld2.DETECTED_LANGUAGES if name in codes))
    return labels, {label: number for number, label in enumerate(labels)}
