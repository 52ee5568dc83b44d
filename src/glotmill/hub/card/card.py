"""Writes the card of a dataset, README.md, from its runs and its files."""

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
from glotmill.io.run_files import dataset_files
from glotmill.languages import find as find_language
from glotmill.report.facts import facts
from glotmill.report.run_facts import RunFacts
from glotmill.runner.run_folder import Run

__all__ = ["card", "validate"]

_FILE = re.compile(rf"{footers.SPLIT}-([0-9a-f]{{12}})-\d+\.parquet")  # as `glotmill publish` names them
BEGIN = "<!-- glotmill:begin (everything up to glotmill:end is rewritten at each publish; write outside) -->"
END = "<!-- glotmill:end -->"

_GENERATED = re.compile(
    r"^<!-- glotmill:begin\b[^\n]*-->\n(.*?)^<!-- glotmill:end -->$", re.DOTALL | re.MULTILINE
)
_RUN = re.compile(
    r"^<!-- glotmill:run ([\w.-]+)( toy)?((?: \w+=\d+)*) -->\n"
    r"((?:(?!<!-- glotmill:)[^\n]*\n)*)"  # a section without its end does not swallow the next
    r"^<!-- glotmill:run end -->$",
    re.MULTILINE,
)
_NAME = re.compile(r"## Run (.*)\n")
_ABOUT = re.compile(r"^- \*\*Recipe\*\*: (.*)$", re.MULTILINE)
_STRAY_MARKER = re.compile(r"^<!-- glotmill:[^\n]*-->\n?", re.MULTILINE)


@dataclass(frozen=True)
class CardPart:
    """The section of one run in a card. Its first line keeps what the rest of the card needs."""

    key: str
    text: str
    toy: bool  # made by echo or glotmill-nano: not for training
    tokens: Mapping[str, int]  # language -> approximate tokens, where the engine counted them

    @property
    def name(self) -> str:
        """The name of the run, as Markdown; empty if people changed the start of the section."""
        match = _NAME.match(self.text)
        return match[1] if match else ""

    @property
    def about(self) -> str:
        """The recipe and its description, as Markdown; empty if the section lacks them."""
        match = _ABOUT.search(self.text)
        return match[1] if match else ""

    def __str__(self) -> str:
        counts = "".join(f" {tag}={count}" for tag, count in sorted(self.tokens.items()))
        toy = " toy" if self.toy else ""
        return f"<!-- glotmill:run {self.key}{toy}{counts} -->\n{self.text}\n<!-- glotmill:run end -->"


def parse_card(body: str) -> tuple[str, dict[str, CardPart], str]:
    """Return the text before the generated part, the sections of runs, and the text after it."""
    parts = _GENERATED.split(body)
    runs = {}
    for match in (match for part in parts[1::2] for match in _RUN.finditer(part)):
        counts = dict(pair.split("=") for pair in match[3].split())
        tokens = {tag: int(count) for tag, count in counts.items()}
        runs[match[1]] = CardPart(match[1], match[4].strip("\n"), bool(match[2]), tokens)
    outside = [_STRAY_MARKER.sub("", part).strip() for part in parts[::2]]
    return outside[0], runs, "\n\n".join(part for part in outside[1:] if part)


def card(
    run: Run,
    *,
    repo: str = "",
    license: str | None = None,
    existing: str | None = None,
    files: Sequence[footers.Footer] = (),
    key: str | None = None,
) -> str:
    """Return the README.md of the dataset that a run is published to. The same run gives the same bytes.

    repo: org/name, for the lines that load the dataset. license: an id of the Hub such as cc-by-4.0, or
    NAME=LINK; None: the license of the existing card, else `unknown`. existing: the card on the Hub. Text
    outside the markers and front-matter keys that glotmill does not write are kept; sections of other runs
    stay while the dataset has their files. files: the footers of all files of the dataset, by default those
    of the run. key: the id of the run in the dataset, by default found by its files.
    Raises UsageError: no run, no rows, or a front matter or license that cannot be read; ValueError: files
    with different columns.
    """
    info = run.info()
    recipe = run.recipe()
    local_files = _local_footers(run)
    files = sorted(files or local_files, key=lambda file: file.path)
    if not files:
        raise UsageError(f"{run.folder}: has no rows, and a card describes rows")
    front, body = split(existing or "")
    before, runs, after = parse_card(body)
    values, front_text = front_matter.front_matter(recipe, info, files, license, front)
    run_facts = facts(run)
    key, folder = (key, f"runs/{key}") if key else _find_key(run, local_files, files)
    section = run_section.section(run, recipe, run_facts, repo, folder)
    runs[key] = CardPart(key, section, bool(run_section.toy(info)), run_section.tokens(run_facts))
    generated = _render(run_facts, files, runs, key, {**values, "repo": repo})
    text = "\n\n".join(part for part in (before, generated, after) if part)
    return f"---\n{front_text}---\n\n{text}\n"


