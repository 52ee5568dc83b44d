"""`facts`: every number there is of a run, for `glotmill report` and for the dataset card."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.errors import UsageError
from glotmill.io.redact import public
from glotmill.languages import find as find_language
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.steps import Asking, Filter, Generate
from glotmill.report.row_measures import LanguageMeasures, declared, filters, measure, stage_name
from glotmill.report.run_facts import (
    Copies,
    FilterFacts,
    Generation,
    Lengths,
    LengthSummary,
    ModelFacts,
    RunFacts,
    Spending,
    StepFacts,
)
from glotmill.report.spending import Price, Prices, spending, total
from glotmill.runner.funnel import funnel, most_frequent_first
from glotmill.runner.run_folder import Run

BINS = 24  # of a histogram; the last holds everything longer
_QUANTILES = {"least": 0.0, "p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "most": 1.0}


def facts(run: Run, price_in: Price = None, price_out: Price = None) -> RunFacts:
    """Return the numbers of a run, finished or not. Rows and journals are read in batches.

    price_in, price_out: of a million prompt tokens and of a million reply tokens, in any currency; or of
    each model, by the name that the recipe gives it, "" the run's.
    Raises UsageError if the folder holds no run, if rows or a journal cannot be read, or for a price that is
    not one or of no model.
    """
    prices = Prices(price_in, price_out)
    info = run.info()
    recipe = run.recipe()
    if unknown := sorted(prices.models - set(recipe.models)):
        names = ", ".join(sorted(recipe.models)) or "none"
        raise UsageError(f"price of {unknown[0]!r}: no such model in the recipe; it names {names}")
    tags: list[str] = info["languages"]
    measures = {tag: measure(run, recipe, tag) for tag in tags}
    spent = spending(run, recipe, prices)
    return RunFacts(
        recipe=recipe,
        folder=run.folder.resolve().name,
        per_language=info["per_language"],
        shard_size=info["shard_size"],
        seeds=public(info["seeds"]),
        model=_model_facts(info, info["versions"]),
        models={n: _model_facts(m, info["versions"]) for n, m in (info.get("models") or {}).items()},
        languages=[find_language(tag) for tag in tags],
        funnel=funnel(run),
        shards={tag: language.shards for tag, language in measures.items()},
        lengths={
            "characters": _lengths({tag: language.characters for tag, language in measures.items()}),
            "tokens": _lengths({tag: language.tokens for tag, language in measures.items()}),
        },
        detected=_detected(measures),
        copies={
            tag: Copies(most_frequent_first(language.copies), language.clusters())
            for tag, language in measures.items()
        },
        lost_at=_lost_at(measures),
        steps=_steps(recipe, spent),
        filters=_filters(recipe, info["versions"], tags),
        total=total(spent.values()),
    )


def _model_facts(info: Mapping[str, Any], versions: dict[str, str]) -> ModelFacts:
    names = ("model", "engine", "engine_args", "revision")
    return ModelFacts(**{name: public(info[name]) for name in names}, versions=public(versions))


def _lengths(batches: Mapping[str, Sequence[pl.Series]]) -> Lengths:
    """Summarize the lengths of the rows of each language, with bins of one width for all languages."""
    lengths = {tag: pl.concat(parts) for tag, parts in batches.items() if any(len(part) for part in parts)}
    longest = max((_quantile(values, 0.99) for values in lengths.values()), default=0)
    width = _round_up(longest / BINS)
    return Lengths(width, {tag: _summarize(values, width) for tag, values in lengths.items()})


def _summarize(values: pl.Series, width: int) -> LengthSummary:
    counts = dict((values // width).clip(0, BINS - 1).value_counts().iter_rows())
    return LengthSummary(
        rows=len(values),
        mean=round(int(values.sum()) / len(values), 1),
        **{name: _quantile(values, share) for name, share in _QUANTILES.items()},
        histogram=[counts.get(number, 0) for number in range(BINS)],
    )


def _quantile(values: pl.Series, share: float) -> int:
    return int(values.quantile(share, "nearest") or 0)


def _round_up(width: float) -> int:
    """Return the next number that makes a readable scale: 1, 2, 3, 4, 5, 6, 8, 10, 20, 30 ..."""
    power = 1
    while True:
        for digit in (1, 2, 3, 4, 5, 6, 8):
            if power * digit >= width:
                return power * digit
        power *= 10


def _detected(measures: Mapping[str, LanguageMeasures]) -> dict[str, dict[str, dict[str, int]]]:
    columns = dict.fromkeys(name for language in measures.values() for name in language.detected)
    return {
        name: {
            tag: most_frequent_first(language.detected[name])
            for tag, language in measures.items()
            if language.detected.get(name)
        }
        for name in columns
    }


def _lost_at(measures: Mapping[str, LanguageMeasures]) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for language in measures.values():
        for reason_at, reasons in language.lost_at.items():
            counts = sums.setdefault(reason_at, {})
            for reason, count in reasons.items():
                counts[reason] = counts.get(reason, 0) + count
    return {reason_at: most_frequent_first(counts) for reason_at, counts in sorted(sums.items())}


def _steps(recipe: Recipe, spent: Mapping[str, Spending]) -> list[StepFacts]:
    steps: list[StepFacts] = []
    for step in recipe.live_steps:
        if isinstance(step, Filter):
            continue
        generation = None
        if isinstance(step, Generate):
            sampling = dict(step.sampling.given())
            models = tuple(filter(None, step.model_names))
            generation = Generation(
                step.as_,
                step.template_name,
                sampling,
                step.n,
                step.trials,
                step.tries,
                models,
                step.thinking,
            )
        own_spending = spent[step.name] if isinstance(step, Asking) else None
        steps.append(StepFacts(step.name, type(step).__name__.lower(), generation, own_spending))
    names = {step.name for step in steps if step.spending}
    unknown = [StepFacts(name, "unknown", None, costs) for name, costs in spent.items() if name not in names]
    return steps + unknown


def _filters(recipe: Recipe, versions: Mapping[str, str], tags: Sequence[str]) -> list[FilterFacts]:
    result: list[FilterFacts] = []
    for where, step in filters(recipe):
        options = _options(step)
        result.append(
            FilterFacts(
                filter=step.filter,
                column=step.of,
                where=where,
                reason_at=stage_name(where, step),
                options=public(options),
                limits=limits_by_language(step.filter, options, versions, tags),
            )
        )
    return result


def limits_by_language(
    name: str, options: Mapping[str, Any], versions: Mapping[str, str], tags: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the thresholds of a filter that depend on the language: language -> name -> threshold.

    The filter's module declares them; empty if it declares none. options: all options of the
    filter, defaults included. versions: the run's packages.
    """
    if (limits := declared(name, "limits_by_language")) is None:
        return {}
    thresholds: dict[str, dict[str, float]] = limits(tags, versions, **options)
    return thresholds


def _options(step: Filter) -> dict[str, Any]:
    """Return the options of a filter, with the defaults of those that the recipe leaves out."""
    try:
        defaults = plugins.defaults(plugins.find("filters", step.filter))
    except UsageError:  # a user's own filter that is not installed here
        defaults = {}
    options = defaults | step.options
    return {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
