"""heliport: 220 languages, HeLI-OTS in Rust; 830 MB of memory. Its licence is the GPL, so it is no extra:
install it yourself."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from glotmill.filters.detectors import Scores
from glotmill.filters.detectors._plain import plain

PACKAGE, MODULE, INSTALL = "heliport", "heliport", "heliport"
MAX_CHARS = 3_000  # of a text; more tells no more and costs time
_NEAREST = 10  # labels that share the probability; the rest are far behind


def heliport(texts: Sequence[str]) -> Scores:
    """Return probabilities made of heliport's scores; a row of zeros where it finds nothing to go by.

    A score is a mean negative log10 of a word's probability. The powers of ten of score x root of words are
    shared out, so that a longer text is surer.
    """
    identifier, labels, column = _identifier()
    found = np.zeros((len(texts), len(labels)), np.float32)
    for row, text in enumerate(texts):
        line = plain(text, MAX_CHARS)
        nearest = identifier.identify_topk_with_score(line, _NEAREST)
        scores = np.array([score for _, score in nearest])
        if not scores.any():  # all alike
            continue
        powers = 10 ** ((scores.min() - scores) * np.sqrt(len(line.split()) or 1))
        for (label, _), share in zip(nearest, powers / powers.sum(), strict=True):
            found[row, column[label]] = share
    return Scores(labels, found)


@cache
def _identifier() -> tuple[Any, tuple[str, ...], dict[str, int]]:
    import heliport

    identifier = heliport.Identifier()
    labels = tuple(sorted(identifier.get_confidence_all()))
    return identifier, labels, {label: number for number, label in enumerate(labels)}
