"""The steps of a recipe as frozen values: Generate, Render, Transform, Filter. Their fields are YAML keys."""

import json
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from glotmill.messages import Sampling


class Strict(BaseModel):
    """A frozen value that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _identifier(value: str) -> str:
    if not value.isidentifier() or value.startswith("_"):
        raise ValueError("a step's name is the name of a column; write it with letters, digits and _")
    return value


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


Name = Annotated[str, AfterValidator(_identifier)]


class Filter(BaseModel):
    """A step that keeps or drops rows: name of the filter, column that it reads, options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    filter: str
    of: str = ""  # the column; may be left out in `expect`, where it is the column of the step
    skip: bool = False

    @property
    def name(self) -> str:
        """The name by which `--set steps.NAME` finds it."""
        return self.filter

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments for the filter function."""
        return dict(self.model_extra or {})


class Transform(BaseModel):
    """A step that turns one table into another: name of the transform, options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    transform: str
    skip: bool = False

    @property
    def name(self) -> str:
        """The name by which `--set steps.NAME` finds it."""
        return self.transform

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments for the transform function."""
        return dict(self.model_extra or {})


class Examples(Strict):
    """Few-shot rows that a template reads as `{{ examples }}`."""

    file: str  # a .jsonl file in the recipe folder
    n: int = Field(1, ge=1, le=64)  # examples per row, drawn by the id of the row


class Render(Strict):
    """A step that renders a template into a column, without an engine."""

    render: Name
    template: str = ""
    skip: bool = False

    @property
    def name(self) -> str:
        """The name by which `--set steps.NAME` finds it."""
        return self.render

    @property
    def template_name(self) -> str:
        """File name of the template without `.j2`."""
        return self.template or self.render


class Generate(Strict):
    """A step that renders a template, sends it to the engine and parses the reply into a column."""

    generate: Name
    template: str = ""
    skip: bool = False
    as_: Literal["text", "json", "lines", "turns", "tag"] = Field("text", alias="as")
    schema_: dict[str, Any] | None = Field(None, alias="schema", min_length=1)
    n: int = Field(1, ge=1, le=1024)  # samples: rows that each row becomes, one reply each
    trials: int = Field(1, ge=1, le=64)  # replies per row; the column is the list of those that pass
    tries: int = Field(1, ge=1, le=100)  # requests per reply, until one parses and passes `expect`
    expect: tuple[Filter, ...] = ()  # filters applied to the reply at once
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
    # Further sampling parameters of vLLM, under its names.
    bad_words: list[str] | None = Field(None, max_length=1024)
    stop_token_ids: list[int] | None = None
    allowed_token_ids: list[int] | None = None
    logit_bias: dict[int, float] | None = None
    ignore_eos: bool | None = None
    include_stop_str_in_output: bool | None = None
    skip_special_tokens: bool | None = None
    spaces_between_special_tokens: bool | None = None
    repetition_detection: dict[str, int] | None = None  # ends a reply that goes round in circles
    extra_args: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """The name by which `--set steps.NAME` finds it."""
        return self.generate

    @property
    def template_name(self) -> str:
        """File name of the template without `.j2`."""
        return self.template or self.generate

    @cached_property
    def sampling(self) -> Sampling:
        """Sampling parameters of the requests of this step."""
        named = {n: getattr(self, n) for n in Sampling.__dataclass_fields__ if n != "others"}
        others = {n: value for n in OTHER_PARAMETERS if (value := getattr(self, n)) is not None}
        return Sampling(**named, others=_canonical(others) if others else "")

    @cached_property
    def schema_text(self) -> str:
        """The schema as canonical JSON; empty for free text."""
        return _canonical(self.schema_) if self.schema_ else ""


OTHER_PARAMETERS = (
    *("bad_words", "stop_token_ids", "allowed_token_ids", "logit_bias", "ignore_eos"),
    *("include_stop_str_in_output", "skip_special_tokens", "spaces_between_special_tokens"),
    *("repetition_detection", "extra_args"),
)

STEP_KINDS: dict[str, type[BaseModel]] = {
    "generate": Generate,
    "render": Render,
    "transform": Transform,
    "filter": Filter,
}


def _kind(value: Any) -> str | None:
    """Return which kind of step a value is; None if it is none of them, or several at once."""
    if isinstance(value, BaseModel):
        return type(value).__name__.lower()
    kinds = [key for key in STEP_KINDS if key in value] if isinstance(value, dict) else []
    return kinds[0] if len(kinds) == 1 else None


Step = Annotated[
    Annotated[Generate, Tag("generate")]
    | Annotated[Render, Tag("render")]
    | Annotated[Transform, Tag("transform")]
    | Annotated[Filter, Tag("filter")],
    Discriminator(_kind),
]
