"""The card of a dataset, README.md: made from its run and its files, never from a person's memory."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from glotmill.errors import UsageError
from glotmill.hub import footers
from glotmill.hub.card import front_matter, markdown, run_section
from glotmill.hub.card.validate import split, validate
from glotmill.languages import find as find_language
from glotmill.recipes.model import Recipe
from glotmill.report.facts import facts
from glotmill.report.model import RunFacts
from glotmill.runner.folder import Run

__all__ = ["card", "validate"]

_FILE = re.compile(rf"{footers.SPLIT}-([0-9a-f]{{12}})-\d+\.parquet")  # as publish names them
BEGIN = "<!-- glotmill:begin (everything up to glotmill:end is rewritten at each publish; write outside) -->"
END = "<!-- glotmill:end -->"

_OWN = re.compile(r"^<!-- glotmill:begin\b[^\n]*-->\n(.*?)^<!-- glotmill:end -->$", re.DOTALL | re.MULTILINE)
_RUN = re.compile(
    r"^<!-- glotmill:run ([\w.-]+)( toy)?((?: \w+=\d+)*) -->\n"
    r"((?:(?!<!-- glotmill:)[^\n]*\n)*)"  # a part whose end is lost takes no other with it
    r"^<!-- glotmill:run end -->$",
    re.MULTILINE,
)
_NAME = re.compile(r"## Run (.*)\n")
_ABOUT = re.compile(r"^- \*\*Recipe\*\*: (.*)$", re.MULTILINE)
_LONE = re.compile(r"^<!-- glotmill:[^\n]*-->\n?", re.MULTILINE)


@dataclass(frozen=True)
class CardPart:
    """What a card says of one run. The first line keeps what the rest of the card needs to know of it."""

    key: str
    text: str
    toy: bool  # made by a stand-in: nobody should train on it
    tokens: Mapping[str, int]  # language -> tokens, about; without those of which none were counted

    @property
    def name(self) -> str:
        """What the run is called, as Markdown; empty if its part does not begin as it did."""
        found = _NAME.match(self.text)
        return found[1] if found else ""

    @property
    def about(self) -> str:
        """The recipe and what it is about, as Markdown; empty if its part does not tell."""
        found = _ABOUT.search(self.text)
        return found[1] if found else ""

    def __str__(self) -> str:
        counts = "".join(f" {tag}={count}" for tag, count in sorted(self.tokens.items()))
        toy = " toy" if self.toy else ""
        return f"<!-- glotmill:run {self.key}{toy}{counts} -->\n{self.text}\n<!-- glotmill:run end -->"


def taken_apart(body: str) -> tuple[str, dict[str, CardPart], str]:
    """Return what people wrote before our part, what it says of each run, and what they wrote after."""
    parts = _OWN.split(body)
    runs = {}
    for found in (found for part in parts[1::2] for found in _RUN.finditer(part)):
        counts = dict(pair.split("=") for pair in found[3].split())
        tokens = {tag: int(count) for tag, count in counts.items()}
        runs[found[1]] = CardPart(found[1], found[4].strip("\n"), bool(found[2]), tokens)
    theirs = [_LONE.sub("", part).strip() for part in parts[::2]]
    return theirs[0], runs, "\n\n".join(part for part in theirs[1:] if part)


def card(
    run: Run,
    *,
    repo: str = "",
    license: str | None = None,
    existing: str | None = None,
    files: Sequence[footers.Footer] = (),
    key: str | None = None,
) -> str:
    """Return README.md of a dataset that a run is published to. The same run makes the same bytes.

    repo: org/name, for the lines that load it. license: a word of the Hub such as cc-by-4.0, or NAME=LINK;
    none: the one of the card that is there, else it is said that there is none. existing: the card that is
    there. What people wrote outside of our markers is kept, and so are the keys of the front matter that are
    not ours; what is said of other runs stays as long as the dataset has their files. files: the footers of
    all files of the dataset, those of earlier runs too; none: the run's own. key: what its
    dataset calls the run; none: it is found by its files.
    Raises UsageError: no run, no rows, a front matter or a licence that cannot be read; ValueError: files
    that differ in their columns.
    """
    info = run.info()
    recipe = Recipe.model_validate(info["recipe"])
    own = _local(run)
    files = sorted(files or own, key=lambda file: file.path)
    if not files:
        raise UsageError(f"{run.folder}: has no rows; a card is about rows")
    front, body = split(existing or "")
    before, runs, after = taken_apart(body)
    values, written = front_matter.front_matter(recipe, info, files, license, front)
    told = facts(run)
    key, folder = (key, f"runs/{key}") if key else _key(run, own, files)
    section = run_section.section(run, recipe, told, repo, folder)
    runs[key] = CardPart(key, section, bool(run_section.toy(info)), run_section.tokens(told))
    own_part = _whole(told, files, runs, key, {**values, "repo": repo})
    text = "\n\n".join(part for part in (before, own_part, after) if part)
    return f"---\n{written}---\n\n{text}\n"


def _local(run: Run) -> list[footers.Footer]:
    files = sorted(run.folder.glob("dataset/*/*.parquet"))
    return [footers.read(f"data/{f.parent.name}/{f.name}", f, f.stat().st_size) for f in files]


def _key(run: Run, own: Sequence[footers.Footer], files: Sequence[footers.Footer]) -> tuple[str, str]:
    """What the run is called in its dataset, and the folder there that tells of it; else its own hash."""
    there: dict[str, list[tuple[Any, ...]]] = {}
    for file in files:
        there.setdefault(_run_of(file), []).append(_like(file))
    for key, likes in there.items():
        if key and sorted(likes) == sorted(map(_like, own)):
            return key, f"runs/{key}"
    return sha256(json.dumps(run.info(), sort_keys=True).encode()).hexdigest()[:12], ""


def _like(file: footers.Footer) -> tuple[str, int, int, int]:
    """All that a footer tells of a file, but for its name."""
    return file.language, file.rows, file.size, file.memory


def _run_of(file: footers.Footer) -> str:
    found = _FILE.fullmatch(file.path.rpartition("/")[2])
    return found[1] if found else ""


def _whole(
    told: RunFacts,
    files: Sequence[footers.Footer],
    runs: Mapping[str, CardPart],
    key: str,
    front: Mapping[str, Any],
) -> str:
    """Return our part of a card, with its markers. key: of the run whose files do not tell."""
    made = {tag: {_run_of(f) or key for f in files if f.language == tag} for tag in footers.rows(files)}
    there = set().union(*made.values())
    parts = [part for part in runs.values() if part.key in there]
    values = {
        "begin": markdown.Safe(BEGIN),
        "end": markdown.Safe(END),
        "title": front.get("pretty_name") or (front["repo"] or told.folder).rpartition("/")[2],
        "runs": len(there),
        "parts": parts,
        "rows_of": {of: sum(f.rows for f in files if (_run_of(f) or key) == of) for of in there},
        "lost": len(there) - len(parts),
        "toys": sum(part.toy for part in parts),
        **_languages(files, runs, made),
        "model": told.model.model,
        "about": told.recipe.about,
        "judged": bool(told.filters),
        "repo": front["repo"] or "ORG/NAME",
        "columns": footers.merged(files),
        "describe_dtype": footers.describe_dtype,
        "license": front,
    }
    return markdown.render("card.j2", values)


def _languages(
    files: Sequence[footers.Footer],
    runs: Mapping[str, CardPart],
    made: Mapping[str, set[str]],
) -> dict[str, Any]:
    """The table of languages. Tokens are told where every run that made rows of a language counted them."""
    rows = footers.rows(files)
    table: list[dict[str, Any]] = []
    for tag in sorted(rows.keys() - {footers.ALL}):
        counts = [runs[of].tokens.get(tag) if of in runs else None for of in made[tag]]
        tokens = _sum(counts)
        found = find_language(tag)
        table.append(
            {"name": found.name, "endonym": found.endonym, "tag": tag, "rows": rows[tag], "tokens": tokens}
        )
    return {
        "rows": rows[footers.ALL],
        "languages": table,
        "tokens": _sum([of["tokens"] for of in table]),
        "many": len(table) > markdown.FEW,
    }


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
