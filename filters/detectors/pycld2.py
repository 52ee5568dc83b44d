"""CLD2: 160 languages, among them many that few others know; the fastest. In C, so an extra."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from glotmill.filters.detectors import Scores
from glotmill.filters.detectors._plain import plain

PACKAGE, MODULE, INSTALL = "pycld2", "pycld2", "glotmill[cld2]"
MAX_CHARS = 10_000  # of a text; more tells no more and costs time


def pycld2(texts: Sequence[str]) -> Scores:
    """Return probabilities made of the shares that CLD2 finds; a row of zeros where it finds nothing.

    The square of a language's share of the text, since CLD2 divides a text among languages; half of that
    where it calls its finding unreliable, and a quarter where it only guesses. A guess of English is none:
    CLD2 says it of any Latin letters.
    """
    labels, column = _labels()
    found = np.zeros((len(texts), len(labels)), np.float32)
    for row, text in enumerate(texts):
        line = plain(text, MAX_CHARS)
        for code, probability in _found(line) or _guessed(line):
            if code in column:
                found[row, column[code]] = probability
    return Scores(labels, found)


def _found(line: str) -> list[tuple[str, float]]:
    import pycld2

    try:
        reliable, _, details = pycld2.detect(line, isPlainText=True)
    except pycld2.error:  # a code point that it does not take
        return []
    sure = 1.0 if reliable else 0.5
    return [(code, sure * (share / 100) ** 2) for _, code, share, _ in details if share]


def _guessed(line: str) -> list[tuple[str, float]]:
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
