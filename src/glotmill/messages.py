"""Values that pass between a run and an engine: Message, Sampling, Request, Reply and Engine."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

# Tasks of a request, and what its messages then are.
CHAT = "chat"  # a chat; where the last message is the assistant's, the reply goes on from it
COMPLETION = "completion"  # one message, whose text goes to the model as it is, without a chat template
EMBED = "embed"  # one message: the text; the reply holds its vector in `values`
SCORE = "score"  # a chat for a reward model, or two user messages for a cross-encoder; one number in `values`
LIKELIHOOD = "likelihood"  # a chat whose last message is the text; the reply holds its `logprobs`

# Tokens of thinking, other than a number of them.
NO_THINKING = 0
ANY_THINKING = -1  # as many as the model likes, within max_tokens

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: str  # system, user or assistant
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters, under vLLM's names. None leaves the engine's (for vLLM: the model's) default."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    max_tokens: int | None = None  # tokens of the reply, thoughts included
    min_tokens: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None  # how many alternatives a token carries; 0 is the chosen token alone
    others: str = ""  # further parameters of vLLM, such as bad_words, as canonical JSON

    @lru_cache(maxsize=1024)  # noqa: B019 a run has a handful of samplings and asks for each by the thousand
    def given(self) -> Mapping[str, Any]:
        """Return the parameters that are set, those of `others` among them."""
        values = {f.name: v for f in fields(self) if (v := getattr(self, f.name)) not in (None, (), "")}
        others = json.loads(values.pop("others", "{}"))
        return MappingProxyType({**values, **others})


@dataclass(frozen=True)
class Request:
    """Everything that a reply depends on."""

    messages: tuple[Message, ...]
    model: str
    revision: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0  # 0 .. 2**63 - 1
    sample: int = 0  # sample number: the same request again, for another reply
    schema: str = ""  # JSON schema of the reply, as canonical JSON; empty: free text
    alias: str = ""  # name of the model in the recipe; empty: the model of the run
    task: str = CHAT
    choice: tuple[str, ...] = ()  # the reply is one of these
    regex: str = ""  # the reply matches it from end to end
    grammar: str = ""  # the reply follows it, in the notation that vLLM takes (EBNF)
    allowed_scripts: tuple[str, ...] = ()  # scripts of its letters, such as Deva (ISO 15924); none: any
    thinking: int = NO_THINKING  # tokens of thinking before the reply
    chat_template_kwargs: str = ""  # arguments of the model's chat template, as canonical JSON
    lora: str = ""  # name or folder of a LoRA adapter
    # Where a language needs more than `sampling` says. Not in the key: it is the same reply, not cut off.
    max_tokens: int | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The sampling parameters that are set, with the tokens that the reply may have in this language."""
        given = self.sampling.given()
        return given if self.max_tokens is None else {**given, "max_tokens": self.max_tokens}

    @cached_property
    def key(self) -> str:
        """Hash of everything that can change the reply: 32 hexadecimal digits."""
        parts: list[Any] = [
            [[m.role, m.content] for m in self.messages],
            self.model,
            self.revision,
            dict(self.sampling.given()),
            self.seed,
            self.sample,
            self.schema,
        ]
        # Only what is set: journals keep their keys when a request learns something new.
        if given := {name: value for name in _OPTIONAL if (value := getattr(self, name)) != _DEFAULTS[name]}:
            parts.append(given)
        text = _encode(parts)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


_OPTIONAL = (
    *("alias", "task", "choice", "regex", "grammar"),
    *("allowed_scripts", "thinking", "chat_template_kwargs", "lora"),
)
_DEFAULTS = {f.name: f.default for f in fields(Request)}


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request: a text, or the reason why there is none in `failure`."""

    text: str  # without the model's thoughts
    finish_reason: str = "stop"  # stop, length, or failed
    prompt_tokens: int = 0
    completion_tokens: int = 0
    logprobs: tuple[float, ...] | None = None  # of the chosen tokens, one each
    reasoning: str = ""  # what the model thought before the text
    reasoning_tokens: int = 0  # of these thoughts; `completion_tokens` counts them too
    values: tuple[float, ...] | None = None  # the vector of an `embed` request, the one number of a `score`
    failure: str = ""  # the short name of a RequestFailed
    detail: str = ""  # a line about the failure, for a person
    # How the request went, not part of the answer; the request queue measures what an engine leaves out.
    seconds: float = field(default=0.0, compare=False)  # since the engine received the request; 0: unknown
    tries: int = field(default=1, compare=False)  # how often the engine received the request

    def to_json(self) -> dict[str, Any]:
        """Return the reply as a line of a journal: without empty fields."""
        values = {name: getattr(self, name) for name in Reply.__slots__}
        defaults = {"seconds": 0.0, "tries": 1, "reasoning_tokens": 0}
        return {n: v for n, v in values.items() if v is not None and v != defaults.get(n, "")}


Engine: TypeAlias = Callable[[Request], Awaitable[Reply]]
"""An open engine. Raises RequestFailed for this request alone, EngineError when it cannot go on at all."""
