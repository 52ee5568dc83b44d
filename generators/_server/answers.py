"""Answers of servers, which may hold anything, as replies."""

import math
from collections.abc import Sequence
from typing import Any

from glotmill.errors import RequestFailed
from glotmill.generators._shared.thinking import Family, split
from glotmill.messages import Reply

_LONGEST_REPLY = 2_000_000  # characters
_MOST_NUMBERS = 1_000_000  # in a vector, or log-probabilities
_MOST_TOKENS = 2**31 - 1
_LEAST_LOGPROB = -9999.0  # JSON has no infinity
_LENGTH = (
    "length",
    "max_tokens",
    "model_length",
    "max_output_tokens",
    "max_length",
    "token_limit",
    "repetition",
)
_FILTERED = (
    "content_filter",
    "safety",
    "sensitive",
    "refusal",
    "prohibited_content",
    "blocklist",
    "recitation",
)
_TOOLS = ("tool_calls", "function_call", "tool_use", "tool_call")
_BROKEN = ("error", "abort", "aborted", "cancelled", "insufficient_system_resource", "network_error")


def chat_reply(value: Any, family: Family | None) -> Reply:
    """Return the reply in an answer of `/chat/completions`, its thoughts apart from its text.

    Raises RequestFailed: `content_filter`, `reply_too_long`, and `empty_reply`, which may pass.
    """
    choice = _first_choice(value)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _empty("the answer holds no message")
    text, thoughts = _parts(message.get("content"))
    reasoning = _reasoning(message) or thoughts
    if text is None and isinstance(message.get("refusal"), str):
        text = message["refusal"]  # the model's own words, for the filters to judge
    finish = _finish(choice, text)
    if text is None and finish != "length" and not reasoning:
        raise _empty(f"no text in the answer; finish_reason is {str(choice.get('finish_reason'))[:40]}")
    text = _bounded(text or "")
    if text:
        parted = split(text, family)
        text, reasoning = parted.text, "\n\n".join(part for part in (reasoning, parted.reasoning) if part)
    logprobs = choice.get("logprobs")
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    return _reply(value, text, finish, _bounded(reasoning), _chosen(tokens, "logprob"))


def completion_reply(value: Any) -> Reply:
    """Return the reply in an answer of `/completions`."""
    choice = _first_choice(value)
    text = choice.get("text")
    finish = _finish(choice, text if isinstance(text, str) else None)
    if not isinstance(text, str):
        raise _empty("no text in the answer")
    logprobs = choice.get("logprobs")
    numbers = logprobs.get("token_logprobs") if isinstance(logprobs, dict) else None
    return _reply(value, _bounded(text), finish, "", _numbers(numbers))


def vector_reply(value: Any) -> Reply:
    """Return the vector in an answer of `/embeddings`."""
    return _value_reply(value, _first_of(value).get("embedding"))


def score_reply(value: Any) -> Reply:
    """Return the one number in an answer of `/score`, `/classify` or `/pooling`."""
    item = _first_of(value)
    numbers = next((item[n] for n in ("score", "probs", "data") if item.get(n) is not None), None)
    while isinstance(numbers, list) and numbers and isinstance(numbers[-1], list):
        numbers = numbers[-1]  # of the last token
    numbers = numbers if isinstance(numbers, list) else [numbers]
    if len(numbers) != 1:
        raise RequestFailed("bad_reply", f"{len(numbers)} numbers in the answer; a score is one")
    return _value_reply(value, numbers)


def echoed_reply(value: Any) -> Reply:
    """Return the log-probabilities of a prompt that `/completions` gave back; the first token has none."""
    logprobs = _first_choice(value).get("logprobs")
    numbers = logprobs.get("token_logprobs") if isinstance(logprobs, dict) else None
    if not isinstance(numbers, list) or len(numbers) < 2:
        raise RequestFailed("bad_reply", "no log-probabilities of the prompt in the answer")
    prompt = _prompt_tokens(value)
    return _likelihood_reply(value, numbers[: prompt or len(numbers) - 1])


def prompt_reply(value: Any, context: Sequence[int]) -> Reply:
    """Return the log-probabilities of a prompt's tokens after those of `context`."""
    entries = value.get("prompt_logprobs") if isinstance(value, dict) else None
    ids = value.get("prompt_token_ids") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not isinstance(ids, list) or len(entries) != len(ids):
        raise RequestFailed("bad_reply", "no log-probabilities of the prompt in the answer")
    pairs = zip(ids, context, strict=False)
    shared = next(
        (n for n, (ours, theirs) in enumerate(pairs) if ours != theirs), min(len(ids), len(context))
    )
    numbers: list[Any] = []
    for token, entry in zip(ids[shared:], entries[shared:], strict=True):
        found = entry.get(str(token)) if isinstance(entry, dict) else None
        numbers.append(found.get("logprob") if isinstance(found, dict) else None)
    return _likelihood_reply(value, numbers)


