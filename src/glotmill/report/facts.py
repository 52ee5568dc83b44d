"""All numbers of a run, as plain JSON values: what `glotmill report` shows, and the card is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import inf
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.errors import UsageError
from glotmill.io.redact import public
from glotmill.languages import find as find_language
from glotmill.recipes.model import Recipe
from glotmill.recipes.steps import Filter, Generate
from glotmill.report.measures import Measured, declared, filters, measure
from glotmill.report.spending import spending
from glotmill.runner.folder import Run
from glotmill.runner.funnel import funnel

BINS = 24  # of a histogram; the last holds all that is longer
_QUANTILES = {"least": 0.0, "p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "most": 1.0}
_PER = 1_000_000  # tokens that a price is said for


def facts(run: Run, price_in: float | None = None, price_out: float | None = None) -> dict[str, Any]:
    """Return what there is to say of a run, finished or not. Rows and journals are read some at a time.

    price_in, price_out: of a million tokens of prompts and of replies, in any currency.
    -> recipe (name, about, papers, seeds_license, tasks), run (folder, per_language, seeds, shard_size,
    passes, floor), model (engine, engine_args, model, revision, versions), languages (tag, name, endonym,
    script, direction, bcp47, iso639_1, iso639_3), funnel (of each language: wanted, asked, answered, parsed,
    dropped by reason, kept, accepted), shards (by language: shard, rows, kept), lengths (of kept rows in
    characters and tokens: see `_lengths`), detected (judged column -> asked -> detected -> rows), duplicates
    (by language: rows by reason, clusters by size), lost_at (place -> reason -> rows), steps (but for
    filters, in order: name, kind, sampling, tries and what `spending` tells), filters (in order: filter, of,
    place, at, options, with those that were not given, by_language: see `limits_by_language`),
    total (requests, tokens, seconds, cost).
    Raises UsageError where the folder holds no run, rows or a journal cannot be read, a price is none.
    """
    _refuse_no_price(price_in, price_out)
    info = run.info()
    recipe = Recipe.model_validate(info["recipe"])
    tags: list[str] = info["languages"]
    found = {tag: measure(run, recipe, tag) for tag in tags}
    spent = spending(run, recipe)
    for of in spent.values():
        of["cost"] = _cost(of, price_in, price_out)
    return {
        "recipe": {n: getattr(recipe, n) for n in ("name", "about", "papers", "seeds_license", "tasks")},
        "run": {
            "folder": run.folder.resolve().name,
            **{name: info[name] for name in ("per_language", "shard_size")},
            "seeds": public(info["seeds"]),
            "passes": recipe.passes,
            "floor": recipe.floor,
        },
        "model": _model(info),
        "languages": [_language(tag) for tag in tags],
        "funnel": [each.to_json() for each in funnel(run)],
        "shards": {tag: of.shards for tag, of in found.items()},
        "lengths": {
            "characters": _lengths({tag: of.characters for tag, of in found.items()}),
            "tokens": _lengths({tag: of.tokens for tag, of in found.items()}),
        },
        "detected": _detected(found),
        "duplicates": {
            tag: {"rows": _most_first(of.copies), "clusters": {str(n): c for n, c in of.clusters().items()}}
            for tag, of in found.items()
        },
        "lost_at": _lost(found),
        "steps": _steps(recipe, spent),
        "filters": _filters(recipe, info["versions"], tags),
        "total": _total(spent),
    }


def _refuse_no_price(*prices: float | None) -> None:
    for price in prices:
        if price is not None and not 0 <= price < inf:
            raise UsageError(f"price {price}: no price; write the cost of a million tokens, such as 0.4")


def _model(info: Mapping[str, Any]) -> dict[str, Any]:
    names = ("model", "engine", "engine_args", "revision", "versions")
    return {name: public(info[name]) for name in names}


def _language(tag: str) -> dict[str, str]:
    plain = asdict(find_language(tag))
    names = ("tag", "name", "endonym", "script", "direction", "bcp47", "iso639_1", "iso639_3")
    return {name: plain[name] for name in names}


def _lengths(found: Mapping[str, Sequence[pl.Series]]) -> dict[str, Any]:
    """Return how long rows are: quantiles, and a histogram whose bins are as wide in every language.

    -> width: of a bin; languages: rows, mean, least, p5, p25, median, p75, p95, most, histogram.
    """
    whole = {tag: pl.concat(parts) for tag, parts in found.items() if any(len(p) for p in parts)}
    far = max((int(str(of.quantile(0.99, "nearest")).split(".")[0]) for of in whole.values()), default=0)
    width = _round_up(far / BINS)
    told = {}
    for tag, of in whole.items():
        places = (of // width).clip(0, BINS - 1).value_counts()
        counts = dict(places.iter_rows())
        quantiles = {n: int(float(str(of.quantile(q, "nearest")))) for n, q in _QUANTILES.items()}
        histogram = [counts.get(place, 0) for place in range(BINS)]
        mean = round(float(str(of.mean())), 1)
        told[tag] = {"rows": len(of), "mean": mean, **quantiles, "histogram": histogram}
    return {"width": width, "languages": told}


def _round_up(width: float) -> int:
    """The next number that begins a scale well: 1, 2, 3, 4, 5, 6, 8, 10, 20, 30 ..."""
    size = 1
    while True:
        for times in (1, 2, 3, 4, 5, 6, 8):
            if size * times >= width:
                return size * times
        size *= 10


def _detected(found: Mapping[str, Measured]) -> dict[str, dict[str, dict[str, int]]]:
    columns = dict.fromkeys(name for of in found.values() for name in of.detected)
    return {
        name: {tag: _most_first(of.detected[name]) for tag, of in found.items() if of.detected.get(name)}
        for name in columns
    }


def _lost(found: Mapping[str, Measured]) -> dict[str, dict[str, int]]:
    whole: dict[str, dict[str, int]] = {}
    for of in found.values():
        for place, reasons in of.lost.items():
            here = whole.setdefault(place, {})
            for reason, count in reasons.items():
                here[reason] = here.get(reason, 0) + count
    return {place: _most_first(reasons) for place, reasons in sorted(whole.items())}


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _steps(recipe: Recipe, spent: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for step in recipe.live_steps:
        if isinstance(step, Filter):
            continue
        kind = type(step).__name__.lower()
        told: dict[str, Any] = {"name": step.name, "kind": kind}
        if isinstance(step, Generate):
            told |= {"as": step.as_, "template": step.template_name, "sampling": dict(step.sampling.given())}
            told |= {"n": step.n, "trials": step.trials, "tries": step.tries, **spent[step.name]}
        steps.append(told)
    there = {step["name"] for step in steps if step["kind"] == "generate"}
    return steps + [{"name": n, "kind": "unknown", **of} for n, of in spent.items() if n not in there]


def _filters(recipe: Recipe, versions: Mapping[str, str], tags: Sequence[str]) -> list[dict[str, Any]]:
    """Every filter in the order in which it judges, and `at`, by which `lost_at` calls it."""
    steps: list[dict[str, Any]] = []
    for place, step in filters(recipe):
        options = _options(step)
        about = {"filter": step.filter, "of": step.of, "place": place, "at": _at(place, step)}
        limits = limits_by_language(step.filter, options, versions, tags)
        steps.append({**about, "options": public(options), "by_language": limits})
    return steps


def limits_by_language(
    name: str, options: Mapping[str, Any], versions: Mapping[str, str], tags: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the thresholds of a filter that depend on the language: language -> name -> threshold.

    They are those that the filter declares; empty if it declares none. options: all of the filter's, with
    defaults. versions: the run's, by package.
    """
    if (limits := declared(name, "limits_by_language")) is None:
        return {}
    thresholds: dict[str, dict[str, float]] = limits(tags, versions, **options)
    return thresholds


def _at(place: str, step: Filter) -> str:
    name = f"{step.of}.{step.filter}"
    return f"finish.{name}" if place == "finish" else name


def _options(step: Filter) -> dict[str, Any]:
    try:
        defaults = plugins.defaults(plugins.find("filters", step.filter))
    except UsageError:  # a filter of the user's own that is not installed here
        defaults = {}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in (defaults | step.options).items()}


def _cost(of: Mapping[str, Any], price_in: float | None, price_out: float | None) -> float | None:
    if price_in is None and price_out is None:
        return None
    cost: float = of["prompt_tokens"] * (price_in or 0.0) + of["reply_tokens"] * (price_out or 0.0)
    return cost / _PER


def _total(spent: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    names = ("requests", "answered", "asked_again", "tried_again", "prompt_tokens", "reply_tokens")
    times = [of["seconds"]["sum"] for of in spent.values() if of["seconds"]]
    costs = [of["cost"] for of in spent.values() if of["cost"] is not None]
    return {
        **{name: sum(of[name] for of in spent.values()) for name in names},
        "seconds": round(sum(times), 4) if times else None,
        "cost": sum(costs) if costs else None,
    }
