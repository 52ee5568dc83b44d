"""Least probabilities at which a text is accepted, by detector, language and length. A helper of filters.

`detectors/thresholds.csv` is made by `glotmill calibrate`: for each detector, its version, language and
length, what all but a stated share of human texts reach.
"""

import csv
from functools import cache
from pathlib import Path

from glotmill.errors import RecipeError
from glotmill.filters.detectors import version

TABLE = Path(__file__).parent / "detectors" / "thresholds.csv"
LENGTHS = {
    "phrase": 0,
    "short": 30,
    "sentence": 60,
    "paragraph": 300,
}  # letters from which a text is of this length
USUAL = 0.3  # where the table has none
LEAST, MOST = 0.2, 0.9  # a threshold never lets everything through, nor asks for certainty


def threshold(detector: str, tag: str, letters: int) -> float:
    """Return the least probability of the group of `tag` at which a text of that many letters is accepted.

    That of the table, for the installed version of the detector; else one for all languages.
    """
    found = _table().get((family(detector), _version(detector), tag, length(letters)), USUAL)
    return clamped(found)


def clamped(score: float) -> float:
    """Return a threshold within what makes sense."""
    return min(max(score, LEAST), MOST)


def family(detector: str) -> str:
    """Return the name of a detector without the place of its model: its column in the table of languages."""
    return "fasttext" if detector.startswith("fasttext:") else detector


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