def _likelihood_reply(value: Any, numbers: list[Any]) -> Reply:
    numbers = numbers[1:] if numbers and numbers[0] is None else numbers
    logprobs = _numbers(numbers)
    if logprobs is None:
        raise RequestFailed("bad_reply", "the log-probabilities in the answer are not numbers")
    return Reply("", prompt_tokens=_prompt_tokens(value), logprobs=logprobs)


def _first_choice(value: Any) -> dict[str, Any]:
    choices = value.get("choices") if isinstance(value, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        raise _empty("no choice in the answer")
    error = choice.get("error")
    if error:
        words = error.get("message") if isinstance(error, dict) else error
        raise RequestFailed("server_unavailable", f"the server broke off: {str(words)[:300]}", transient=True)
    return choice


def _first_of(value: Any) -> dict[str, Any]:
    data = value.get("data") if isinstance(value, dict) else None
    item = data[0] if isinstance(data, list) and data else None
    if not isinstance(item, dict):
        raise _empty("no data in the answer")
    return item


def _finish(choice: dict[str, Any], text: str | None) -> str:
    """Return `stop` or `length`. An unknown reason is taken as `stop` where there is a text."""
    finish = str(choice.get("finish_reason") or "stop")[:40].lower()
    if finish in _FILTERED:
        raise RequestFailed("content_filter", "the server's content filter withheld the reply")
    if finish in _BROKEN:
        raise RequestFailed("server_unavailable", f"the server broke off: {finish}", transient=True)
    if finish in _TOOLS and not text:
        raise _empty(f"the model called a tool instead; finish_reason is {finish}")
    return "length" if finish in _LENGTH else "stop"


def _parts(content: Any) -> tuple[str | None, str]:
    """Return the text and the thoughts of a message's content, a text or a list of parts."""
    if not isinstance(content, list):
        return (content, "") if isinstance(content, str) else (None, "")
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content:
        if isinstance(part, dict) and part.get("type") in ("thinking", "reasoning"):
            thoughts.append(_text_of(part.get("thinking", part.get("text"))))
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
    return "".join(texts) if texts else None, "".join(thoughts)


def _text_of(value: Any) -> str:
    if isinstance(value, list):
        return "".join(
            item["text"] for item in value if isinstance(item, dict) and isinstance(item.get("text"), str)
        )
    return value if isinstance(value, str) else ""


def _reasoning(message: dict[str, Any]) -> str:
    """Return the thoughts that stand beside the content: each server has a field of its own for them."""
    for name in ("reasoning_content", "reasoning"):
        if isinstance(message.get(name), str) and message[name]:
            return str(message[name]).strip()
    details = message.get("reasoning_details")
    texts = [
        str(item.get("text") or item.get("summary") or "")
        for item in (details if isinstance(details, list) else [])
        if isinstance(item, dict)
    ]
    return "\n".join(text for text in texts if text)


def _bounded(text: str) -> str:
    if len(text) > _LONGEST_REPLY:
        raise RequestFailed("reply_too_long", f"{len(text):,} characters; the limit is {_LONGEST_REPLY:,}")
    return text


def _empty(detail: str) -> RequestFailed:
    return RequestFailed("empty_reply", detail, transient=True)


def _reply(value: Any, text: str, finish: str, reasoning: str, logprobs: tuple[float, ...] | None) -> Reply:
    usage = value.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    completion = _count(usage.get("completion_tokens"))
    details = usage.get("completion_tokens_details")
    thought = min(completion, _count(details.get("reasoning_tokens") if isinstance(details, dict) else 0))
    if reasoning and not thought:  # not told: by the share of the characters
        thought = round(completion * len(reasoning) / (len(reasoning) + len(text)))
    prompt = _count(usage.get("prompt_tokens"))
    return Reply(text, finish, prompt, completion, logprobs, reasoning, thought)


def _value_reply(value: Any, numbers: Any) -> Reply:
    values = _numbers(numbers) if isinstance(numbers, list) and numbers else None
    if values is None:
        raise RequestFailed("bad_reply", "what should be numbers in the answer is not")
    return Reply("", prompt_tokens=_prompt_tokens(value), values=values)


def _prompt_tokens(value: Any) -> int:
    usage = value.get("usage")
    return _count(usage.get("prompt_tokens")) if isinstance(usage, dict) else 0


def _count(value: Any) -> int:
    """Return a number of tokens; 0 for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return int(number) if 0 <= number <= _MOST_TOKENS else 0


def _chosen(tokens: Any, name: str) -> tuple[float, ...] | None:
    if not isinstance(tokens, list) or not tokens:
        return None
    return _numbers([token.get(name) if isinstance(token, dict) else None for token in tokens])


def _numbers(values: Any) -> tuple[float, ...] | None:
    """Return finite numbers, log-probabilities of minus infinity as a very low one; None if some are none."""
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_NUMBERS:
        return None
    try:
        numbers = tuple(map(float, values))
    except (TypeError, ValueError, OverflowError):
        return None
    if all(map(math.isfinite, numbers)):
        return numbers
    if any(math.isnan(n) or n == math.inf for n in numbers):
        return None
    return tuple(max(_LEAST_LOGPROB, n) for n in numbers)
