"""What a dataset's card says of one run: how its rows were made, where the others went, and what is known."""

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
from glotmill.hub.card.reproduce import again, own_seeds, templates
from glotmill.io import terminal
from glotmill.io.redact import is_path, public
from glotmill.languages import confusable
from glotmill.recipes.model import Recipe
from glotmill.recipes.steps import Generate, Render, Transform
from glotmill.report.measures import declared
from glotmill.report.model import FilterFacts, RunFacts, StepFacts
from glotmill.runner.engine import NANO
from glotmill.runner.folder import Run

TOYS = {
    NANO: "glotmill-nano is a tiny model for trying and testing glotmill; its output makes little sense.",
    "echo": "The echo engine is not a model: it repeats its prompts.",
}
FEW_ROWS = 100  # to look at, not to train on
LOW = 0.25  # share of rows that were kept
_MODEL_ONLY = ("vllm", "transformers", "openai")  # engines behind which there is a model with revisions
_PERSONAL = "e-mail addresses, phone numbers, bank accounts, cards or national ids"
_SHOWN = 120  # characters of an option
_SAMPLE_CHARS = 1_000  # of one text
_SAMPLE_CHARS_OF_MANY = 240  # where there are many languages
_SAMPLE_TEXTS = 16  # of one row
_SAMPLE_WIDTH = 110  # of a line


def toy(info: Mapping[str, Any]) -> str:
    """Return why nobody should train on the rows of a run; empty if nothing forbids it."""
    return TOYS.get(str(info.get("engine"))) or TOYS.get(str(info.get("model"))) or ""


def tokens(told: RunFacts) -> dict[str, int]:
    """Return about how many tokens the accepted rows of each language have, where the engine counted them."""
    counted = told.lengths["tokens"].languages
    accepted = {counts.language: counts.accepted for counts in told.funnel}
    found = {tag: round(counted[tag].mean * accepted[tag]) for tag in counted}
    return {tag: count for tag, count in found.items() if count}


