"""Least probabilities at which a text is accepted, by detector, language and length. A helper of filters.

`detectors/thresholds.csv` is made by `glotmill calibrate`: for each detector, its version, language and
length, the probability of the language's group that all but a stated share of human texts reach.
"""

import csv
from functools import cache
from pathlib import Path

from glotmill.errors import RecipeError
from glotmill.filters.detectors import version

LENGTHS = {"short": 0, "sentence": 60, "paragraph": 300}  # letters from which a text is of this length
LEAST, MOST = 0.02, 0.9  # a threshold lets never everything through, nor asks for certainty
FALLBACK = {"py3langid": 0.3, "pycld2": 0.4}
USUAL = 0.3  # of a detector not named above
TABLE = Path(__file__).parent / "detectors" / "thresholds.csv"


def threshold(detector: str, tag: str, letters: int) -> float:
    """Return the least probability of the group of `tag` at which a text of that many letters is accepted.

    That of the table, for the installed version of the detector; else one for all languages.
    """
    family = detector.partition(":")[0] if detector.startswith("fasttext:") else detector
    found = _table().get((family, _version(detector), tag, length(letters)))
    return FALLBACK.get(family, USUAL) if found is None else min(max(found, LEAST), MOST)


def length(letters: int) -> str:
    """Return the name of the length of a text with so many letters."""
    return [name for name, least in LENGTHS.items() if letters >= least][-1]


@cache
def _table() -> dict[tuple[str, str, str, str], float]:
    if not TABLE.is_file():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            (row["detector"], row["version"], row["language"], row["length"]): float(row["min_score"])
            for row in csv.DictReader(file)
        }


@cache
def _version(detector: str) -> str:
    try:
        return version(detector)
    except RecipeError:  # not installed
        return ""