def _local_footers(run: Run) -> list[footers.Footer]:
    files = dataset_files(run.folder)
    return [footers.read(f"data/{f.parent.name}/{f.name}", f, f.stat().st_size) for f in files]


def _find_key(
    run: Run, local_files: Sequence[footers.Footer], files: Sequence[footers.Footer]
) -> tuple[str, str]:
    """Return the id of the run in the dataset and its folder there; if it is new, a hash and no folder."""
    known_runs: dict[str, list[tuple[Any, ...]]] = {}
    for file in files:
        known_runs.setdefault(_run_id(file), []).append(_signature(file))
    for key, signatures in known_runs.items():
        if key and sorted(signatures) == sorted(map(_signature, local_files)):
            return key, f"runs/{key}"
    return sha256(json.dumps(run.info(), sort_keys=True).encode()).hexdigest()[:12], ""


def _signature(file: footers.Footer) -> tuple[str, int, int, int]:
    """Return what identifies a file apart from its name."""
    return file.language, file.rows, file.size, file.memory


def _run_id(file: footers.Footer) -> str:
    match = _FILE.fullmatch(file.path.rpartition("/")[2])
    return match[1] if match else ""


def _render(
    run_facts: RunFacts,
    files: Sequence[footers.Footer],
    runs: Mapping[str, CardPart],
    key: str,
    front: Mapping[str, Any],
) -> str:
    """Return the generated part of a card, with its markers. key: of the run, for files without an id."""
    runs_by_language = {
        tag: {_run_id(f) or key for f in files if f.language == tag} for tag in footers.rows(files)
    }
    known_runs = set().union(*runs_by_language.values())
    parts = [part for part in runs.values() if part.key in known_runs]
    values = {
        "begin": markdown.Safe(BEGIN),
        "end": markdown.Safe(END),
        "title": front.get("pretty_name") or (front["repo"] or run_facts.folder).rpartition("/")[2],
        "runs": len(known_runs),
        "parts": parts,
        "rows_of": {
            run_id: sum(f.rows for f in files if (_run_id(f) or key) == run_id) for run_id in known_runs
        },
        "lost": len(known_runs) - len(parts),
        "toys": sum(part.toy for part in parts),
        **_languages(files, runs, runs_by_language),
        "model": run_facts.model.model,
        "about": run_facts.recipe.about,
        "judged": bool(run_facts.filters),
        "repo": front["repo"] or "ORG/NAME",
        "columns": footers.merged(files),
        "describe_dtype": footers.describe_dtype,
        "license": front,
    }
    return markdown.render("card.j2", values)


def _languages(
    files: Sequence[footers.Footer],
    runs: Mapping[str, CardPart],
    runs_by_language: Mapping[str, set[str]],
) -> dict[str, Any]:
    """Return the table of languages; tokens only where every run of a language counted them."""
    rows = footers.rows(files)
    table: list[dict[str, Any]] = []
    for tag in sorted(rows.keys() - {footers.ALL}):
        counts = [
            runs[run_id].tokens.get(tag) if run_id in runs else None for run_id in runs_by_language[tag]
        ]
        tokens = _sum(counts)
        language = find_language(tag)
        table.append(
            {
                "name": language.name,
                "endonym": language.endonym,
                "tag": tag,
                "rows": rows[tag],
                "tokens": tokens,
            }
        )
    return {
        "rows": rows[footers.ALL],
        "languages": table,
        "tokens": _sum([run_id["tokens"] for run_id in table]),
        "many": len(table) > markdown.FEW,
    }


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