def section(run: Run, recipe: Recipe, told: RunFacts, repo: str, folder: str) -> str:
    """Return the part of a card that is about one run, without its markers.

    told: what facts says. repo: org/name. folder: of the run in that dataset, where its recipe is; both may
    be empty.
    """
    info = run.info()
    used = list(templates(run, recipe))
    funnel = _funnel(run, told)
    values = {
        "name": told.folder,
        "toy": toy(info),
        "recipe": recipe.name,
        "about": recipe.about,
        "model": public(str(info["model"])),
        "model_url": f"https://huggingface.co/{public_model(info)}" if public_model(info) else "",
        "revision": _revision(info),
        "engine": info["engine"],
        "engine_args": _options(info.get("engine_args") or {}),
        "seeds": public(str(info["seeds"])),
        "seeds_license": _seeds_license(recipe, str(info["seeds"])),
        "output_license": _output_license(info),
        "wanted": info["per_language"],
        "requests": told.total.answered,
        "columns": columns(recipe),
        "personal": _personal_data(recipe, told.filters),
        "steps": [_step(step) for step in told.steps],
        "templates": used,
        "filters": [(item, _options(item.options)) for item in told.filters],
        "thresholds": thresholds(told),
        "lengths": [f"{name}, {least}+" if least else name for name, least in LENGTHS.items()],
        **funnel,
        "limits": list(known_limits(recipe, told, used)),
        "samples": list(samples(run, told)),
        "many": len(told.languages) > FEW,
        **again(run, recipe, repo, folder),
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


def _seeds_license(recipe: Recipe, place: str) -> str:
    if not own_seeds(recipe, place):
        return (
            "unknown: these are not the seeds of the recipe. "
            "Check their licence before you build on this dataset."
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
    """What was done about personal data, by the filters and transforms that declare PERSONAL_DATA."""
    done: list[str] = []
    for name in dict.fromkeys(item.filter for item in filters if declared(item.filter, "PERSONAL_DATA")):
        columns = ", ".join(item.column for item in filters if item.filter == name)
        done.append(f"rows with {_PERSONAL} in {columns} were dropped (filter {name})")
    names = dict.fromkeys(step.transform for step in recipe.live_steps if isinstance(step, Transform))
    for name in names:
        if declared(name, "PERSONAL_DATA", kind="transforms"):
            done.append(f"{_PERSONAL.replace(' or ', ' and ')} were masked (transform {name})")
    return "; ".join(done) or "no filter or transform in the recipe looked for it"


def _step(step: StepFacts) -> dict[str, Any]:
    what = {
        "generate": "asks the model",
        "render": "fills a template, without a model",
        "transform": "changes the table, without a model",
    }.get(step.kind, "belongs to an earlier version of the recipe")
    sampling = ""
    if settings := step.generation:
        what += f", template {settings.template}, reply as {settings.reply_format}"
        what += f", {settings.n} rows of each" if settings.n > 1 else ""
        what += f", {settings.trials} replies to each row" if settings.trials > 1 else ""
        what += f", up to {settings.tries} tries" if settings.tries > 1 else ""
        sampling = _options(settings.sampling) or "the engine's own"
    name = step.name or "(not in the journal)"
    return {"name": name, "what": what, "sampling": sampling, "spending": step.spending}


def _options(options: Mapping[str, Any]) -> str:
    told = {name: value for name, value in options.items() if value not in (None, "", [], {})}
    return ", ".join(f"{name}={_short(public(value))}" for name, value in told.items() if name != "language")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _funnel(run: Run, told: RunFacts) -> dict[str, Any]:
    """The funnel, and how many rows of each language were left after each stage that lost any."""
    order = [item.reason_at for item in told.filters]
    counts = run.rows().filter(pl.col(REASON).is_not_null()).group_by("language", REASON_AT).len().collect()
    lost: dict[str, dict[str, int]] = {}
    for tag, place, number in counts.iter_rows():
        lost.setdefault(tag, {})[place or "?"] = number
    places = {place for by_place in lost.values() for place in by_place}
    stages = sorted(places, key=lambda p: (order.index(p) if p in order else -1, p))
    rows = []
    for row in told.funnel:
        left: list[int] = []
        for stage in stages:
            gone = lost.get(row.language, {}).get(stage, 0)
            left.append((left[-1] if left else row.asked) - gone)
        rows.append({"counts": row, "left": left, "lost": terminal.reasons(row.dropped)})
    return {"funnel": rows, "stages": stages, "tokens": tokens(told)}


def columns(recipe: Recipe) -> list[tuple[str, Safe]]:
    """Return name and origin of each column that a recipe's rows leave with, but for id and language."""
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
    if made := [text for text in texts if name.startswith(f"{text}_")]:
        return Safe(f"derived from {code(max(made, key=len))}")
    tables = " or ".join(code(step.name) for step in steps if isinstance(step, Transform))
    return Safe(f"from the seeds, or made by {tables}" if tables else "from the seeds")


def samples(run: Run, told: RunFacts) -> Iterator[dict[str, str]]:
    """Yield title and row of each language: its first row, cut, each line in its own direction."""
    limit = _SAMPLE_CHARS if len(told.languages) <= FEW else _SAMPLE_CHARS_OF_MANY
    for language in told.languages:
        for file in sorted(run.folder.glob(f"dataset/{language.tag}/train-*.parquet"))[:1]:
            pairs = terminal.row_pairs(pl.read_parquet(file, n_rows=1).to_dicts()[0])
            cut = [(name, _cut(terminal.shown(value), limit)) for name, value in pairs[:_SAMPLE_TEXTS]]
            if len(pairs) > _SAMPLE_TEXTS:
                cut.append(("…", f"({len(pairs) - _SAMPLE_TEXTS:,} texts more)"))
            lines = terminal.labelled(cut, width=_SAMPLE_WIDTH).split("\n")
            yield {
                "title": f"{language.name} ({language.tag})",
                "row": "\n".join(line.rstrip() for line in lines),
            }


def _cut(text: str, limit: int) -> str:
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]} … ({more:,} characters more)"


