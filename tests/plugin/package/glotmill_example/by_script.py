"""A detector that goes by the letters: Greek or Georgian, and nothing else."""

from collections.abc import Sequence

import numpy as np

from glotmill.filters.detectors import Scores

LABELS = ("ell_Grek", "kat_Geor")
FIRST_LETTERS = ("α", "ა")
PACKAGES = ()  # distributions whose versions change the verdicts


def by_script(texts: Sequence[str]) -> Scores:
    """Return the share of Greek and Georgian letters in each text.

    texts: n strings -> probabilities: float32 of shape (n, 2), one column per label
    """
    probabilities = np.zeros((len(texts), len(LABELS)), np.float32)
    for row, text in enumerate(texts):
        letters = [letter for letter in text.lower() if letter.isalpha()]
        for column, first in enumerate(FIRST_LETTERS):
            block = range(ord(first) - 32, ord(first) + 64)
            if letters:
                probabilities[row, column] = sum(ord(x) in block for x in letters) / len(letters)
    return Scores(LABELS, probabilities)
