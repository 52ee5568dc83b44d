"""A recipe: languages, seeds, steps and output, read from `recipe.yaml` into frozen values.

Unknown keys are refused. Every error names the file, the place, what is there and what to do.
"""

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError, field_validator

from glotmill.errors import RecipeError
from glotmill.io.hub_names import Task
from glotmill.languages import find as find_language
from glotmill.plugins import did_you_mean
from glotmill.recipes.read import override, refuse_hostile, values
from glotmill.recipes.steps import (
    KINDS,
    Examples,
    Filter,
    Generate,
    Render,
    Step,
    Strict,
    Transform,
)

__all__ = ["Filter", "Generate", "Recipe", "Render", "Step", "Transform", "built_in", "locate", "read"]

BUILT_IN = Path(__file__).parent.parent / "prompts"
_PROSE = ("about", "papers", "seeds_license", "tasks", "languages", "passes", "floor", "seeds", "output")
SOURCES = {"draw": "lists to draw from", "rows": "a table", "dataset": "a dataset on the Hub"}


class Draw(Strict):
    """Seeds drawn from named lists: every combination, or `size` of them; `random_seed` sets the order."""

    draw: dict[str, list[Any]] = Field(min_length=1)
    size: int | None = Field(None, ge=1, le=10_000_000)  # drawn with replacement; none: the whole product
    random_seed: int = 0


class Table(Strict):
    """Seeds written inside the recipe."""

    rows: list[dict[str, Any]] = Field(min_length=1)


class Dataset(Strict):
    """Seeds from a dataset on the Hugging Face Hub, streamed."""

    dataset: str
    config: str | None = None
    split: str = "train"
    revision: str | None = None
    columns: list[str] | None = None


def _source(value: Any) -> str | None:
    if isinstance(value, str):
        return "file"
    if isinstance(value, BaseModel):
        return "rows" if isinstance(value, Table) else type(value).__name__.lower()
    kinds = [k for k in SOURCES if k in value] if isinstance(value, dict) else []
    return kinds[0] if len(kinds) == 1 else None


Source = Annotated[
    Annotated[str, Tag("file")]
    | Annotated[Draw, Tag("draw")]
    | Annotated[Table, Tag("rows")]
    | Annotated[Dataset, Tag("dataset")],
    Discriminator(_source),
]


class Output(Strict):
    """What a kept row leaves as: `messages` made of named columns, and the columns beside them."""

    # role -> column; `reasoning`: what the assistant thought before it answered, kept apart
    messages: dict[Literal["system", "user", "assistant", "reasoning"], str] | None = None
    columns: list[str] = Field(default_factory=list)


