"""The steps of a recipe as frozen values: generate, render, transform, filter. Unknown keys are refused."""

import json
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from glotmill.messages import Sampling


class Strict(BaseModel):
    """A frozen value that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _identifier(value: str) -> str:
    if not value.isidentifier() or value.startswith("_"):
        raise ValueError("a step's name is the name of a column; write it with letters, digits and _")
    return value


Name = Annotated[str, AfterValidator(_identifier)]


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


class Examples(Strict):
    """Few-shot rows for a template's `{{ examples }}`."""

    file: str  # .jsonl in the recipe's folder
    n: int = Field(1, ge=1, le=64)  # how many a row is shown, drawn by the row's id


class Render(Strict):
    """A template whose text becomes a column, without a model."""

    render: Name
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


class Generate(Strict):
    """A template that is put to the model; the reply becomes a column."""

    generate: Name
    template: str = ""
    skip: bool = False
    as_: Literal["text", "json", "lines", "turns", "tag"] = Field("text", alias="as")
    schema_: dict[str, Any] | None = Field(None, alias="schema", min_length=1)
    n: int = Field(1, ge=1, le=1024)  # rows made of each row, one a reply
    trials: int = Field(1, ge=1, le=64)  # replies to each row, whose values are a list
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


KINDS = {"generate": Generate, "render": Render, "transform": Transform, "filter": Filter}


def _kind(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return type(value).__name__.lower()
    kinds = [k for k in KINDS if k in value] if isinstance(value, dict) else []
    return kinds[0] if len(kinds) == 1 else None


Step = Annotated[
    Annotated[Generate, Tag("generate")]
    | Annotated[Render, Tag("render")]
    | Annotated[Transform, Tag("transform")]
    | Annotated[Filter, Tag("filter")],
    Discriminator(_kind),
]
