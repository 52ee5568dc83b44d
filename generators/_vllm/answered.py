"""What vLLM answers: its outputs as replies."""

from collections.abc import Sequence
from typing import Any

from glotmill.errors import RequestFailed
from glotmill.generators._shared.thinking import Thoughts, split
from glotmill.generators._vllm.asked import Asked
from glotmill.generators._vllm.start import Model
from glotmill.messages import LIKELIHOOD, SCORE, Reply

_LEAST_LOGPROB = -9999.0  # JSON has no infinity
_ENDS = {"stop": "stop", "length": "length", "repetition": "length"}  # a loop is a reply cut short


def answered(model: Model, asked: Asked, output: Any) -> Reply:
    """Return a finished output of vLLM as a reply. Raises RequestFailed if vLLM gave the request up."""
    prompt_tokens = len(asked.prompt.ids)
    if not hasattr(output, "outputs") or not isinstance(output.outputs, list):
        values = tuple(output.outputs.data.flatten().tolist())
        if asked.request.task == SCORE and len(values) != 1:
            detail = (
                f"the model gives {len(values)} numbers, one per label; a score needs a model with one label"
            )
            raise RequestFailed("no_single_score", detail)
        return Reply("", prompt_tokens=prompt_tokens, values=values)
    completion = output.outputs[0]
    if completion.finish_reason not in _ENDS:
        raise RequestFailed(f"engine_{completion.finish_reason}", "vLLM aborted the request", transient=True)
    if asked.request.task == LIKELIHOOD:
        return Reply("", prompt_tokens=prompt_tokens, logprobs=_of_prompt(asked, output.prompt_logprobs))
    thoughts = _thoughts(model, asked, completion.text)
    return Reply(
        thoughts.text,
        _ENDS[completion.finish_reason],
        prompt_tokens,
        len(completion.token_ids),
        _of_reply(completion),
        reasoning=thoughts.reasoning,
        reasoning_tokens=_count(model, thoughts, completion.token_ids),
    )


def _of_reply(completion: Any) -> tuple[float, ...] | None:
    if completion.logprobs is None:
        return None
    pairs = zip(completion.token_ids, completion.logprobs, strict=True)
    return tuple(max(float(candidates[token].logprob), _LEAST_LOGPROB) for token, candidates in pairs)


def _of_prompt(asked: Asked, logprobs: Any) -> tuple[float, ...]:
    """Return the log-probabilities of the last message's tokens; the first token of all has none."""
    start = max(asked.prompt.start, 1)
    tokens = asked.prompt.ids[start:]
    found = (logprobs[start + i][token].logprob for i, token in enumerate(tokens))
    return tuple(max(float(logprob), _LEAST_LOGPROB) for logprob in found)


def _thoughts(model: Model, asked: Asked, text: str) -> Thoughts:
    """Take the thoughts out of a text: by the parser that the user chose, else as every engine does."""
    if not model.is_named or model.parser is None:
        return split(text, model.family, asked.prompt.opened)
    tags = (model.parser.reasoning_start_str, model.parser.reasoning_end_str)
    if all(tags) and not asked.prompt.opened and not any(tag in text for tag in tags):
        return Thoughts("", text)  # some parsers would take all of it for thoughts
    parser = type(model.parser)(model.tokenizer)  # some keep a state
    reasoning, answer = parser.extract_reasoning(text, _chat_request())
    return Thoughts((reasoning or "").strip(), (answer or "").strip(), finished=bool(answer))


def _chat_request() -> Any:
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest

    return ChatCompletionRequest(messages=[])


def _count(model: Model, thoughts: Thoughts, ids: Sequence[int]) -> int:
    """Count the tokens of the thoughts, without those of their tags."""
    if not thoughts.reasoning:
        return 0
    opening, closing = model.tags
    begin = len(opening) if tuple(ids[: len(opening)]) == opening else 0
    end = _last(ids, closing) if thoughts.finished else len(ids)
    if end < 0:  # the tag was spelled with other tokens
        end = begin + len(model.tokenizer.encode(thoughts.reasoning, add_special_tokens=False))
    return min(end, len(ids)) - begin


def _last(ids: Sequence[int], part: tuple[int, ...]) -> int:
    """Return where `part` stands last in `ids`, or -1."""
    starts = range(len(ids) - len(part), -1, -1)
    return next((i for i in starts if tuple(ids[i : i + len(part)]) == part), -1)
