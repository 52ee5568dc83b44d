"""The card of a dataset, README.md: made from its run and its files, never from a person's memory."""

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from glotmill.cards import card_front, card_rules, card_run, card_text, footers
from glotmill.cards.card_rules import validate
from glotmill.errors import UsageError
from glotmill.languages import find as find_language
from glotmill.recipe import Recipe
from glotmill.reports.facts import facts
from glotmill.steps import Generate, Transform
from glotmill.store import Run

__all__ = ["card", "validate"]

BEGIN = "<!-- glotmill:begin (up to glotmill:end all is written anew at each publish; write outside) -->"
END = "<!-- glotmill:end -->"

_OWN = re.compile(r"^<!-- glotmill:begin\b[^\n]*-->\n(.*?)^<!-- glotmill:end -->$", re.DOTALL | re.MULTILINE)
_RUN = re.compile(
    r"^<!-- glotmill:run ([\w.-]+)( toy)? -->\n.*?^<!-- glotmill:run end -->$", re.DOTALL | re.MULTILINE
)
_LONE = re.compile(r"^<!-- glotmill:[^\n]*-->\n?", re.MULTILINE)
_FILE = re.compile(rf"{footers.SPLIT}-([0-9a-f]{{12}})-\d+\.parquet")  # as publish names them


def card(
    run: Run,
    *,
    repo: str = "",
    license: str | None = None,
    existing: str | None = None,
    files: Sequence[footers.Footer] = (),
) -> str:
    """Return README.md of a dataset that a run is published to. The same run makes the same bytes.

    repo: org/name, for the lines that load it. license: a word of the Hub such as cc-by-4.0, or NAME=LINK;
    none: the one of the card that is there, else it is said that there is none. existing: the card that is
    there. What people wrote outside of our markers is kept, and so are the keys of the front matter that are
    not ours; what is said of other runs stays. files: the footers of all files of the dataset, those of
    earlier runs too; none: the run's own.
    Raises UsageError: no run, no rows, a front matter or a licence that cannot be read.
    """
    info = run.info()
    recipe = Recipe.model_validate(info["recipe"])
    files = sorted(files or _local(run), key=lambda file: file.path)
    if not files:
        raise UsageError(f"{run.folder}: has no rows; a card is about rows")
    front, body = card_rules.split(existing or "")
    before, runs, after = _taken_apart(body)
    values, written = card_front.front_matter(recipe, info, files, license, front)
    told = facts(run)
    key, folder = _key(run, files)
    marker = f"<!-- glotmill:run {key}{' toy' if card_run.toy(info) else ''} -->"
    runs[key] = f"{marker}\n{card_run.section(run, recipe, told, key, folder)}\n<!-- glotmill:run end -->"
    own = _whole(recipe, told, files, runs, {**values, "repo": repo})
    text = "\n\n".join(part for part in (before, own, after) if part)
    return f"---\n{written}---\n\n{text}\n"


def _local(run: Run) -> list[footers.Footer]:
    files = sorted(run.folder.glob("dataset/*/*.parquet"))
    return [footers.read(f"data/{f.parent.name}/{f.name}", f, f.stat().st_size) for f in files]


def _taken_apart(body: str) -> tuple[str, dict[str, str], str]:
    """Return what people wrote before our part, what is said there of each run, and what they wrote after."""
    parts = _OWN.split(body)
    runs = {found[1]: found[0] for part in parts[1::2] for found in _RUN.finditer(part)}
    theirs = [_LONE.sub("", part).strip() for part in parts[::2]]
    return theirs[0], runs, "\n\n".join(part for part in theirs[1:] if part)


def _key(run: Run, files: Sequence[footers.Footer]) -> tuple[str, str]:
    """What the run is called in its dataset, and the folder there that tells of it; else its own hash."""
    local = sorted((f.parent.name, f.stat().st_size) for f in run.folder.glob("dataset/*/*.parquet"))
    sizes: dict[str, list[tuple[str, int]]] = {}
    for file in files:
        if found := _FILE.fullmatch(file.path.rpartition("/")[2]):
            sizes.setdefault(found[1], []).append((file.language, file.size))
    for key, there in sizes.items():
        if sorted(there) == local:
            return key, f"runs/{key}"
    return sha256(json.dumps(run.info(), sort_keys=True).encode()).hexdigest()[:12], ""


def _whole(
    recipe: Recipe,
    told: Mapping[str, Any],
    files: Sequence[footers.Footer],
    runs: Mapping[str, str],
    front: Mapping[str, Any],
) -> str:
    rows = footers.rows(files)
    columns = footers.merged(files)
    tokens = told["lengths"]["tokens"]["languages"]
    languages = []
    for tag in sorted(rows.keys() - {footers.ALL}):
        found = find_language(tag)
        about = round(tokens[tag]["mean"] * rows[tag]) if tag in tokens else 0
        languages.append(
            {"name": found.name, "endonym": found.endonym, "tag": tag, "rows": rows[tag], "tokens": about}
        )
    repo = front["repo"] or "ORG/NAME"
    values = {
        "begin": card_text.Safe(BEGIN),
        "end": card_text.Safe(END),
        "title": front.get("pretty_name") or (front["repo"] or told["run"]["folder"]).rpartition("/")[2],
        "runs": len(runs),
        "toys": sum(" toy -->" in text.split("\n", 1)[0] for text in runs.values()),
        "rows": rows[footers.ALL],
        "languages": languages,
        "many": len(languages) > card_text.FEW,
        "model": told["model"]["model"],
        "about": recipe.about,
        "repo": repo,
        "chat": "messages" in columns,
        "columns": [_column(name, kind, recipe) for name, kind in columns.items()],
        "license": front,
        "personal": _personal(recipe, told),
        "sections": list(runs.values()),
    }
    return card_text.render("card.j2", values)


def _column(name: str, kind: footers.Feature, recipe: Recipe) -> dict[str, str]:
    made = {step.name for step in recipe.live_steps if isinstance(step, Generate)}
    what = "of the seeds, or made of them and of replies by a step of the recipe"
    if name == "id":
        what = "of the row: the same for the same recipe, seed, language and sample"
    elif name == "language":
        what = "asked for: ISO 639-3 and ISO 15924"
    elif name == "messages" and recipe.output.messages:
        what = "a chat: " + ", ".join(
            f"{role} is {column}" for role, column in recipe.output.messages.items()
        )
    elif name == "messages":
        what = "a chat, made by a step of the recipe"
    elif name in made:
        what = "written by the model"
    return {"name": name, "type": footers.said(kind), "what": what}


def _personal(recipe: Recipe, told: Mapping[str, Any]) -> str:
    columns = [of["of"] for of in told["filters"] if of["filter"] == "pii"]
    masks = any(isinstance(s, Transform) and s.transform == "mask_pii" for s in recipe.live_steps)
    if columns:
        return (
            f"Rows with e-mail addresses, phone numbers, bank accounts, cards or national ids in "
            f"{', '.join(columns)} were dropped (filter pii)."
        )
    if masks:
        return (
            "E-mail addresses, phone numbers, bank accounts, cards and national ids were masked (mask_pii)."
        )
    return "No filter looked for personal data (the recipe uses neither pii nor mask_pii)."
