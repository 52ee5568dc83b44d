"""The words that the Hugging Face Hub knows: licences, tasks, sizes.

`hub_names.csv` lists them as the Hub's documentation of dataset cards, licences and tasks did in 2026; what
is added there later is added here by hand.
"""

import csv
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

_TABLE = Path(__file__).with_name("hub_names.csv")


@cache
def words(kind: str) -> tuple[str, ...]:
    """Return the words of a kind, in the Hub's order: license, size, task, creator, multilinguality."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(row["word"] for row in csv.DictReader(file) if row["kind"] == kind)


def near(word: str, kind: str) -> str:
    """Return `; did you mean apache-2.0 or apple-amlr?`, or nothing."""
    found = get_close_matches(word.lower(), words(kind), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _task(word: str) -> str:
    if word not in words("task"):
        raise ValueError(f"the Hub has no such task{near(word, 'task')}; write one such as text-generation")
    return word


Task = Annotated[str, AfterValidator(_task)]
