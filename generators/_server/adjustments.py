"""What a server does not take, and what it is sent instead."""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glotmill.generators._server.refusals import Refusal
from glotmill.generators._shared.system_role import without_system_role

_logger = logging.getLogger("glotmill")

_LARGEST_SEED = 2**31 - 1  # of servers that keep it in 32 bits
_NEEDED = frozenset(
    ("model", "messages", "prompt", "input", "queries", "documents", "prompt_logprobs", "echo")
)
# What is sent though nobody asked for it by this name: whatever a server says against it, it can go.
_OURS = frozenset(
    (
        *("seed", "response_format", "chat_template_kwargs", "thinking_token_budget", "reasoning_effort"),
        *("continue_final_message", "add_generation_prompt", "encoding_format"),
    )
)
_UNSUPPORTED = re.compile(
    r"unsupported|not support|n't support|does not (accept|recogni[sz]e|take|exist)|unknown|unrecogni[sz]ed"
    r"|unexpected|extra (input|field|key|data|propert)|extra_forbidden|additional propert|no longer"
    r"|not (permitted|allowed|available|recogni[sz]ed|implemented|enabled|a valid (parameter|field|argument))"
    r"|deprecated|unavailable"
    r"|(invalid|no such) (parameter|argument|field|option)|cannot find field|incompatible|不支持",
    re.IGNORECASE,
)
_NO_SYSTEM = re.compile(
    r"system['\"`]? (role|message|prompt|instruction)s?.{0,40}(support|allow|enabled|permit)"
    r"|(support|allow|unknown|invalid|unexpected).{0,40}\bsystem\b|developer instruction is not enabled",
    re.IGNORECASE,
)
_ONLY_STREAMS = re.compile(r"only support\w* stream|stream(ing)?( mode)? (is required|only)", re.IGNORECASE)
_SYSTEM, _STREAM = "role system", "streaming"
_OTHER_NAMES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_LESS_EFFORT = {"none": "minimal", "minimal": "low"}


@dataclass(frozen=True)
class Adjustment:
    """One parameter that goes out otherwise.

    value: only where it has this value, as JSON; empty: always. new_name, new_value: what it becomes; if both
    are None, it is left out. The role system and streaming are parameters as well.
    """

    name: str
    value: str = ""
    new_name: str | None = None
    new_value: Any = None

    def apply(self, body: dict[str, Any]) -> None:
        """Change a body where it holds the parameter."""
        if self.name == _STREAM:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if self.name == _SYSTEM and "messages" in body:
            body["messages"] = without_system_role(body["messages"])
        if self.name not in body or (self.value and self.value != _json(body[self.name])):
            return
        value = body.pop(self.name)
        if self.new_name:
            body[self.new_name] = value
        elif self.new_value == "32 bits":
            body[self.name] = value & _LARGEST_SEED
        elif self.new_value is not None:
            body[self.name] = self.new_value

    def text(self) -> str:
        """Return what happens, for a person."""
        if self.name == _STREAM:
            return "only streams: asked to from now on"
        if self.name == _SYSTEM:
            return "does not take the role `system`: its text goes in front of the user's"
        if self.new_name:
            return f"does not take `{self.name}`: sent as `{self.new_name}`"
        if self.new_value is not None:
            short = self.new_value["type"] if isinstance(self.new_value, dict) else self.new_value
            return f"does not take this `{self.name}`: sent as {short}"
        return f"does not take `{self.name}`: left out from now on"


class Adjustments:
    """The adjustments that a server has shown to need. One that did not help is not kept."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.kept: list[Adjustment] = []

    def keep(self, adjustments: Sequence[Adjustment]) -> None:
        """Remember adjustments with which a request was taken, and say so once."""
        for adjustment in adjustments:
            if adjustment not in self.kept:
                self.kept.append(adjustment)
                _logger.warning("engine openai: %s %s", self.host, adjustment.text())


def adjustment_for(refusal: Refusal, body: dict[str, Any], tried: Sequence[Adjustment]) -> Adjustment | None:
    """Return what to change in a body that was refused; None if the refusal is not about a parameter.

    body: as it was sent. tried: the adjustments of this request so far.
    """
    if refusal.status not in (400, 404, 422):
        return None
    special = _special(refusal, body)
    name = None if special else _refused_name(refusal, body)
    if name is None:
        return special
    value = body[name]
    if name in _OTHER_NAMES and not any(a.name in _OTHER_NAMES for a in tried):
        return Adjustment(name, new_name=_OTHER_NAMES[name])
    if name == "seed" and isinstance(value, int) and value > _LARGEST_SEED and not _says_unsupported(refusal):
        return Adjustment(name, new_value="32 bits")
    if name in ("reasoning_effort", "response_format"):
        return Adjustment(name, _json(value), new_value=_less(value))
    return Adjustment(name)


def _less(value: Any) -> Any:
    """Return the next lower effort or form of reply; None if there is none."""
    if isinstance(value, dict):
        return {"type": "json_object"} if value.get("type") == "json_schema" else None
    return _LESS_EFFORT.get(value)


def _special(refusal: Refusal, body: dict[str, Any]) -> Adjustment | None:
    """Return the adjustment to a server without the role system, or one that only streams."""
    if _ONLY_STREAMS.search(refusal.words) and "stream" not in body:
        return Adjustment(_STREAM)
    roles = [message.get("role") for message in body.get("messages", ())]
    if "system" in roles and _NO_SYSTEM.search(refusal.words):
        return Adjustment(_SYSTEM)
    return None


def _refused_name(refusal: Refusal, body: dict[str, Any]) -> str | None:
    names = body.keys() - _NEEDED
    unsupported = _says_unsupported(refusal)
    for name in refusal.names:
        if name in names and (unsupported or name in _OURS):
            return name
    words = refusal.words[:500]
    found = [(m.start(), m[0]) for m in re.finditer(r"\w+", words) if m[0] in names]
    return next((name for _, name in found if unsupported or name in _OURS), None)


def _says_unsupported(refusal: Refusal) -> bool:
    return bool(_UNSUPPORTED.search(f"{refusal.code} {refusal.words}"))


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
