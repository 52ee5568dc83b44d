"""RunOptions: what a user requests. PreparedRun: the checked run. Progress: how far it is."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from glotmill.recipes.model import Recipe
from glotmill.recipes.seeds import Seeds
from glotmill.runner.engine import EngineOptions
from glotmill.runner.folder import Run
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.requests import RequestQueue

WINDOW = 512  # requests in flight


class RunOptions(TypedDict, total=False):
    """Keyword arguments of `glotmill.run(recipe, **options)`. All may be left out."""

    languages: Sequence[str]  # default: the languages of the recipe
    per_language: int  # accepted rows per language; default: 100
    seeds: str | None  # file, Hub dataset, or - for stdin; default: the seeds of the recipe
    engine: str  # vllm, transformers, openai, replay, echo, or module:function; default: what is installed
    model: str  # name or folder of a model; default: glotmill-nano
    revision: str | None  # branch, tag or commit of the model
    engine_args: dict[str, Any]  # arguments for the engine's library
    settings: Sequence[str]  # overrides of the recipe, such as steps.draft.temperature=0.3
    folder: str | Path  # the run folder; default: runs/<recipe>-<model>
    window: int  # requests in flight; default: 512
    max_failures: float  # stop if more than this share of the last 200 requests fail; default: 0.2
    watch: Callable[["Progress"], None]  # called about once a second


@dataclass
class Progress:
    """Where a run is, as `watch` sees it."""

    run: Run
    quotas: list[LanguageQuota]
    note: str = ""  # what the run is doing; empty while it generates
    request_queue: RequestQueue | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began


@dataclass(frozen=True)
class PreparedRun:
    """A run that is checked and ready to start."""

    recipe: Recipe
    seeds: Seeds
    uses_recipe_seeds: bool  # false if the user names others
    quotas: list[LanguageQuota]
    run: Run
    engine: EngineOptions
    window: int
    max_failures: float
