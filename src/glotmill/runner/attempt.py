"""One try for one row of a generate step: the row rendered into a request, the reply read into a value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from glotmill.columns import TRUNCATED, UNFINISHED_THINKING, messages_column
from glotmill.errors import RequestFailed
from glotmill.generators._shared.fertility import token_budget
from glotmill.messages import CHAT, COMPLETION, Message, Reply, Request, Sampling
from glotmill.recipes.seeds import Row
from glotmill.recipes.steps import Generate
from glotmill.runner import parse

if TYPE_CHECKING:
    from glotmill.runner.shard import LanguagePlan

_MOST_DOUBLINGS = 4  # of the tokens of a reply whose thinking did not end


@dataclass
class Attempt:
    """The latest try for one row of a generate step, or for one of the row's replies."""

    examples: Sequence[Row] = ()
    model: str = ""  # its name in the recipe; empty: the model of the run
    messages: tuple[Message, ...] = ()  # of the request
    unfinished: int = 0  # tries so far in which the thinking did not end
    reply: Reply | None = None
    value: Any = None
    reason: str | None = None
    reason_at: str | None = None
    failed: bool = False
    measures: dict[str, Any] = field(default_factory=dict)  # columns that the filters of `expect` add

    @property
    def prompt(self) -> str | None:
        """The last message of the user."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), None)

    @property
    def system(self) -> str | None:
        """The system message."""
        return next((m.content for m in self.messages if m.role == "system"), None)

    @property
    def text(self) -> str:
        """The reply with the beginning that the template gave it."""
        assert self.reply is not None
        return _beginning(self.messages) + self.reply.text

    @property
    def conversation(self) -> list[dict[str, str]]:
        """The messages of the request and the reply: a text as it was parsed, anything else as it came."""
        reply = self.value if isinstance(self.value, str) else self.text
        messages = self.messages[:-1] if _beginning(self.messages) else self.messages
        turns = [{"role": m.role, "content": m.content} for m in messages]
        return [*turns, {"role": "assistant", "content": reply}]


def render(
    plan: "LanguagePlan", step: Generate, row: Mapping[str, Any], attempt: Attempt, sample: int
) -> Request | None:
    """Render a row into a request; None if its values do not fit the template, with the attempt failed."""
    values = {
        **row,
        "language": plan.language,
        "examples": attempt.examples,
        "feedback": attempt.reason or "",
    }
    try:
        messages = plan.templates[step.name].render(values)
    except RequestFailed as error:
        attempt.reason, attempt.reason_at, attempt.failed = error.reason, step.name, True
        return None
    if step.after:
        messages = (*(Message(**turn) for turn in row[messages_column(step.after)]), *messages)
    attempt.messages = messages
    name = plan.model_named(attempt.model)
    thinking, sampling = _effort(step, attempt.unfinished)
    return Request(
        messages,
        name.model,
        name.revision,
        sampling,
        _seed(row["id"], step.name, sample),
        sample,
        step.schema_text,
        alias=name.alias,
        task=COMPLETION if step.completion else CHAT,
        choice=step.choice,
        regex=step.regex,
        grammar=step.grammar,
        allowed_scripts=(plan.language.script,) if step.allowed_scripts else (),
        thinking=thinking,
        chat_template_kwargs=step.chat_template_text,
        lora=step.lora,
        max_tokens=_tokens(sampling, thinking, plan.token_factors.get(name.alias, 1.0)),
    )


def take_reply(attempt: Attempt, reply: Reply, parse_reply: Callable[[str], Any], step: str) -> None:
    """Take a reply into an attempt: its value, or the reason why it has none."""
    attempt.reply, attempt.value, attempt.measures = reply, None, {}
    attempt.reason, attempt.reason_at = None, step
    if reply.failure:
        attempt.reason, attempt.failed = reply.failure, True
        return
    try:
        attempt.value = parse_reply(attempt.text)
    except parse.Unparsed as error:
        attempt.reason = str(error)
    if reply.finish_reason == "length":
        attempt.reason = TRUNCATED
        if not reply.text.strip() and (reply.reasoning or reply.reasoning_tokens):
            attempt.reason = UNFINISHED_THINKING
            attempt.unfinished += 1


def _beginning(messages: Sequence[Message]) -> str:
    """Return the beginning of the reply that a template has written."""
    return messages[-1].content if messages[-1].role == "assistant" else ""


def _seed(row_id: str, step: str, sample: int) -> int:
    digest = blake2b(f"{row_id}\0{step}\0{sample}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1  # 63 bits: engines take a signed integer


def _effort(step: Generate, unfinished: int) -> tuple[int, Sampling]:
    """Return the tokens of thinking and the sampling parameters of a try.

    unfinished: earlier tries in which the thinking did not end; each doubles the tokens, or the step says to
    go without thinking.
    """
    growth = 2 ** min(unfinished, _MOST_DOUBLINGS)
    if unfinished and step.unfinished_thinking == "off":
        return 0, step.sampling
    if step.thinking > 0:
        return step.thinking * growth, _with_tokens(step.sampling, 1, step.thinking * growth)
    return step.thinking, _with_tokens(step.sampling, growth, 0)


def _tokens(sampling: Sampling, thinking: int, factor: float) -> int | None:
    """Return the tokens that a reply may have in a language; None where they are those of English.

    factor: the tokens that the language needs for what English says in one. The tokens of thinking stay.
    """
    if sampling.max_tokens is None or factor <= 1:
        return None
    thoughts = max(thinking, 0)
    return token_budget(sampling.max_tokens - thoughts, factor) + thoughts


@lru_cache(maxsize=1024)
def _with_tokens(sampling: Sampling, growth: int, more: int) -> Sampling:
    if sampling.max_tokens is None:
        return sampling
    return replace(sampling, max_tokens=sampling.max_tokens * growth + more)
