"""Values that pass between a run and an engine: Message, Sampling, Request, Reply and Engine."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

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
    max_tokens: int | None = None  # tokens of the reply alone
    min_tokens: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None  # how many alternatives a token carries; 0 is the chosen token alone

    @lru_cache(maxsize=1024)  # noqa: B019 a run has a handful of samplings and asks for each by the thousand
    def given(self) -> Mapping[str, Any]:
        """Return the parameters that are set."""
        values = {f.name: v for f in fields(self) if (v := getattr(self, f.name)) is not None and v != ()}
        return MappingProxyType(values)


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

    @cached_property
    def key(self) -> str:
        """Hash of everything that can change the reply: 32 hexadecimal digits."""
        parts = [
            [[m.role, m.content] for m in self.messages],
            self.model,
            self.revision,
            dict(self.sampling.given()),
            self.seed,
            self.sample,
            self.schema,
        ]
        text = _encode(parts)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request: a text, or the reason why there is none in `failure`."""

    text: str
    finish_reason: str = "stop"  # stop, length, or failed
    prompt_tokens: int = 0
    completion_tokens: int = 0
    logprobs: tuple[float, ...] | None = None  # of the chosen tokens, one each
    failure: str = ""  # the short name of a RequestFailed
    detail: str = ""  # a line about the failure, for a person
    # How the request went, not part of the answer; the request queue measures what an engine leaves out.
    seconds: float = field(default=0.0, compare=False)  # since the engine received the request; 0: unknown
    tries: int = field(default=1, compare=False)  # how often the engine received the request

    def to_json(self) -> dict[str, Any]:
        """Return the reply as a line of a journal: without empty fields."""
        values = {name: getattr(self, name) for name in Reply.__slots__}
        defaults = {"seconds": 0.0, "tries": 1}
        return {n: v for n, v in values.items() if v is not None and v != defaults.get(n, "")}


Engine: TypeAlias = Callable[[Request], Awaitable[Reply]]
"""An open engine. Raises RequestFailed for this request alone, EngineError when it cannot go on at all."""
