"""The facts of a run as frozen values: what `facts` returns, and what `glotmill report --json` prints.

The keys of the JSON are read by users' programs; where an attribute has another name, `to_json` maps it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from glotmill.languages import Language
from glotmill.recipes.recipe import Recipe
from glotmill.runner.funnel import Funnel

_RECIPE = ("name", "about", "papers", "seeds_license", "tasks")
_LANGUAGE = ("tag", "name", "endonym", "script", "direction", "bcp47", "iso639_1", "iso639_3")


@dataclass(frozen=True)
class ModelFacts:
    """The model and the engine of a run, without paths of this machine and without secrets."""

    model: str
    engine: str
    engine_args: dict[str, Any]
    revision: str | None
    versions: dict[str, str]  # package -> version


@dataclass(frozen=True)
class ShardCounts:
    """The rows of one shard."""

    shard: int
    rows: int
    kept: int


@dataclass(frozen=True)
class LengthSummary:
    """How long the kept rows of one language are: mean, quantiles and a histogram."""

    rows: int
    mean: float
    least: int
    p5: int
    p25: int
    median: int
    p75: int
    p95: int
    most: int
    histogram: list[int]  # rows in each bin; the last bin holds everything longer


@dataclass(frozen=True)
class Lengths:
    """How long kept rows are, in one unit."""

    width: int  # of a bin, the same in every language
    languages: dict[str, LengthSummary]


@dataclass(frozen=True)
class Copies:
    """The rows of one language that were dropped as copies of other rows."""

    rows: dict[str, int]  # reason -> rows, most frequent first
    clusters: dict[int, int]  # size of a group of copies, its kept row included -> number of such groups

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {"rows": self.rows, "clusters": {str(size): count for size, count in self.clusters.items()}}


@dataclass(frozen=True)
class Seconds:
    """The durations of requests. Many requests run at once, so the sum is longer than the run took."""

    sum: float
    mean: float
    median: float
    p95: float


@dataclass(frozen=True)
class Spending:
    """What the requests of one step took."""

    requests: int  # that the engine answered
    asked_again: int  # requests because `expect` had refused a reply
    tried_again: int  # the same request sent to the engine once more: a server was busy, an engine died
    prompt_tokens: int
    reply_tokens: int  # those of thoughts among them
    reasoning_tokens: int
    failed: dict[str, int]  # reason -> requests
    seconds: Seconds | None  # None if the journals do not hold them
    cost: float | None  # None without prices


@dataclass(frozen=True)
class Total:
    """What all requests of a run took."""

    requests: int  # that the engine answered
    failed: int
    asked_again: int
    tried_again: int
    prompt_tokens: int
    reply_tokens: int
    reasoning_tokens: int
    seconds: float | None
    cost: float | None


@dataclass(frozen=True)
class Generation:
    """The settings of a generate step. models, thinking: empty and 0 where the step says nothing."""

    reply_format: str  # `as` in recipe.yaml
    template: str
    sampling: dict[str, Any]  # without parameters that are left to the engine
    n: int
    trials: int
    tries: int
    models: tuple[str, ...] = ()  # names in the recipe
    thinking: int = 0  # tokens; -1: as many as the model likes

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        values = asdict(self)
        of_models = {name: values.pop(name) for name in ("models", "thinking")}
        set_ = {name: value for name, value in of_models.items() if value}
        return {"as": values.pop("reply_format"), **values, **set_}


@dataclass(frozen=True)
class StepFacts:
    """A step other than a filter."""

    name: str  # empty: replies whose step the journals do not name
    kind: str  # generate, render, transform, embed, score, likelihood; unknown: only journals know the step
    generation: Generation | None = None  # None unless `kind` is generate
    spending: Spending | None = None  # None if the step sends no requests

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        settings = self.generation.to_json() if self.generation else {}
        spending = asdict(self.spending) if self.spending else {}
        return {"name": self.name, "kind": self.kind, **settings, **spending}


@dataclass(frozen=True)
class FilterFacts:
    """A filter as it applied in the run."""

    filter: str
    column: str
    where: str  # `expect of STEP`, `steps` or `finish`
    reason_at: str  # what the rows that it dropped have in `reason_at`
    options: dict[str, Any]  # all options, defaults included
    limits: dict[
        str, dict[str, float]
    ]  # language -> name -> threshold, for those that depend on the language

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "filter": self.filter,
            "of": self.column,
            "place": self.where,
            "at": self.reason_at,
            "options": self.options,
            "by_language": self.limits,
        }


@dataclass(frozen=True)
class RunFacts:
    """Every number there is of a run, finished or not."""

    recipe: Recipe
    folder: str  # name of the run folder
    per_language: int
    shard_size: int
    seeds: str
    model: ModelFacts
    models: dict[str, ModelFacts]  # those besides the run's, by their names in the recipe
    languages: list[Language]
    funnel: list[Funnel]  # one for each language
    shards: dict[str, list[ShardCounts]]  # by language, in order
    lengths: dict[str, Lengths]  # of kept rows: `characters`, `tokens`
    detected: dict[
        str, dict[str, dict[str, int]]
    ]  # column -> requested language -> detected language -> rows
    copies: dict[str, Copies]  # by language
    lost_at: dict[str, dict[str, int]]  # `reason_at` -> reason -> rows
    steps: list[StepFacts]  # in order, without the filters
    filters: list[FilterFacts]  # in the order in which they apply
    total: Total

    def to_json(self) -> dict[str, Any]:
        """Return what `glotmill report --json` prints."""
        return {
            "recipe": {name: getattr(self.recipe, name) for name in _RECIPE},
            "run": {
                "folder": self.folder,
                "per_language": self.per_language,
                "shard_size": self.shard_size,
                "seeds": self.seeds,
                "passes": self.recipe.passes,
                "floor": self.recipe.floor,
            },
            "model": asdict(self.model),
            **(
                {"models": {name: asdict(model) for name, model in self.models.items()}}
                if self.models
                else {}
            ),
            "languages": [{name: getattr(lang, name) for name in _LANGUAGE} for lang in self.languages],
            "funnel": [counts.to_json() for counts in self.funnel],
            "shards": {tag: [asdict(shard) for shard in shards] for tag, shards in self.shards.items()},
            "lengths": {unit: asdict(lengths) for unit, lengths in self.lengths.items()},
            "detected": self.detected,
            "duplicates": {tag: copies.to_json() for tag, copies in self.copies.items()},
            "lost_at": self.lost_at,
            "steps": [step.to_json() for step in self.steps],
            "filters": [filter_facts.to_json() for filter_facts in self.filters],
            "total": asdict(self.total),
        }
