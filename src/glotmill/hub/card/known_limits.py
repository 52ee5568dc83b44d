"""What is known to be weak in a run's rows, and in which languages."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glotmill.languages import confusable
from glotmill.recipes.model import Recipe
from glotmill.report.measures import declared

FEW_ROWS = 100
LOW = 0.25  # share of rows that were kept


def limits(
    recipe: Recipe, told: Mapping[str, Any], templates: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield said, a sentence, and tags, the languages it is true of; no tags if it is true of all.

    told: what facts says. templates: those used, with step, file, languages and unreviewed.
    """
    funnel = told["funnel"]
    judges = [of for of in told["filters"] if declared(of["filter"], "cannot_judge")]
    there = [of["language"] for of in funnel if of["accepted"]]
    yield {
        "said": "The rows say what a model says: expect its mistakes, its style and its view of the world",
        "tags": [],
    }
    yield from _about("No row was accepted", [of["language"] for of in funnel if not of["accepted"]])
    short = [of for of in funnel if 0 < of["accepted"] < of["wanted"]]
    yield from _about("Fewer rows than asked for", [of["language"] for of in short])
    low = [of["language"] for of in funnel if of["accepted"] and of["kept"] < LOW * of["asked"]]
    yield from _about(
        "Less than a quarter of what was made was kept; what passed may be unlike the rest", low
    )
    few = [of["language"] for of in funnel if 0 < of["accepted"] < FEW_ROWS]
    yield from _about(f"Fewer than {FEW_ROWS} rows: enough to look at, not to train on or to measure by", few)
    if judges:
        yield from _about(
            "Too rare for the language detectors used: held to the script only", _unjudged(told, there)
        )
        if any(of["options"].get("policy", "group") == "group" for of in judges):
            yield from _confusable(there)
    else:
        yield {
            "said": "No filter compared the language of the rows with the one that was asked for",
            "tags": [],
        }
    if not any(declared(of["filter"], "COPY_REASONS") for of in told["filters"]):
        yield {"said": "No filter looked for duplicates", "tags": []}
    yield from _speechless({of["filter"] for of in told["filters"]}, there)
    for of in templates:
        if of["unreviewed"]:
            said = f"The template {of['file']} was not yet read by a second speaker of the language"
            yield from _about(said, of["languages"])


def _about(said: str, tags: Sequence[str]) -> Iterator[dict[str, Any]]:
    if tags:
        yield {"said": said, "tags": tags}


def _unjudged(told: Mapping[str, Any], there: Sequence[str]) -> list[str]:
    """Languages in which most rows have no detected language."""
    return [
        tag
        for tag in there
        if any(
            2 * by[tag].get("und", 0) > sum(by[tag].values()) for by in told["detected"].values() if tag in by
        )
    ]


def _speechless(used: set[str], there: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Languages in which a filter knows no phrases."""
    for name in sorted(used):
        if (path := declared(name, "PHRASES")) is not None:
            text = path.read_text(encoding="utf-8")
            known = {row["language"] for row in csv.DictReader(text.split("\n"))}
            said = f"The filter {name} has no phrases of these languages, and finds only those of others"
            yield from _about(said, [tag for tag in there if tag not in known])


def _confusable(there: Sequence[str]) -> Iterator[dict[str, Any]]:
    for tag in there:
        if others := sorted(confusable(tag) - {tag}):
            yield from _about(f"No detector tells {tag} reliably from these, so rows may be in them", others)
