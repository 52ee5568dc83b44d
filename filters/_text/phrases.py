"""Reads the tables of words and phrases, and joins them into patterns."""

import csv
import unicodedata
from collections.abc import Iterable
from pathlib import Path

ASSISTANT_PHRASES = Path(__file__).with_name(
    "assistant_phrases.csv"
)  # what assistants say about their replies

# Signs that keyboards and models write for the apostrophe of the tables.
APOSTROPHES = r"[\u{2018}\u{2019}\u{02BC}\u{02BB}\u{FF07}`´]"


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, a dict for each, in Unicode's composed form (NFC)."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(unicodedata.normalize("NFC", line) for line in file))


def alternatives(patterns: Iterable[str]) -> str:
    """Return a regular expression that matches where one of the patterns does."""
    return "|".join(f"(?:{pattern})" for pattern in patterns)
