"""The section of one run in a card: how its rows were made, where the others went, and its known limits."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from glotmill.columns import REASON, REASON_AT
from glotmill.filters.detectors._thresholds import LENGTHS
from glotmill.hub.card import markdown
from glotmill.hub.card.front_matter import public_model
from glotmill.hub.card.markdown import FEW, Safe, code
from glotmill.hub.card.reproduce import own_seeds, reproduction, templates
from glotmill.io import terminal
from glotmill.io.redact import is_path, public
from glotmill.io.run_files import dataset_files
from glotmill.languages import confusable
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.steps import Generate, Render, Transform
from glotmill.report.row_measures import declared
from glotmill.report.run_facts import FilterFacts, RunFacts, StepFacts
from glotmill.runner.open_engine import NANO
from glotmill.runner.run_folder import Run

TOYS = {
    NANO: "glotmill-nano is a tiny model for trying and testing glotmill; its output makes little sense.",
    "echo": "The echo engine is not a model: it repeats its prompts.",
}
FEW_ROWS = 100  # enough to inspect, not to train on
LOW = 0.25  # share of rows that were kept
_MODEL_ONLY = ("vllm", "transformers", "openai")  # engines with a model that has revisions
_PERSONAL = "e-mail addresses, phone numbers, bank accounts, cards or national ids"
_MAX_OPTION_CHARS = 120  # characters of an option
_SAMPLE_CHARS = 1_000  # of one text
_SAMPLE_CHARS_OF_MANY = 240  # if there are many languages
_SAMPLE_TEXTS = 16  # of one row
_SAMPLE_WIDTH = 110  # of a line


def toy(info: Mapping[str, Any]) -> str:
    """Return why the rows of a run are not for training; empty if they are."""
    return TOYS.get(str(info.get("engine"))) or TOYS.get(str(info.get("model"))) or ""


def tokens(run_facts: RunFacts) -> dict[str, int]:
    """Return the approximate tokens in the accepted rows of each language, if the engine counted them."""
    counted = run_facts.lengths["tokens"].languages
    accepted = {counts.language: counts.accepted for counts in run_facts.funnel}
    results = {tag: round(counted[tag].mean * accepted[tag]) for tag in counted}
    return {tag: count for tag, count in results.items() if count}


def section(run: Run, recipe: Recipe, run_facts: RunFacts, repo: str, folder: str) -> str:
    """Return the section of one run, without its markers.

    repo: org/name. folder: of the run in that dataset, where its recipe is. Both may be empty.
    """
    info = run.info()
    templates_used = list(templates(run, recipe))
    funnel = _funnel(run, run_facts)
    values = {
        "name": run_facts.folder,
        "toy": toy(info),
        "recipe": recipe.name,
        "about": recipe.about,
        "model": public(str(info["model"])),
        "model_url": f"https://huggingface.co/{public_model(info)}" if public_model(info) else "",
        "revision": _revision(info),
        "engine": info["engine"],
        "engine_args": _options(info.get("engine_args") or {}),
        "models": [
            (name, public(str(m["model"])), m["engine"]) for name, m in (info.get("models") or {}).items()
        ],
        "seeds": public(str(info["seeds"])),
        "seeds_license": _seeds_license(recipe, str(info["seeds"])),
        "output_license": _output_license(info),
        "wanted": info["per_language"],
        "requests": run_facts.total.requests,
        "columns": columns(recipe),
        "personal": _personal_data(recipe, run_facts.filters),
        "steps": [_step(step) for step in run_facts.steps],
        "templates": templates_used,
        "filters": [(item, _options(item.options)) for item in run_facts.filters],
        "thresholds": thresholds(run_facts),
        "lengths": [f"{name}, {least}+" if least else name for name, least in LENGTHS.items()],
        **funnel,
        "limits": list(known_limits(recipe, run_facts, templates_used)),
        "samples": list(samples(run, run_facts)),
        "many": len(run_facts.languages) > FEW,
        **reproduction(run, recipe, repo, folder),
        "folder": folder,
        "recipe_kept": f"{folder}/recipe" if folder and (run.folder / "recipe").is_dir() else "",
        "digest": recipe.digest(),
        "versions": ", ".join(f"{name} {version}" for name, version in info["versions"].items()),
        "papers": recipe.papers,
    }
    return markdown.render("run_section.j2", values).strip("\n")


def _revision(info: Mapping[str, Any]) -> str:
    if info.get("revision"):
        return f"revision {code(info['revision'])}"
    if info["model"] == NANO:
        return f"as it comes with glotmill {markdown.escaped(info['versions'].get('glotmill', ''))}"
    if info["engine"] == "openai":
        return "at the revision that its server ran"
    if is_path(str(info["model"])):
        return "a local folder on the machine of the run; its revision is unknown"
    return "no revision was given: the latest at that time" if info["engine"] in _MODEL_ONLY else ""


def _seeds_license(recipe: Recipe, location: str) -> str:
    if not own_seeds(recipe, location):
        return (
            "unknown: these are not the seeds of the recipe. "
            "Check their license before you build on this dataset."
        )
    if recipe.seeds_license:
        return f"{recipe.seeds_license}, as the recipe says."
    return "unknown: the recipe does not say (key seeds_license)."


def _output_license(info: Mapping[str, Any]) -> str:
    if info["engine"] == "echo":
        return (
            "the echo engine repeats the prompts, so the terms of the recipe and its seeds apply to the rows."
        )
    if info["engine"] == "replay":
        return "the replies were taken from a journal; the terms are those of the model that wrote them."
    if info["model"] == NANO:
        return "apache-2.0: glotmill-nano comes with glotmill."
    return (
        f"the terms of {public(str(info['model']))} decide what may be done with what it writes; some forbid "
        "training other models. glotmill does not know them: read them where the model comes from."
    )


def _personal_data(recipe: Recipe, filters: Sequence[FilterFacts]) -> str:
    """Describe what filters and transforms that declare PERSONAL_DATA did about personal data."""
    sentences: list[str] = []
    for name in dict.fromkeys(item.filter for item in filters if declared(item.filter, "PERSONAL_DATA")):
        columns = ", ".join(item.column for item in filters if item.filter == name)
        sentences.append(f"rows with {_PERSONAL} in {columns} were dropped (filter {name})")
    names = dict.fromkeys(step.transform for step in recipe.live_steps if isinstance(step, Transform))
    for name in names:
        if declared(name, "PERSONAL_DATA", kind="transforms"):
            sentences.append(f"{_PERSONAL.replace(' or ', ' and ')} were masked (transform {name})")
    return "; ".join(sentences) or "no filter or transform in the recipe looked for it"


def _step(step: StepFacts) -> dict[str, Any]:
    description = {
        "generate": "asks the model",
        "render": "fills a template, without a model",
        "transform": "changes the table, without a model",
        "embed": "adds the vector of a text",
        "score": "adds a model's score",
        "likelihood": "adds how likely a model finds a text",
    }.get(step.kind, "belongs to an earlier version of the recipe")
    sampling = ""
    if settings := step.generation:
        description += f", template {settings.template}, reply as {settings.reply_format}"
        description += f", {settings.n} rows of each" if settings.n > 1 else ""
        description += f", {settings.trials} replies to each row" if settings.trials > 1 else ""
        description += f", up to {settings.tries} tries" if settings.tries > 1 else ""
        description += f", by {', '.join(settings.models)}" if settings.models else ""
        if settings.thinking:
            budget = f"up to {settings.thinking} tokens" if settings.thinking > 0 else "kept"
            description += f", thinking {budget}"
        sampling = _options(settings.sampling) or "the engine's own"
    name = step.name or "(not in the journal)"
    return {"name": name, "what": description, "sampling": sampling, "spending": step.spending}


def _options(options: Mapping[str, Any]) -> str:
    set_options = {
        n: value for n, value in options.items() if value not in (None, "", [], {}) and n != "language"
    }
    return ", ".join(f"{name}={_shorten(public(value))}" for name, value in set_options.items())


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_OPTION_CHARS else f"{text[:_MAX_OPTION_CHARS]}…"


def _funnel(run: Run, run_facts: RunFacts) -> dict[str, Any]:
    """Return the funnel, and the rows of each language left after each stage that lost any."""
    order = [item.reason_at for item in run_facts.filters]
    counts = run.rows().filter(pl.col(REASON).is_not_null()).group_by("language", REASON_AT).len().collect()
    lost: dict[str, dict[str, int]] = {}
    for tag, location, number in counts.iter_rows():
        lost.setdefault(tag, {})[location or "?"] = number
    locations = {location for by_location in lost.values() for location in by_location}
    stages = sorted(locations, key=lambda p: (order.index(p) if p in order else -1, p))
    rows = []
    for row in run_facts.funnel:
        left: list[int] = []
        for stage in stages:
            lost_here = lost.get(row.language, {}).get(stage, 0)
            left.append((left[-1] if left else row.rows) - lost_here)
        rows.append({"counts": row, "left": left, "lost": terminal.reasons(row.dropped)})
    return {"funnel": rows, "stages": stages, "tokens": tokens(run_facts)}


def columns(recipe: Recipe) -> list[tuple[str, Safe]]:
    """Return the name and origin of each column of the dataset, without id and language."""
    chat = ["messages"] if recipe.output.messages else []
    names = dict.fromkeys([*chat, *recipe.output.columns])
    return [(name, _origin(name, recipe)) for name in names if name not in ("id", "language")]


def _origin(name: str, recipe: Recipe) -> Safe:
    if name == "messages" and recipe.output.messages:
        parts = (f"{role} is {code(column)}" for role, column in recipe.output.messages.items())
        return Safe(", ".join(parts))
    steps = recipe.live_steps
    if any(isinstance(step, Generate) and step.name == name for step in steps):
        return Safe("written by the model")
    if any(isinstance(step, Render) and step.name == name for step in steps):
        return Safe("a rendered template")
    texts = [step.name for step in steps if isinstance(step, Generate | Render)]
    if prefixes := [text for text in texts if name.startswith(f"{text}_")]:
        return Safe(f"derived from {code(max(prefixes, key=len))}")
    tables = " or ".join(code(step.name) for step in steps if isinstance(step, Transform))
    return Safe(f"from the seeds, or made by {tables}" if tables else "from the seeds")


def samples(run: Run, run_facts: RunFacts) -> Iterator[dict[str, str]]:
    """Yield the title and first row of each language, shortened, each line in its own direction."""
    limit = _SAMPLE_CHARS if len(run_facts.languages) <= FEW else _SAMPLE_CHARS_OF_MANY
    for language in run_facts.languages:
        for file in dataset_files(run.folder, [language.tag])[:1]:
            pairs = terminal.row_pairs(pl.read_parquet(file, n_rows=1).to_dicts()[0])
            shortened = [(name, _cut(terminal.shown(value), limit)) for name, value in pairs[:_SAMPLE_TEXTS]]
            if len(pairs) > _SAMPLE_TEXTS:
                shortened.append(("…", f"({len(pairs) - _SAMPLE_TEXTS:,} texts more)"))
            lines = terminal.labelled(shortened, width=_SAMPLE_WIDTH).split("\n")
            yield {
                "title": f"{language.name} ({language.tag})",
                "row": "\n".join(line.rstrip() for line in lines),
            }


def _cut(text: str, limit: int) -> str:
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]} … ({more:,} characters more)"


def thresholds(run_facts: RunFacts) -> list[dict[str, Any]]:
    """Return the lowest accepted probabilities: language, detector, least (one per length in LENGTHS)."""
    results: dict[tuple[str, str], dict[str, float]] = {}
    for item in run_facts.filters:
        for tag, limits in item.limits.items() if item.filter == "language" else ():
            for name, least in limits.items():
                detector, _, length = name.rpartition(" ")
                results.setdefault((tag, detector), {})[length] = least
    return [
        {"language": tag, "detector": detector, "least": [item[length] for length in LENGTHS]}
        for (tag, detector), item in results.items()
    ]


def known_limits(
    recipe: Recipe, run_facts: RunFacts, templates: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield sentences, each with the tags of its languages; no tags: all languages.

    templates: those used, with step, file, languages and unreviewed.
    """
    funnel = run_facts.funnel
    language_filters = [item for item in run_facts.filters if declared(item.filter, "cannot_judge")]
    tags = [row.language for row in funnel if row.accepted]
    yield {
        "sentence": "The rows are written by a model: expect its mistakes, its style and its biases",
        "tags": [],
    }
    yield from _limit("No row was accepted", [row.language for row in funnel if not row.accepted])
    short = [row.language for row in funnel if 0 < row.accepted < row.wanted]
    yield from _limit("Fewer rows than asked for", short)
    low = [row.language for row in funnel if row.accepted and row.kept < LOW * row.rows]
    yield from _limit(
        "Less than a quarter of the rows were kept; those that passed may not be representative", low
    )
    few = [row.language for row in funnel if 0 < row.accepted < FEW_ROWS]
    yield from _limit(
        f"Fewer than {FEW_ROWS} rows: enough to inspect, too few for training or evaluation", few
    )
    if language_filters:
        yield from _limit(
            "Unknown to the language detectors used: only the script was checked",
            _undetected(run_facts, tags),
        )
        if any(item.options.get("policy", "group") == "group" for item in language_filters):
            yield from _confusable(tags)
    else:
        yield {
            "sentence": "No filter compared the language of the rows with the requested one",
            "tags": [],
        }
    if not any(declared(item.filter, "COPY_REASONS") for item in run_facts.filters):
        yield {"sentence": "No filter looked for duplicates", "tags": []}
    yield from _without_phrases({item.filter for item in run_facts.filters}, tags)
    for item in templates:
        if item["unreviewed"]:
            sentence = f"The template {item['file']} has not been reviewed by a second native speaker"
            yield from _limit(sentence, item["languages"])


def _limit(sentence: str, tags: Sequence[str]) -> Iterator[dict[str, Any]]:
    if tags:
        yield {"sentence": sentence, "tags": tags}


def _undetected(run_facts: RunFacts, tags: Sequence[str]) -> list[str]:
    """Return the languages in which most rows have no detected language."""
    return [
        tag
        for tag in tags
        if any(
            2 * counts[tag].get("und", 0) > sum(counts[tag].values())
            for counts in run_facts.detected.values()
            if tag in counts
        )
    ]


def _without_phrases(templates_used: set[str], tags: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the languages in which a filter knows no phrases."""
    for name in sorted(templates_used):
        if (path := declared(name, "PHRASES")) is not None:
            text = path.read_text(encoding="utf-8")
            known = {row["language"] for row in csv.DictReader(text.split("\n"))}
            sentence = (
                f"The filter {name} has no phrases in these languages, "
                "and finds only those in other languages"
            )
            yield from _limit(sentence, [tag for tag in tags if tag not in known])


def _confusable(tags: Sequence[str]) -> Iterator[dict[str, Any]]:
    for tag in tags:
        if others := sorted(confusable(tag) - {tag}):
            yield from _limit(
                f"No detector reliably tells {tag} apart from these, so some rows may be in them", others
            )
