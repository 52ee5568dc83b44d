"""Names that the Hugging Face Hub accepts: dataset ids and paths, licences, tasks, sizes.

`hub_names.csv` lists them as the Hub's documentation of dataset cards, licences and tasks did in 2026; what
is added there later is added here by hand.
"""

import csv
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

_TABLE = Path(__file__).with_name("hub_names.csv")

_ID = re.compile(r"\b[\w.-]{1,96}\b/\b[\w.-]{1,96}\b", re.ASCII)
_PATH = re.compile(
    r"(?P<id>[^/@]+/[^/@]+)(@(?P<revision>refs/(convert|pr)/[\w.-]+|[\w.%-]+))?(/(?P<config>.+))?", re.ASCII
)


@dataclass(frozen=True)
class HubPath:
    """A dataset or model of the Hub."""

    id: str  # owner/name
    revision: str | None = None  # branch, tag or commit
    config: str | None = None  # a subset of a dataset

    def __str__(self) -> str:
        revision = f"@{self.revision.replace('/', '%2F')}" if self.revision else ""
        config = f"/{self.config}" if self.config else ""
        return f"hf://{self.id}{revision}{config}" if revision or config else self.id


def is_hub_id(text: str) -> bool:
    """Return whether a text is `owner/name` as the Hub allows it."""
    forbidden = "--" in text or ".." in text or text.endswith((".git", ".ipynb"))
    return bool(_ID.fullmatch(text)) and not forbidden


def parse_hub_path(text: str) -> HubPath | None:
    """Read `owner/name[@revision][/config]`, also after `hf://` or `hf://datasets/`; None for other texts.

    As in huggingface_hub, a slash in a revision is written `%2F`, except in refs such as `refs/pr/1`.
    """
    match = _PATH.fullmatch(text.removeprefix("hf://").removeprefix("datasets/"))
    if match is None or not is_hub_id(match["id"]):
        return None
    revision = match["revision"]
    return HubPath(match["id"], revision and revision.replace("%2F", "/"), match["config"])


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
