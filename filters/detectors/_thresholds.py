"""Least probabilities at which a text is accepted, by detector, language and length. A helper of filters.

`detectors/thresholds.csv` is made by `glotmill calibrate`: for each detector, its version, language and
length, what all but a stated share of human texts reach.
"""

import csv
from functools import cache
from pathlib import Path

from glotmill.errors import RecipeError
from glotmill.filters.detectors import version

TABLE = Path(__file__).with_name("thresholds.csv")
LENGTHS = {
    "phrase": 0,
    "short": 30,
    "sentence": 60,
    "paragraph": 300,
}  # letters from which a text is of this length
USUAL = 0.3  # where the table has none
LEAST, MOST = 0.2, 0.9  # a threshold never lets everything through, nor asks for certainty


def threshold(detector: str, tag: str, letters: int, table: str = "") -> float:
    """Return the least probability of the group of `tag` at which a text of that many letters is accepted.

    That of the table, for the installed version of the detector; else one for all languages.
    table: a file that `glotmill calibrate` made, instead of the table that ships. Raises RecipeError.
    """
    found = _table(table).get((family(detector), _version(detector), tag, length(letters)), USUAL)
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
def _table(name: str) -> dict[tuple[str, str, str, str], float]:
    path = Path(name) if name else TABLE
    if not name and not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                (row["detector"], row["version"], row["language"], row["length"]): float(row["min_score"])
                for row in csv.DictReader(file)
            }
    except FileNotFoundError:
        raise RecipeError(f"min_score: no file {path}; `glotmill calibrate -o {path}` makes one") from None
    except (OSError, KeyError, ValueError, TypeError, csv.Error):
        raise RecipeError(
            f"min_score: {path} is no table of thresholds as `glotmill calibrate` makes"
        ) from None


@cache
def _version(detector: str) -> str:
    try:
        return version(detector)
    except RecipeError:  # not installed
        return ""
