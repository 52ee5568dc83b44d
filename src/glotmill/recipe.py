"""A recipe: languages, seeds, steps and output, read from `recipe.yaml` into frozen values.

Unknown keys are refused. Every error names the file, the place, what is there and what to do.
"""

import json
from collections.abc import Iterable
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator

from glotmill.chat import Sampling
from glotmill.errors import RecipeError
from glotmill.languages import find as find_language
from glotmill.units import did_you_mean

MAX_RECIPE_BYTES = 1_000_000
BUILT_IN = Path(__file__).parent / "prompts"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Filter(BaseModel):
    """One judgement: the filter's name, the column it judges, and its options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    filter: str
    of: str = ""  # in `expect`: the step's own column
    skip: bool = False

    @property
    def name(self) -> str:
        """What `--set steps.NAME` calls it."""
        return self.filter

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of the filter's function."""
        return dict(self.model_extra or {})


class Transform(BaseModel):
    """A named function from table to table, and its options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    transform: str
    skip: bool = False

    @property
    def name(self) -> str:
        """What `--set steps.NAME` calls it."""
        return self.transform

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of the transform's function."""
        return dict(self.model_extra or {})


class Examples(_Strict):
    """Few-shot rows for a template's `{{ examples }}`."""

    file: str  # .jsonl in the recipe's folder
    n: int = Field(1, ge=1, le=64)  # how many a row is shown, drawn by the row's id


class Render(_Strict):
    """A template whose text becomes a column, without a model."""

    render: str
    template: str = ""
    skip: bool = False

    @property
    def name(self) -> str:
        """What `--set steps.NAME` calls it."""
        return self.render

    @property
    def template_name(self) -> str:
        """The file, without `.j2`."""
        return self.template or self.render


class Generate(_Strict):
    """A template that is put to the model; the reply becomes a column."""

    generate: str
    template: str = ""
    skip: bool = False
    as_: Literal["text", "json", "lines", "turns", "tag"] = Field("text", alias="as")
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    n: int = Field(1, ge=1, le=1024)  # rows made of each row, one a reply
    tries: int = Field(1, ge=1, le=100)
    expect: tuple[Filter, ...] = ()
    examples: Examples | None = None
    temperature: float | None = Field(None, ge=0, le=100)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=-1)
    min_p: float | None = Field(None, ge=0, le=1)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    repetition_penalty: float | None = Field(None, gt=0, le=100)
    max_tokens: int | None = Field(None, ge=1)
    min_tokens: int | None = Field(None, ge=0)
    stop: tuple[str, ...] = ()
    logprobs: int | None = Field(None, ge=0, le=20)

    @property
    def name(self) -> str:
        """What `--set steps.NAME` calls it."""
        return self.generate

    @property
    def template_name(self) -> str:
        """The file, without `.j2`."""
        return self.template or self.generate

    @cached_property
    def sampling(self) -> Sampling:
        """The sampling parameters of every request of this step."""
        return Sampling(**{name: getattr(self, name) for name in Sampling.__dataclass_fields__})

    @cached_property
    def schema_text(self) -> str:
        """The JSON schema as canonical JSON; empty if replies are free."""
        return json.dumps(self.schema_, sort_keys=True, separators=(",", ":")) if self.schema_ else ""


_KINDS = {"generate": Generate, "render": Render, "transform": Transform, "filter": Filter}


