"""heliport: 220 languages, HeLI-OTS in Rust; 830 MB of memory. Under the GPL: install it yourself."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from glotmill.filters.detectors import Scores
from glotmill.filters.detectors._plain import plain

PACKAGES = ("heliport",)
MODULE, INSTALL = "heliport", "heliport"
MAX_CHARS = 3_000  # of a text that are read; more costs time and tells nothing new
_NEAREST = 10  # labels that share the probability; the others are far behind


def heliport(texts: Sequence[str]) -> Scores:
    """Return probabilities derived from heliport's scores; a row of zeros where it recognizes nothing.

    A score is the mean negative log10 of the words' probabilities. The probability of a label is proportional
    to 10 ** (-score * sqrt(words)), so a longer text is more certain.
    """
    identifier, labels, column = _identifier()
    probabilities = np.zeros((len(texts), len(labels)), np.float32)
    for row, text in enumerate(texts):
        line = plain(text, MAX_CHARS)
        nearest = identifier.identify_topk_with_score(line, _NEAREST)
        scores = np.array([score for _, score in nearest])
        if not scores.any():  # all labels are equally likely
            continue
        powers = 10 ** ((scores.min() - scores) * np.sqrt(len(line.split()) or 1))
        for (label, _), share in zip(nearest, powers / powers.sum(), strict=True):
            probabilities[row, column[label]] = share
    return Scores(labels, probabilities)


@cache
def _identifier() -> tuple[Any, tuple[str, ...], dict[str, int]]:
    import heliport

    identifier = heliport.Identifier()
    labels = tuple(sorted(identifier.get_confidence_all()))
    return identifier, labels, {label: number for number, label in enumerate(labels)}
