"""A recipe as frozen values: languages, seeds, steps, output. `recipes.read` makes them from recipe.yaml."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, field_validator

from glotmill.columns import system_column
from glotmill.io.hub_names import Task
from glotmill.languages import find as find_language
from glotmill.recipes.steps import Filter, Generate, Name, Step, Strict

# Keys that change no row: descriptions, the number of rows, and the languages.
_WITHOUT_EFFECT_ON_ROWS = {
    *("about", "papers", "seeds_license", "tasks", "languages", "passes", "floor", "seeds", "output"),
    "models",  # which models they are counts, not how they are opened
}
SEED_SOURCES = {"draw": "lists to draw from", "rows": "a table", "dataset": "a dataset on the Hub"}


class Draw(Strict):
    """Seeds drawn from named lists: every combination, or `size` of them; `random_seed` sets the order."""

    draw: dict[str, list[Any]] = Field(min_length=1)
    # draws with replacement; none: every combination once
    size: int | None = Field(None, ge=1, le=10_000_000)
    random_seed: int = 0


class Table(Strict):
    """Seed rows written in the recipe itself."""

    rows: list[dict[str, Any]] = Field(min_length=1)


class Dataset(Strict):
    """Seed rows streamed from a dataset on the Hugging Face Hub."""

    dataset: str
    config: str | None = None
    split: str = "train"
    revision: str | None = None
    columns: list[str] | None = None


def _seed_source(value: Any) -> str | None:
    """Return which kind of seeds a value is; None if it is none of them, or several at once."""
    if isinstance(value, str):
        return "file"
    if isinstance(value, BaseModel):
        return "rows" if isinstance(value, Table) else type(value).__name__.lower()
    kinds = [key for key in SEED_SOURCES if key in value] if isinstance(value, dict) else []
    return kinds[0] if len(kinds) == 1 else None


SeedSource = Annotated[
    Annotated[str, Tag("file")]
    | Annotated[Draw, Tag("draw")]
    | Annotated[Table, Tag("rows")]
    | Annotated[Dataset, Tag("dataset")],
    Discriminator(_seed_source),
]


# A recipe may come from a stranger: it sets sizes, and neither loads code nor names servers, which get keys.
_RECIPE_ENGINE_ARGS = frozenset(
    {
        *("batch_size", "dtype", "enable_lora", "enforce_eager", "gpu_memory_utilization", "kv_cache_dtype"),
        *("max_logprobs", "max_loras", "max_lora_rank", "max_model_len", "max_num_seqs"),
        *("max_retries", "quantization", "reasoning_parser", "replicas", "task", "tensor_parallel_size"),
        *("text", "timeout_s"),
    }
)


class Model(Strict):
    """A model besides that of the run. What is left out is the run's: an empty entry is the run's model."""

    model: str = ""
    engine: str = ""
    revision: str | None = None
    engine_args: dict[str, Any] = Field(default_factory=dict)

    @field_validator("engine")
    @classmethod
    def _is_no_code(cls, value: str) -> str:
        if ":" in value:
            raise ValueError(
                "an engine of your own is named on the command line: --engine ALIAS=MODULE:FUNCTION"
            )
        return value

    @field_validator("engine_args")
    @classmethod
    def _are_harmless(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name not in _RECIPE_ENGINE_ARGS:
                raise ValueError(
                    f"{name} is not a recipe's to set; give it on the command line: "
                    f"--engine-arg ALIAS.{name}=VALUE"
                )
        return value


class Output(Strict):
    """The columns of the dataset: `messages`, made from columns of the table, and columns copied from it."""

    # role -> column; `reasoning` holds the thoughts of the assistant before its answer
    messages: dict[Literal["system", "user", "assistant", "reasoning"], str] | None = None
    columns: list[str] = Field(default_factory=list)


class Recipe(Strict):
    """A well-formed recipe. Whether its steps fit together is checked by `runner.check`."""

    about: str
    papers: list[str] = Field(default_factory=list)
    languages: list[str] = Field(default_factory=list)  # canonical tags; used where the user names none
    seeds: SeedSource
    seeds_license: str = ""  # license of these seeds, for the dataset card; empty: unknown
    tasks: list[Task] = Field(default_factory=list)  # task categories of the Hub, for the dataset card
    models: dict[Name, Model] = Field(default_factory=dict)
    steps: tuple[Step, ...] = Field(min_length=1)
    finish: tuple[Filter, ...] = ()
    output: Output = Field(default_factory=Output)
    passes: int = Field(100, ge=1, le=1_000_000)  # how many times the seeds may be used
    floor: float = Field(0.1, ge=0, le=1)  # a language is given up if a lower share of seed rows yields rows
    name: str = ""  # name of the folder
    file: Path = Field(Path(), exclude=True)  # recipe.yaml or, where a template is the recipe, the template

    @property
    def folder(self) -> Path:
        """The folder with the recipe's files."""
        return self.file.parent

    @field_validator("languages", mode="before")
    @classmethod
    def _canonical(cls, value: Any) -> Any:
        return [find_language(name).tag for name in value] if isinstance(value, list) else value

    @field_validator("models", mode="before")
    @classmethod
    def _empty_is_the_runs(cls, value: Any) -> Any:
        """Read `judge:` with nothing behind it as an entry without keys."""
        return {n: {} if v is None else v for n, v in value.items()} if isinstance(value, dict) else value

    @property
    def live_steps(self) -> list[Step]:
        """The steps without `skip: true`."""
        return [step for step in self.steps if not step.skip]

    @property
    def continued(self) -> frozenset[str]:
        """The steps in whose conversation another step goes on."""
        return frozenset(s.after for s in self.live_steps if isinstance(s, Generate) and s.after)

    @property
    def shown_system(self) -> frozenset[str]:
        """The generate steps whose system message is in the output."""
        named = {*(self.output.messages or {}).values(), *self.output.columns}
        return frozenset(
            s.name for s in self.live_steps if isinstance(s, Generate) and system_column(s.name) in named
        )

    def resolved(self) -> dict[str, Any]:
        """Return the recipe as JSON values, as run.json holds it."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def digest(self) -> str:
        """Return a hash of everything that affects rows: not of prose, nor of how many rows are asked for."""
        values = {k: v for k, v in self.resolved().items() if k not in _WITHOUT_EFFECT_ON_ROWS}
        return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