def _kind(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return type(value).__name__.lower()
    kinds = [k for k in _KINDS if k in value] if isinstance(value, dict) else []
    return kinds[0] if len(kinds) == 1 else None


Step = Annotated[
    Annotated[Generate, Tag("generate")]
    | Annotated[Render, Tag("render")]
    | Annotated[Transform, Tag("transform")]
    | Annotated[Filter, Tag("filter")],
    Discriminator(_kind),
]


class Draw(_Strict):
    """Seeds drawn from named lists: every combination, or `size` of them, in an order set by `random_seed`."""

    draw: dict[str, list[Any]] = Field(min_length=1)
    size: int | None = Field(
        None, ge=1, le=10_000_000
    )  # rows drawn with replacement; none: the whole product
    random_seed: int = 0


class Table(_Strict):
    """Seeds written inside the recipe."""

    rows: list[dict[str, Any]] = Field(min_length=1)


class Dataset(_Strict):
    """Seeds from a dataset on the Hugging Face Hub, streamed."""

    dataset: str
    config: str | None = None
    split: str = "train"
    revision: str | None = None
    columns: list[str] | None = None


class Output(_Strict):
    """What a kept row leaves as: `messages` made of named columns, and the columns beside them."""

    messages: dict[Literal["system", "user", "assistant"], str] | None = None  # role -> column
    columns: list[str] = []


class Recipe(_Strict):
    """A recipe, read and well-formed; `check` finds out whether its parts fit each other."""

    about: str
    papers: list[str] = []
    languages: list[str] = []  # canonical tags; what is made where the user names none
    seeds: str | Draw | Table | Dataset
    steps: tuple[Step, ...] = Field(min_length=1)
    finish: tuple[Filter, ...] = ()
    output: Output = Output()
    passes: int = Field(100, ge=1, le=1_000_000)  # how often the seeds may be gone through
    floor: float = Field(0.02, ge=0, le=1)  # a language whose acceptance falls under it is given up
    name: str = ""  # the folder's name
    folder: Path = Field(Path(), exclude=True)

    @field_validator("languages", mode="before")
    @classmethod
    def _canonical(cls, value: Any) -> Any:
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
        for key in ("about", "papers", "languages", "passes", "floor", "seeds", "output"):
            plain.pop(key, None)
        return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def read(source: str | Path, settings: Iterable[str] = ()) -> Recipe:
    """Read a recipe by its name, its folder, or a single template file. `settings` are `a.b.c=value` overrides.

    Raises RecipeError.
    """
    folder = locate(source)
    if folder.suffix == ".j2":
        return _from_template(folder, settings)
    path = folder / "recipe.yaml"
    plain = _yaml(path)
    for setting in settings:
        _override(plain, setting)
    return _validate(plain, path, folder, folder.name)


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
    raise RecipeError(f"no recipe {text!r}{did_you_mean(text, built_in())}")


def built_in() -> list[str]:
    """Return the names of the recipes that ship."""
    return sorted(path.parent.name for path in BUILT_IN.glob("*/recipe.yaml"))


def _from_template(path: Path, settings: Iterable[str]) -> Recipe:
    name = path.name.split(".", 1)[0]
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
        _override(plain, setting)
    return _validate(plain, path, path.parent, name)


def _yaml(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_RECIPE_BYTES:
        raise RecipeError(f"{path}: over {MAX_RECIPE_BYTES:,} bytes; put seeds in a file of their own")
    try:
        plain = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(plain, dict):
        raise RecipeError(
            f"{path}: holds a {type(plain).__name__}; a recipe is a mapping that begins with `about:`"
        )
    return plain


def _override(plain: dict[str, Any], setting: str) -> None:
    """Carry out one `steps.draft.temperature=0.3`. A step goes by its name, or by its number from 0."""
    path, equals, text = setting.partition("=")
    if not equals or not path:
        raise RecipeError(f"--set {setting}: write it as --set steps.draft.temperature=0.3")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    *parents, last = path.split(".")
    here: Any = plain
    for part in parents:
        here = _descend(here, part, setting)
    if isinstance(here, list):
        here[_index(here, last, setting)] = value
    elif isinstance(here, dict):
        here[last] = value
    else:
        raise RecipeError(f"--set {setting}: {'.'.join(parents)} is no mapping")


def _descend(here: Any, part: str, setting: str) -> Any:
    if isinstance(here, list):
        return here[_index(here, part, setting)]
    if isinstance(here, dict):
        return here.setdefault(part, {})
    raise RecipeError(f"--set {setting}: there is nothing below {part!r}")


def _index(items: list[Any], part: str, setting: str) -> int:
    if part.isdecimal() and int(part) < len(items):
        return int(part)
    labels = [next((str(i[k]) for k in _KINDS if k in i), "") if isinstance(i, dict) else "" for i in items]
    if labels.count(part) > 1:
        numbers = [str(n) for n, label in enumerate(labels) if label == part]
        raise RecipeError(f"--set {setting}: several are named {part!r}; use a number: {', '.join(numbers)}")
    if part not in labels:
        raise RecipeError(
            f"--set {setting}: nothing named {part!r}{did_you_mean(part, [x for x in labels if x])}"
        )
    return labels.index(part)


def _validate(plain: dict[str, Any], path: Path, folder: Path, name: str) -> Recipe:
    try:
        return Recipe.model_validate({**plain, "folder": folder, "name": name})
    except ValidationError as error:
        raise RecipeError("\n".join(_explain(e, path) for e in error.errors()[:5])) from None
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None


def _explain(error: Any, path: Path) -> str:
    place = ".".join(str(part) for part in error["loc"] if part not in _KINDS)
    known = sorted({f.alias or n for m in _MODELS for n, f in m.model_fields.items()})
    if error["type"] == "extra_forbidden":
        return f"{path}: {place}: unknown key{did_you_mean(str(error['loc'][-1]), known)}"
    if error["type"] == "union_tag_not_found":
        return f"{path}: {place}: a step is one of generate, render, transform, filter; there is {error['input']!r:.80}"
    return f"{path}: {place}: {error['msg'].lower()}; there is {error['input']!r:.80}"


_MODELS: tuple[type[BaseModel], ...] = (
    Recipe,
    Generate,
    Render,
    Filter,
    Transform,
    Draw,
    Table,
    Dataset,
    Output,
)
