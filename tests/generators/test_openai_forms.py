"""The forms in which servers take requests and send replies."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from asking import Ask, chat
from faulty import Answer, Server, listed, said

from glotmill.errors import EngineError
from glotmill.messages import (
    ANY_THINKING,
    COMPLETION,
    EMBED,
    LIKELIHOOD,
    SCORE,
    Message,
    Reply,
    Request,
    Sampling,
)

USER = Message("user", "a")
THOUGHT = "Let me think."


def usage(completion: Any, reasoning: Any = None, prompt: Any = 3) -> dict[str, Any]:
    details = {} if reasoning is None else {"completion_tokens_details": {"reasoning_tokens": reasoning}}
    return {"prompt_tokens": prompt, "completion_tokens": completion, **details}


def with_usage(answer: Answer, value: Any) -> Answer:
    return 200, {**answer[1], "usage": value}


MAGISTRAL = [
    {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
    {"type": "text", "text": "ndiyo"},
]


@pytest.mark.parametrize(
    "answer",
    [
        said("ndiyo", {"reasoning": THOUGHT}),  # vLLM with a reasoning parser, OpenRouter
        said("ndiyo", {"reasoning_content": THOUGHT}),  # DeepSeek, SGLang
        said("ndiyo", {"reasoning_details": [{"type": "reasoning.text", "text": THOUGHT}]}),  # OpenRouter
        said(f"<think>\n{THOUGHT}\n</think>\n\nndiyo"),  # vLLM without a parser
        said(f"{THOUGHT}\n</think>\n\nndiyo"),  # the template wrote the opening tag
        said(MAGISTRAL),
        said([{"type": "text", "text": "ndi"}, {"type": "text", "text": "yo"}], {"reasoning": THOUGHT}),
    ],
)
def test_thoughts_are_kept_apart_from_the_text(serve: Callable[..., Ask], answer: Answer) -> None:
    (reply,) = serve(Server(with_usage(answer, usage(20, 15))))(chat("a"))
    assert reply == Reply("ndiyo", "stop", 3, 20, None, THOUGHT, 15)


@pytest.mark.parametrize(
    ("answer", "reasoning"),
    [
        (said(None, {"reasoning": THOUGHT}, finish_reason="length"), THOUGHT),
        (said("", {"reasoning_content": THOUGHT}, finish_reason="length"), THOUGHT),
        (said(f"<think>{THOUGHT}", finish_reason="length"), THOUGHT),
        (said("", finish_reason="length"), ""),  # OpenAI's o-series shows no thoughts
        (said(None, finish_reason="length"), ""),
    ],
)
def test_a_budget_spent_on_thoughts_is_an_unfinished_reply(
    serve: Callable[..., Ask], answer: Answer, reasoning: str
) -> None:
    (reply,) = serve(Server(with_usage(answer, usage(24, 24))))(chat("a"))
    assert reply == Reply("", "length", 3, 24, None, reasoning, 24)


def test_tokens_of_thoughts_are_estimated_where_they_are_not_told(serve: Callable[..., Ask]) -> None:
    (reply,) = serve(Server(with_usage(said("n" * 13, {"reasoning": THOUGHT}), usage(40))))(chat("a"))
    assert (reply.completion_tokens, reply.reasoning_tokens) == (40, 20)


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        ("eos_token", "stop"), ("end_turn", "stop"), ("STOP", "stop"), (None, "stop"), ("something", "stop"),
        (7, "stop"), ("max_tokens", "length"), ("MAX_TOKENS", "length"), ("repetition", "length"),
    ],
)  # fmt: skip
def test_reasons_to_finish_have_many_names(serve: Callable[..., Ask], finish: Any, expected: str) -> None:
    (reply,) = serve(Server(said(finish_reason=finish)))(chat("a"))
    assert (reply.text, reply.finish_reason) == ("ndiyo", expected)


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        (None, (0, 0)), ("none", (0, 0)), ({}, (0, 0)), (usage(None, prompt=None), (0, 0)),
        (usage("7", prompt=5.0), (5, 7)), (usage(-1, prompt="many"), (0, 0)),
        (usage(1e300, prompt=[1]), (0, 0)),
    ],
)  # fmt: skip
def test_a_usage_that_is_none_counts_nothing(serve: Callable[..., Ask], value: Any, tokens: Any) -> None:
    (reply,) = serve(Server(with_usage(said(), value)))(chat("a"))
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("ndiyo", *tokens)


def asked(serve: Callable[..., Ask], request: Request, model: str = "m", owner: str = "us") -> dict[str, Any]:
    """The body that a request becomes."""
    server = Server(said(), models=listed(model, owner=owner))
    serve(server, model=model)(request)
    return server.asked[0]


def test_thinking_is_set_in_the_way_of_the_family(serve: Callable[..., Ask]) -> None:
    def kwargs(model: str, thinking: int, owner: str = "us", given: str = "") -> Any:
        request = Request((USER,), model, thinking=thinking, chat_template_kwargs=given)
        body = asked(serve, request, model, owner)
        return body.get("chat_template_kwargs"), body.get("thinking_token_budget")

    assert kwargs("Qwen/Qwen3-8B", 0) == ({"enable_thinking": False}, None)
    assert kwargs("Qwen/Qwen3-8B", ANY_THINKING) == ({"enable_thinking": True}, None)
    assert kwargs("Qwen/Qwen3-8B", 200, "vllm") == ({"enable_thinking": True}, 200)
    assert kwargs("Qwen/Qwen3-8B", 0, given='{"enable_thinking":true}') == ({"enable_thinking": True}, None)
    assert kwargs("deepseek-ai/DeepSeek-V3.1", 0) == ({"thinking": False}, None)
    assert kwargs("meta/Llama-3.1-8B-Instruct", 0) == (None, None)


def test_an_unknown_model_that_thinks_is_told_not_to(
    serve: Callable[..., Ask], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(said("ndiyo", {"reasoning": THOUGHT}))
    ask = serve(server)
    with caplog.at_level(logging.WARNING, "glotmill"):
        for _ in range(3):
            ask(chat("a"))
    off = {"enable_thinking": False}
    assert [body.get("chat_template_kwargs") for body in server.asked] == [None, off, off]
    assert len(caplog.records) == 1


def test_constraints_and_adapters(serve: Callable[..., Ask]) -> None:
    for form in ({"choice": ("x", "y")}, {"regex": "[ab]+"}, {"grammar": 'root ::= "a"'}):
        value = next(iter(form.values()))
        body = asked(serve, Request((USER,), "m", lora="swahili", **form))  # type: ignore[arg-type]
        expected = {next(iter(form)): list(value) if isinstance(value, tuple) else value}
        assert (body["structured_outputs"], body["model"]) == (expected, "swahili")


def test_a_reply_goes_on_from_the_assistant_s_words(
    serve: Callable[..., Ask], caplog: pytest.LogCaptureFixture
) -> None:
    prefill = Request((USER, Message("assistant", "ndi")), "m")
    body = asked(serve, prefill, owner="vllm")
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    with caplog.at_level(logging.WARNING, "glotmill"):
        (reply,) = serve(Server(said("ndiyo")))(prefill)
    assert reply.text == "yo"  # this server said it all
    assert "may begin anew" in caplog.text


def test_completions(serve: Callable[..., Ask]) -> None:
    choice = {
        "index": 0,
        "text": " sana",
        "finish_reason": "length",
        "logprobs": {"token_logprobs": [-0.5, -1]},
    }
    server = Server((200, {"choices": [choice], "usage": usage(2)}))
    sampling = Sampling(max_tokens=2, logprobs=0, stop=("x",))
    (reply,) = serve(server)(
        Request((Message("user", "Asante"),), "m", sampling=sampling, task=COMPLETION, seed=4)
    )
    assert reply == Reply(" sana", "length", 3, 2, (-0.5, -1.0))
    assert server.paths == ["/v1/completions"]
    expected = {"model": "m", "prompt": "Asante", "max_tokens": 2, "logprobs": 0, "stop": ["x"], "seed": 4}
    assert server.asked == [expected]


@pytest.mark.parametrize(
    ("messages", "task", "answer", "path", "values"),
    [
        ((USER,), EMBED, {"data": [{"embedding": [0.5, -1]}]}, "/v1/embeddings", (0.5, -1.0)),
        ((USER, USER), SCORE, {"data": [{"score": 0.25}]}, "/v1/score", (0.25,)),
        ((USER, Message("assistant", "b")), SCORE, {"data": [{"probs": [0.75]}]}, "/classify", (0.75,)),
    ],
)
def test_vectors_and_scores(
    serve: Callable[..., Ask], messages: Any, task: str, answer: Any, path: str, values: Any
) -> None:
    server = Server((200, {**answer, "usage": {"prompt_tokens": 4}}))
    (reply,) = serve(server)(Request(messages, "m", task=task))
    assert reply == Reply("", prompt_tokens=4, values=values)
    assert server.paths == [path]


@pytest.mark.parametrize(
    "data", [[], [{}], [{"embedding": "AAAA"}], [{"embedding": [1, None]}], [{"embedding": [float("nan")]}]]
)
def test_a_vector_that_is_none_fails(serve: Callable[..., Ask], data: Any) -> None:
    (failure,) = serve(Server((200, {"data": data})))(Request((USER,), "m", task=EMBED))
    assert failure.reason in ("bad_reply", "empty_reply")


def test_the_likelihood_of_a_text(serve: Callable[..., Ask]) -> None:
    logprobs = {"token_logprobs": [None, -1.5, -0.5, -9.0]}
    server = Server((200, {"choices": [{"text": "x", "logprobs": logprobs}], "usage": usage(1)}))
    (reply,) = serve(server)(Request((USER,), "m", task=LIKELIHOOD))
    assert reply.logprobs == (-1.5, -0.5)
    (failure,) = serve(server)(Request((USER, Message("assistant", "b")), "m", task=LIKELIHOOD))
    assert isinstance(failure, EngineError)
    assert "engine vllm" in str(failure)
