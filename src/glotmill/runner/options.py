"""What a run is asked for, what it is made of, and where it is."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from glotmill.recipes.model import Recipe
from glotmill.recipes.seeds import Seeds
from glotmill.runner.folder import Run
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.requests import RequestQueue

NANO = "glotmill-nano"
WINDOW = 512  # requests in flight


class RunOptions(TypedDict, total=False):
    """What a user may say of a run."""

    languages: Sequence[str]  # none: those of the recipe
    per_language: int  # accepted rows; 100
    seeds: str | None  # file, dataset id or -; none: the recipe's
    engine: str  # vllm, transformers, openai, replay, echo, or module:function; none: what is installed
    model: str  # a model's name or folder; glotmill-nano
    revision: str | None  # of the model
    engine_args: dict[str, Any]  # to the library's own arguments
    settings: Sequence[str]  # overrides of the recipe: steps.draft.temperature=0.3
    folder: str | Path  # of the run; runs/<recipe>-<model>
    window: int  # requests in flight; 512
    max_failures: float  # share of the last 200 requests that may fail; 0.2
    watch: Callable[["Progress"], None]  # called about once a second


@dataclass
class Progress:
    """Where a run is, for whoever watches."""

    run: Run
    quotas: list[LanguageQuota]
    note: str = ""  # what happens now, if it is not generation
    request_queue: RequestQueue | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the run began, by the wall clock."""
        return time.monotonic() - self.began


@dataclass(frozen=True)
class PreparedRun:
    """A run, checked and ready."""

    recipe: Recipe
    seeds: Seeds
    quotas: list[LanguageQuota]
    run: Run
    engine: str
    options: RunOptions

    @property
    def model(self) -> str:
        """The model's name or folder."""
        return self.options.get("model") or NANO

    @property
    def window(self) -> int:
        """Requests in flight."""
        return self.options.get("window", WINDOW)