class Recipe(Strict):
    """A recipe, read and well-formed; `check` finds out whether its parts fit each other."""

    about: str
    papers: list[str] = Field(default_factory=list)
    # canonical tags; what is made where the user names none
    languages: list[str] = Field(default_factory=list)
    seeds: Source
    seeds_license: str = ""  # of the seeds above, as a dataset's card tells it; empty: not known
    tasks: list[Task] = Field(default_factory=list)  # what it can be used for, as the Hub calls it
    steps: tuple[Step, ...] = Field(min_length=1)
    finish: tuple[Filter, ...] = ()
    output: Output = Field(default_factory=Output)
    passes: int = Field(100, ge=1, le=1_000_000)  # how often the seeds may be gone through
    floor: float = Field(0.02, ge=0, le=1)  # a language whose acceptance falls under it is given up
    name: str = ""  # the folder's name
    file: Path = Field(Path(), exclude=True)  # recipe.yaml, or the single template

    @property
    def folder(self) -> Path:
        """Where the recipe's files are."""
        return self.file.parent

    @field_validator("languages", mode="before")
    @classmethod
    def _canonical(cls, value: Any) -> Any:
        if value is False:  # a bare no
            return [find_language(value).tag]
        return [find_language(v).tag for v in value] if isinstance(value, list) else value

    @property
    def live_steps(self) -> list[Step]:
        """The steps that are not skipped."""
        return [step for step in self.steps if not step.skip]

    def resolved(self) -> dict[str, Any]:
        """The whole recipe as plain values, as `run.json` keeps it."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def digest(self) -> str:
        """Hash of all that decides about rows; not of prose, nor of how many are wanted."""
        plain = self.resolved()
        for key in _PROSE:  # decide nothing about rows
            plain.pop(key, None)
        return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def read(source: str | Path, settings: Iterable[str] = ()) -> Recipe:
    """Read a recipe by its name, its folder, or a single template file.

    settings: overrides such as `steps.draft.temperature=0.3`. Raises RecipeError.
    """
    folder = locate(source)
    if folder.suffix == ".j2":
        return _from_template(folder, settings)
    path = folder / "recipe.yaml"
    plain = values(path)
    for setting in settings:
        override(plain, setting)
    return _validate(plain, path, folder.name)


def locate(source: str | Path) -> Path:
    """Return the folder of a recipe (or the file of a single template). Raises RecipeError."""
    text = str(source)
    given = Path(source)
    if text.endswith(".j2") and given.is_file():
        return given.resolve()
    if (given / "recipe.yaml").is_file():
        return given.resolve()
    if text.isidentifier() and (BUILT_IN / text / "recipe.yaml").is_file():
        return (BUILT_IN / text).resolve()
    if given.is_dir():
        raise RecipeError(f"{given}: a folder without recipe.yaml; `glotmill new {given}` writes one")
    if given.exists():
        raise RecipeError(f"{given}: neither a recipe's folder nor a .j2 template")
    if text.endswith(".j2"):
        raise RecipeError(f"{text}: no such file")
    raise RecipeError(f"no recipe {text!r}{did_you_mean(text, built_in())}")


def built_in() -> list[str]:
    """Return the names of the recipes that ship."""
    return sorted(path.parent.name for path in BUILT_IN.glob("*/recipe.yaml"))


def _from_template(path: Path, settings: Iterable[str]) -> Recipe:
    name = path.name.removesuffix(".j2")
    plain: dict[str, Any] = {
        "about": f"One reply to {path.name} for every seed.",
        "seeds": "-",
        "steps": [
            {"generate": "reply", "template": name, "max_tokens": 1024},
            {"filter": "length", "of": "reply"},
            {"filter": "language", "of": "reply"},
        ],
        "finish": [{"filter": "duplicates", "of": "reply"}],
        "output": {"messages": {"user": "reply_prompt", "assistant": "reply"}},
    }
    for setting in settings:
        override(plain, setting)
    return _validate(plain, path, name)


def _validate(plain: dict[str, Any], path: Path, name: str) -> Recipe:
    refuse_hostile(plain, path)
    for key in ("name", "file"):
        if key in plain:
            raise RecipeError(f"{path}: {key}: unknown key; a recipe is called as its folder is")
    try:
        return Recipe.model_validate({**plain, "file": path, "name": name})
    except ValidationError as error:
        errors = error.errors()
        whole = [e for e in errors if not any(_within(other, e) for other in errors)]
        raise RecipeError("\n".join(_explain(e, path) for e in whole[:5])) from None
    except RecipeError as error:
        raise RecipeError(f"{path}: languages: {error}") from None


def _within(part: Any, whole: Any) -> bool:
    """Whether one error is about a part of what another is about."""
    return len(part["loc"]) > len(whole["loc"]) and part["loc"][: len(whole["loc"])] == whole["loc"]


def _explain(error: Any, path: Path) -> str:
    parts = [str(part) for part in error["loc"] if part != "[key]"]
    if parts[0] in ("steps", "seeds"):  # a part behind names only which kind was read
        place = 2 if parts[0] == "steps" else 1
        parts = parts[:place] + parts[place + 1 :]
    where = ".".join(parts)
    there = f"there is {error['input']!r:.80}"
    match error["type"]:
        case "extra_forbidden":
            known = sorted(
                {f.alias or n for m in _MODELS for n, f in m.model_fields.items()} - {"name", "file"}
            )
            return f"{path}: {where}: unknown key{did_you_mean(str(error['loc'][-1]), known)}"
        case "union_tag_not_found" if parts[0] == "seeds":
            kinds = ", ".join(f"`{key}:` ({what})" for key, what in SOURCES.items())
            return f"{path}: seeds: give a file, or one of {kinds}; {there}"
        case "union_tag_not_found":
            return f"{path}: {where}: a step is one of {', '.join(KINDS)}; {there}"
    text = error["msg"].removeprefix("Value error, ")
    return f"{path}: {where}: {text[:1].lower()}{text[1:]}; {there}"


_MODELS: tuple[type[BaseModel], ...] = (
    *(Recipe, Generate, Render, Filter, Transform),
    *(Examples, Draw, Table, Dataset, Output),
)
