"""Requests as servers take them: a path and a JSON body for each task."""

import json
import re
from dataclasses import dataclass
from typing import Any

from glotmill.errors import EngineError
from glotmill.generators._shared.loading import chat_of
from glotmill.generators._shared.thinking import Family, template_arguments, with_switch
from glotmill.messages import ANY_THINKING, CHAT, COMPLETION, EMBED, LIKELIHOOD, NO_THINKING, SCORE, Request

# OpenAI's own models that think; they take an effort, not a number of tokens.
_REASONING_MODEL = re.compile(r"^(o\d|gpt-([5-9]|\d\d))")
_EFFORT = ((1_024, "low"), (8_192, "medium"))  # up to so many tokens


@dataclass
class Facts:
    """What is known about a server and its model."""

    model: str
    extra: dict[str, Any]  # goes into every body
    family: Family | None = None
    is_openai: bool = False  # OpenAI's own
    is_vllm: bool = False
    thinks_unasked: bool = False  # a model of no known family showed thoughts though it was told not to think


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. from_root: the path begins at the server's root, not at the base URL."""

    path: str
    body: dict[str, Any]
    from_root: bool = False


def call_for(request: Request, facts: Facts) -> Call:
    """Return the call that a request becomes. Raises EngineError for what such a server cannot do."""
    match request.task:
        case "chat":
            return Call("/chat/completions", {**_chat(request, facts), **facts.extra})
        case "completion":
            return Call("/completions", {**_completion(request, facts), **facts.extra})
        case "embed":
            text = request.messages[0].content
            body = {"model": _model(request, facts), "input": text, "encoding_format": "float"}
            return Call("/embeddings", {**body, **facts.extra})
        case "score":
            return _score(request, facts)
        case "likelihood":
            return _likelihood(request, facts)
    raise EngineError(
        f"engine openai: no task {request.task!r}; it has "
        f"{', '.join((CHAT, COMPLETION, EMBED, SCORE, LIKELIHOOD))}"
    )


def _model(request: Request, facts: Facts) -> str:
    return request.lora or facts.model  # servers list adapters as models


def _chat(request: Request, facts: Facts) -> dict[str, Any]:
    messages = chat_of(request)
    sampling = dict(request.parameters)
    logprobs = sampling.pop("logprobs", None)
    if logprobs is not None:
        sampling["logprobs"] = True
        if logprobs:
            sampling["top_logprobs"] = logprobs
    if facts.is_openai and "max_tokens" in sampling:
        sampling["max_completion_tokens"] = sampling.pop("max_tokens")
    body = {"model": _model(request, facts), "messages": messages, "seed": request.seed, **sampling}
    _constrain(body, request)
    _set_thinking(body, request, facts)
    if facts.is_vllm and request.messages[-1].role == "assistant":
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    return body


def _completion(request: Request, facts: Facts) -> dict[str, Any]:
    body = {
        "model": _model(request, facts),
        "prompt": chat_of(request)[0]["content"],
        "seed": request.seed,
        **request.parameters,
    }
    _constrain(body, request)
    return body


def _constrain(body: dict[str, Any], request: Request) -> None:
    """Say which form the reply must have, and make lists of tuples."""
    if "stop" in body:
        body["stop"] = list(body["stop"])
    if request.schema:
        schema = {"name": "reply", "schema": json.loads(request.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif request.choice:
        body["structured_outputs"] = {"choice": list(request.choice)}
    elif request.regex:
        body["structured_outputs"] = {"regex": request.regex}
    elif request.grammar:
        body["structured_outputs"] = {"grammar": request.grammar}


def _set_thinking(body: dict[str, Any], request: Request, facts: Facts) -> None:
    """Say whether to think, and how much, in the way of the server and of the model's family."""
    thinking, family = request.thinking, facts.family
    if facts.is_openai:
        if _REASONING_MODEL.match(facts.model) and thinking != ANY_THINKING:
            body["reasoning_effort"] = _effort(thinking)
        return
    body["messages"] = with_switch(body["messages"], family, thinking)
    arguments = template_arguments(family, thinking)
    if family is None and thinking == NO_THINKING and facts.thinks_unasked:
        arguments = {"enable_thinking": False}
    if request.chat_template_kwargs:
        arguments |= json.loads(request.chat_template_kwargs)
    if arguments:
        body["chat_template_kwargs"] = arguments
    if thinking > 0 and facts.is_vllm:
        body["thinking_token_budget"] = thinking


def _effort(thinking: int) -> str:
    if thinking == NO_THINKING:
        return "none"
    return next((effort for tokens, effort in _EFFORT if thinking <= tokens), "high")


def _score(request: Request, facts: Facts) -> Call:
    messages, model = chat_of(request), _model(request, facts)
    if [message["role"] for message in messages] == ["user", "user"]:
        query, document = (message["content"] for message in messages)
        return Call("/score", {"model": model, "queries": query, "documents": document, **facts.extra})
    return Call("/classify", {"model": model, "messages": messages, **facts.extra}, from_root=True)


def _likelihood(request: Request, facts: Facts) -> Call:
    """Return a call whose answer holds the log-probabilities of the prompt's tokens."""
    model, messages = _model(request, facts), chat_of(request)
    if len(messages) == 1:
        body = {
            "model": model,
            "prompt": messages[0]["content"],
            "max_tokens": 1,
            "echo": True,
            "logprobs": 0,
        }
        return Call("/completions", {**body, **facts.extra})
    if not facts.is_vllm:
        raise EngineError(
            "engine openai: cannot tell the likelihood of a message in a chat on this server; "
            "the engine vllm, transformers or a server of vLLM can"
        )
    body = {
        "model": model,
        "messages": messages,
        "max_tokens": 1,
        "prompt_logprobs": 0,
        "return_token_ids": True,
    }
    body |= {"continue_final_message": True, "add_generation_prompt": False}
    arguments = template_arguments(facts.family, request.thinking)
    if request.chat_template_kwargs:
        arguments |= json.loads(request.chat_template_kwargs)
    if arguments:
        body["chat_template_kwargs"] = arguments
    return Call("/chat/completions", {**body, **facts.extra})


def context_call(request: Request, facts: Facts) -> Call:
    """Return the call that tells the tokens in front of the last message, for its likelihood."""
    body: dict[str, Any] = {"model": _model(request, facts), "messages": chat_of(request)[:-1]}
    arguments = template_arguments(facts.family, request.thinking)
    if request.chat_template_kwargs:
        arguments |= json.loads(request.chat_template_kwargs)
    if arguments:
        body["chat_template_kwargs"] = arguments
    return Call("/tokenize", {**body, "add_generation_prompt": True}, from_root=True)