def thresholds(told: RunFacts) -> list[dict[str, Any]]:
    """Return the least probability of each language, detector and length.

    told: what facts says. -> language, detector, least: in the order of `LENGTHS`.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for item in told.filters:
        for tag, limits in item.limits.items() if item.filter == "language" else ():
            for name, least in limits.items():
                detector, _, length = name.rpartition(" ")
                found.setdefault((tag, detector), {})[length] = least
    return [
        {"language": tag, "detector": detector, "least": [of[length] for length in LENGTHS]}
        for (tag, detector), of in found.items()
    ]


def known_limits(
    recipe: Recipe, told: RunFacts, templates: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield said, a sentence, and tags, the languages it is true of; no tags if it is true of all.

    told: what facts says. templates: those used, with step, file, languages and unreviewed.
    """
    funnel = told.funnel
    language_filters = [item for item in told.filters if declared(item.filter, "cannot_judge")]
    there = [row.language for row in funnel if row.accepted]
    yield {
        "said": "The rows are written by a model: expect its mistakes, its style and its biases",
        "tags": [],
    }
    yield from _about("No row was accepted", [row.language for row in funnel if not row.accepted])
    short = [row.language for row in funnel if 0 < row.accepted < row.wanted]
    yield from _about("Fewer rows than asked for", short)
    low = [row.language for row in funnel if row.accepted and row.kept < LOW * row.asked]
    yield from _about(
        "Less than a quarter of the rows were kept; those that passed may not be representative", low
    )
    few = [row.language for row in funnel if 0 < row.accepted < FEW_ROWS]
    yield from _about(
        f"Fewer than {FEW_ROWS} rows: enough to inspect, too few for training or evaluation", few
    )
    if language_filters:
        yield from _about(
            "Unknown to the language detectors used: only the script was checked", _unjudged(told, there)
        )
        if any(item.options.get("policy", "group") == "group" for item in language_filters):
            yield from _confusable(there)
    else:
        yield {
            "said": "No filter compared the language of the rows with the requested one",
            "tags": [],
        }
    if not any(declared(item.filter, "COPY_REASONS") for item in told.filters):
        yield {"said": "No filter looked for duplicates", "tags": []}
    yield from _speechless({item.filter for item in told.filters}, there)
    for of in templates:
        if of["unreviewed"]:
            said = f"The template {of['file']} has not been reviewed by a second speaker of the language"
            yield from _about(said, of["languages"])


def _about(said: str, tags: Sequence[str]) -> Iterator[dict[str, Any]]:
    if tags:
        yield {"said": said, "tags": tags}


def _unjudged(told: RunFacts, there: Sequence[str]) -> list[str]:
    """Languages in which most rows have no detected language."""
    return [
        tag
        for tag in there
        if any(
            2 * by[tag].get("und", 0) > sum(by[tag].values()) for by in told.detected.values() if tag in by
        )
    ]


def _speechless(used: set[str], there: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Languages in which a filter knows no phrases."""
    for name in sorted(used):
        if (path := declared(name, "PHRASES")) is not None:
            text = path.read_text(encoding="utf-8")
            known = {row["language"] for row in csv.DictReader(text.split("\n"))}
            said = (
                f"The filter {name} has no phrases in these languages, "
                "and finds only those in other languages"
            )
            yield from _about(said, [tag for tag in there if tag not in known])


def _confusable(there: Sequence[str]) -> Iterator[dict[str, Any]]:
    for tag in there:
        if others := sorted(confusable(tag) - {tag}):
            yield from _about(
                f"No detector reliably tells {tag} apart from these, so some rows may be in them", others
            )
