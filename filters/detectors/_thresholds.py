"""Thresholds: the least probability at which a text is accepted, by detector, language and length.

`glotmill calibrate` makes thresholds.csv: for each detector, its version, a language and a length of text,
the probability that all but a stated share of human texts reach.
"""

import csv
from functools import cache
from pathlib import Path

from glotmill.errors import RecipeError
from glotmill.filters.detectors import version

TABLE = Path(__file__).with_name("thresholds.csv")
LENGTHS = {"phrase": 0, "short": 30, "sentence": 60, "paragraph": 300}  # letters from which a text is one
DEFAULT = 0.3  # where the table has none
LOWEST, HIGHEST = 0.2, 0.9  # a threshold neither accepts everything nor demands certainty


def threshold(detector: str, tag: str, letters: int, table: str = "") -> float:
    """Return the least probability of a language's group at which a text of that many letters is accepted.

    It comes from the table, for the installed version of the detector; DEFAULT if there is no row.
    table: a file made by `glotmill calibrate`, in place of the built-in one. Raises RecipeError.
    """
    key = (family(detector), _version(detector), tag, length(letters))
    return clamped(_table(table).get(key, DEFAULT))


def clamped(score: float) -> float:
    """Return a threshold within the sensible range."""
    return min(max(score, LOWEST), HIGHEST)


def family(detector: str) -> str:
    """Return the name of a detector without the path of its model: its column in the table of languages."""
    return "fasttext" if detector.startswith("fasttext:") else detector


def length(letters: int) -> str:
    """Return the length class of a text with so many letters."""
    return [name for name, minimum in LENGTHS.items() if letters >= minimum][-1]


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
            f"min_score: {path} is not a table of thresholds; make one with `glotmill calibrate -o {path}`"
        ) from None


@cache
def _version(detector: str) -> str:
    try:
        return version(detector)
    except RecipeError:  # not installed
        return ""
