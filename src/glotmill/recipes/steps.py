"""The steps of a recipe as frozen values. Their fields are YAML keys.

Generate, Embed, Score and Likelihood ask a model; Render, Transform and Filter do not.
"""

import json
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from glotmill.messages import ANY_THINKING, NO_THINKING, Sampling


class Strict(BaseModel):
    """A frozen value that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _identifier(value: str) -> str:
    if not value.isidentifier() or value.startswith("_"):
        raise ValueError("a step's name is the name of a column; write it with letters, digits and _")
    return value


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _off(value: Any) -> Any:
    """Return `off` as it was written: YAML takes it for false."""
    return "off" if value is False else value


def _thinking(value: Any) -> Any:
    """Read `off`, which YAML takes for false, `keep`, or a number of tokens."""
    words = {"off": NO_THINKING, "keep": ANY_THINKING}
    if value is False:
        return NO_THINKING
    if isinstance(value, str) and value in words:
        return words[value]
    if isinstance(value, int) and not isinstance(value, bool) and value >= ANY_THINKING:
        return value
    raise ValueError("write off, keep, or the number of tokens that the model may think")


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
    model: str = ""  # name of a model under `models:` of the recipe; empty: the model of the run
    models: tuple[str, ...] = ()  # several: one reply from each; the column is the list of those that pass
    lora: str = ""  # name or folder of a LoRA adapter
    after: str = ""  # an earlier step: go on in its conversation
    completion: bool = False  # send the text as it is, without the model's chat template
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)
    # tokens of thinking before the reply: off, keep (as many as the model likes), or a number
    thinking: Annotated[int, BeforeValidator(_thinking)] = NO_THINKING
    # how to ask again when the thinking did not end: with twice the tokens, or without thinking
    unfinished_thinking: Annotated[Literal["more", "off"], BeforeValidator(_off)] = "more"
    choice: tuple[str, ...] = ()  # the reply is one of these
    regex: str = ""  # the reply matches it from end to end
    grammar: str = ""  # the reply follows it (EBNF)
    allowed_scripts: bool = False  # only letters of the language's script are sampled
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

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models that reply, by their names in the recipe; an empty name is the model of the run."""
        return self.models or (self.model,)

    @property
    def replies(self) -> int:
        """Replies to each row, of which those that pass are kept."""
        return self.trials * len(self.model_names)

    @property
    def makes_list(self) -> bool:
        """Whether the column is a list of replies."""
        return self.trials > 1 or bool(self.models)

    @model_validator(mode="after")
    def _fits_together(self) -> "Generate":
        constraints = [n for n in ("schema", "choice", "regex", "grammar") if getattr(self, _FIELD.get(n, n))]
        if len(constraints) > 1:
            raise ValueError(f"{' and '.join(constraints)}: a reply can follow only one of them")
        if self.model and self.models:
            raise ValueError("model and models: name one model, or a list of them")
        if len(set(self.models)) < len(self.models):
            raise ValueError("models: names one twice; for several replies of one model use `trials`")
        if self.completion and (self.after or self.chat_template_kwargs or self.thinking):
            raise ValueError(
                "completion: goes without a chat, so without after, chat_template_kwargs, thinking"
            )
        return self

    @cached_property
    def chat_template_text(self) -> str:
        """The arguments of the chat template as canonical JSON; empty if there are none."""
        return _canonical(self.chat_template_kwargs) if self.chat_template_kwargs else ""

    @cached_property
    def schema_text(self) -> str:
        """The schema as canonical JSON; empty for free text."""
        return _canonical(self.schema_) if self.schema_ else ""


class _Measure(Strict):
    """A step that asks a model for numbers about a text."""

    skip: bool = False
    model: str = ""  # name of a model under `models:` of the recipe; empty: the model of the run


class Embed(_Measure):
    """A step that adds the vector of a text."""

    embed: Name
    of: str  # column of texts

    @property
    def name(self) -> str:
        """The name by which `--set steps.NAME` finds it."""
        return self.embed


class Score(_Measure):
    """A step that adds a score: of a chat, by a reward model, or of two texts, by a cross-encoder."""

    score: Name
    template: str = ""  # the chat
    of: tuple[str, ...] = ()  # the columns of the two texts, instead of a template

    @property
    def name(self) -> str:
        """The name by which `--set steps.NAME` finds it."""
        return self.score

    @property
    def template_name(self) -> str:
        """File name of the template without `.j2`; empty if there is none."""
        return "" if self.of else self.template or self.score

    @model_validator(mode="after")
    def _has_one_source(self) -> "Score":
        if self.of and (self.template or len(self.of) != 2):
            raise ValueError("give either a template, or `of:` with two columns")
        return self


class Likelihood(_Measure):
    """A step that adds how likely a model finds a text: the mean log-probability of its tokens."""

    likelihood: Name
    of: str  # column of texts
    template: str = ""  # the chat that the text answers; none: the text alone

    @property
    def name(self) -> str:
        """The name by which `--set steps.NAME` finds it."""
        return self.likelihood

    @property
    def template_name(self) -> str:
        """File name of the template without `.j2`; empty if there is none."""
        return self.template


Asking = Generate | Embed | Score | Likelihood
"""Steps that ask a model."""

WithTemplate = Generate | Render | Score | Likelihood
"""Steps that may have a template; `template_name` is empty where they have none."""

_FIELD = {"schema": "schema_"}
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
    "embed": Embed,
    "score": Score,
    "likelihood": Likelihood,
}
_WITH_OPTIONS = ("transform", "filter")  # an option of theirs may be named like a kind of step


def _kind(value: Any) -> str | None:
    """Return which kind of step a value is; None if it is none of them, or several at once."""
    if isinstance(value, BaseModel):
        return type(value).__name__.lower()
    kinds = [key for key in STEP_KINDS if key in value] if isinstance(value, dict) else []
    with_options = [kind for kind in kinds if kind in _WITH_OPTIONS]
    if len(with_options) == 1 and not {"generate", "render"} & set(kinds):
        return with_options[0]
    return kinds[0] if len(kinds) == 1 else None


Step = Annotated[
    Annotated[Generate, Tag("generate")]
    | Annotated[Render, Tag("render")]
    | Annotated[Transform, Tag("transform")]
    | Annotated[Filter, Tag("filter")]
    | Annotated[Embed, Tag("embed")]
    | Annotated[Score, Tag("score")]
    | Annotated[Likelihood, Tag("likelihood")],
    Discriminator(_kind),
]
