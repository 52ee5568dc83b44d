"""CLD2: 160 languages, among them many that few others know; the fastest. In C, so an extra."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from glotmill.filters.detectors import Scores
from glotmill.filters.detectors._plain import plain

PACKAGE, MODULE, INSTALL = "pycld2", "pycld2", "glotmill[cld2]"
MAX_CHARS = 10_000  # of a text; more tells no more and costs time


def pycld2(texts: Sequence[str]) -> Scores:
    """Return the share of each text that CLD2 finds in each of up to three languages.

    Half of it where CLD2 calls its finding unreliable; a row of zeros where it finds nothing.
    """
    import pycld2

    labels, column = _labels()
    found = np.zeros((len(texts), len(labels)), np.float32)
    for row, text in enumerate(texts):
        try:
            reliable, _, details = pycld2.detect(plain(text, MAX_CHARS), isPlainText=True)
        except pycld2.error:  # a code point that it does not take
            continue
        for _, code, percent, _ in details:
            if code in column:
                found[row, column[code]] = percent / 100 if reliable else percent / 200
    return Scores(labels, found)


@cache
def _labels() -> tuple[tuple[str, ...], dict[str, int]]:
    import pycld2

    codes = dict(pycld2.LANGUAGES)
    labels = tuple(dict.fromkeys(codes[name] for name in pycld2.DETECTED_LANGUAGES if name in codes))
    return labels, {label: number for number, label in enumerate(labels)}
