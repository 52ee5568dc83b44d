"""The facts of a run with nothing in them but what a test gives."""

from collections.abc import Mapping
from typing import Any

from glotmill.recipes.read import read_recipe
from glotmill.report.run_facts import FilterFacts, LengthSummary, ModelFacts, RunFacts, Total


def run_facts(**values: Any) -> RunFacts:
    """Return facts whose collections are empty where no value is given."""
    empty: dict[str, Any] = {
        "recipe": read_recipe("instruction"),
        "folder": "run",
        "per_language": 25,
        "shard_size": 10,
        "seeds": "seeds.jsonl",
        "model": ModelFacts(model="echo", engine="echo", engine_args={}, revision=None, versions={}),
        "total": Total(0, 0, 0, 0, 0, 0, 0, None, None),
        **{name: [] for name in ("languages", "funnel", "steps", "filters")},
        **{name: {} for name in ("models", "shards", "lengths", "detected", "copies", "lost_at")},
    }
    return RunFacts(**empty | values)


def filter_facts(
    name: str,
    column: str = "answer",
    options: Mapping[str, Any] | None = None,
    limits: Mapping[str, Mapping[str, float]] | None = None,
) -> FilterFacts:
    """Return a filter that is a step of its recipe."""
    by_language = {tag: dict(thresholds) for tag, thresholds in (limits or {}).items()}
    return FilterFacts(name, column, "steps", f"{column}.{name}", dict(options or {}), by_language)


def length_summary(length: int = 1, mean: float = 1.0, histogram: list[int] | None = None) -> LengthSummary:
    """Return the lengths of rows that are all equally long."""
    return LengthSummary(1, mean, *[length] * 7, histogram or [])
