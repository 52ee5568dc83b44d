"""Against a small server that answers what a test wants."""

import logging
import sys
import time
from collections.abc import Callable
from email.utils import formatdate
from threading import Lock
from typing import Any

import pytest
from asking import Ask, chat, opened
from faulty import KEY, Answer, Server, said, wrong

from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.generators.openai import openai
from glotmill.messages import Reply


def test_a_request_goes_out_whole_and_a_reply_comes_back(serve: Callable[..., Ask]) -> None:
    server = Server(
        said(
            "Habari", logprobs={"content": [{"token": "H", "logprob": -0.5, "bytes": [], "top_logprobs": []}]}
        )
    )
    schema = '{"type":"object"}'
    full = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "min_p": 0.1,
        "stop": ("x",),
        "logprobs": 2,
        "min_tokens": 1,
    }
    (reply,) = serve(server)(chat("\ud83d salut", seed=7, schema=schema, max_tokens=9, **full))
    assert reply == Reply("Habari", "stop", 3, 2, (-0.5,))
    assert server.asked == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "? salut"}],
            "seed": 7,
            "temperature": 0.5,
            "top_p": 0.9,
            "max_tokens": 9,
            "stop": ["x"],
            "logprobs": True,
            "top_logprobs": 2,
            "top_k": 5,
            "min_p": 0.1,
            "min_tokens": 1,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "reply", "schema": {"type": "object"}},
            },
        }
    ]
    assert server.keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize("trouble", [wrong(503), wrong(500), wrong(502, "<html>"), wrong(408), (0, b"")])
def test_trouble_that_passes_is_waited_out(
    serve: Callable[..., Ask], pauses: list[float], trouble: Answer
) -> None:
    server = Server(trouble, trouble, said())
    (reply,) = serve(server)(chat("a"))
    assert reply == Reply("ndiyo", "stop", 3, 2)
    assert reply.tries == 3
    assert len(pauses) == 2
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1


def test_trouble_that_stays_fails_the_request_but_may_pass(
    serve: Callable[..., Ask], pauses: list[float]
) -> None:
    server = Server(wrong(503))
    (failure,) = serve(server, max_retries=3)(chat("a"))
    assert (failure.reason, failure.transient) == ("server_unavailable", True)
    assert "HTTP 503, 4 times" in failure.detail
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("7", 7, 7.5),
        ("1e9", 120, 120.5),
        ("-5", 0.1, 0.5),
        ("soon", 0.2, 0.5),
        ("nan", 0.2, 0.5),
        ("date", 40, 61),
    ],
)
def test_retry_after_is_honoured_within_bounds(
    serve: Callable[..., Ask], pauses: list[float], asked: str, least: float, most: float
) -> None:
    value = formatdate(time.time() + 60) if asked == "date" else asked
    server = Server(wrong(429, retry_after=value), said())
    assert serve(server)(chat("a"))[0].text == "ndiyo"
    assert least <= pauses[0] <= most


def test_a_reply_that_never_comes_times_out(serve: Callable[..., Ask]) -> None:
    server = Server(said())
    gate = Lock()
    gate.acquire()
    server.work = lambda: bool(gate.acquire(timeout=5)) and None
    (failure,) = serve(server, timeout_s=0.05, max_retries=0)(chat("a"))
    gate.release()
    assert (failure.reason, failure.transient) == ("server_unavailable", True)
    assert "no reply in 0.05 s" in failure.detail


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_it_at_once_and_stays_secret(serve: Callable[..., Ask], status: int) -> None:
    server = Server(wrong(status, f"Incorrect key {KEY}"))
    failures = serve(server)(*[chat("a", seed=seed) for seed in range(40)])
    assert all(isinstance(failure, EngineError) for failure in failures)
    assert "OPENAI_API_KEY" in str(failures[0])
    assert not any(KEY in str(failure) for failure in failures)
    assert len(server.asked) <= 16


def test_spent_credit_ends_it_at_once(serve: Callable[..., Ask]) -> None:
    (failure,) = serve(Server(wrong(429, "pay", "insufficient_quota")))(chat("a"))
    assert isinstance(failure, EngineError)


def test_a_model_that_is_not_there_ends_it_with_what_is(serve: Callable[..., Ask]) -> None:
    models = {"object": "list", "data": [{"id": "big", "object": "model", "created": 1, "owned_by": "us"}]}
    (failure,) = serve(Server(wrong(404, "The model `m` does not exist"), models=(200, models)))(chat("a"))
    assert isinstance(failure, EngineError)
    assert "has no model m (404): it has big" in str(failure)
    (silent,) = serve(Server(wrong(404, code="model_not_found")))(chat("a"))
    assert str(silent).endswith("has no model m (404): no")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (wrong(400, "This model's maximum context length is 512 tokens"), "prompt_too_long"),
        (wrong(400, "no", "context_length_exceeded"), "prompt_too_long"),
        (said("half", finish_reason="content_filter"), "content_filter"),
        (said("x" * 2_000_001), "reply_too_long"),
    ],
)
def test_a_refused_request_fails_alone_and_for_good(
    serve: Callable[..., Ask], answer: Answer, reason: str
) -> None:
    ask = serve(Server(answer, said()))
    failure, after = [*ask(chat("a")), *ask(chat("b"))]
    assert (failure.reason, failure.transient) == (reason, False)
    assert KEY not in str(failure)
    assert after.text == "ndiyo"


@pytest.mark.parametrize("status", [400, 422, 403])
def test_a_refusal_that_the_server_may_mend_fails_alone_and_is_told_once(
    serve: Callable[..., Ask], caplog: pytest.LogCaptureFixture, status: int
) -> None:
    server = Server(wrong(status, f"strange template for {KEY}"), wrong(status, "strange too"), said())
    ask = serve(server)
    with caplog.at_level(logging.WARNING):
        one, two, after = [*ask(chat("a")), *ask(chat("b")), *ask(chat("c"))]
    for failure in (one, two):
        assert (failure.reason, failure.transient) == ("refused_by_server", True)
    assert KEY not in f"{one}{caplog.text}"
    assert caplog.text.count("the first with refused_by_server") == caplog.text.count("strange") == 1
    assert after.text == "ndiyo"


def test_a_rate_limit_is_waited_out_however_long_and_told_once(
    serve: Callable[..., Ask], pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(*[wrong(429, "slow down, please")] * 60, said())
    with caplog.at_level(logging.WARNING):
        (reply,) = serve(server, max_retries=0)(chat("a"))
    assert (reply.text, reply.tries) == ("ndiyo", 61)
    assert pauses[0] <= 1
    assert max(pauses) <= 90
    assert max(pauses) >= 30, "the pauses grow"
    assert caplog.text.count("slow down, please") == 1


def test_a_rate_limit_slows_all_requests_down(serve: Callable[..., Ask], pauses: list[float]) -> None:
    server = Server(*[wrong(429)] * 16, said())
    replies = serve(server, max_retries=0)(*[chat("a", seed=seed) for seed in range(16)])
    assert [reply.text for reply in replies] == ["ndiyo"] * 16
    assert len(pauses) >= 16


@pytest.mark.parametrize(
    "answer",
    [
        said(None),
        said(["a"]),
        said(None, finish_reason="tool_calls"),
        (200, {"choices": []}),
        (200, {"choices": None}),
        (200, {}),
        (200, []),
        (200, b"<html>hello"),
        (200, {"choices": [{"message": None}]}),
    ],
)
def test_an_answer_without_a_reply_fails_but_may_pass(serve: Callable[..., Ask], answer: Answer) -> None:
    (failure,) = serve(Server(answer))(chat("a"))
    assert isinstance(failure, RequestFailed)
    assert failure.reason in ("empty_reply", "bad_reply")
    assert failure.transient


def test_as_many_are_out_as_the_server_takes(serve: Callable[..., Ask], pauses: list[float]) -> None:
    server = Server(said())
    crowd = 12  # the server refuses when more are out

    def next_(body: dict[str, Any], key: str | None) -> Answer:
        server.asked.append(body)
        return wrong(429) if server.out > crowd else said()

    server.next = next_  # type: ignore[method-assign]
    server.work = lambda: time.sleep(0.002)
    replies = serve(server, max_retries=30)(*[chat("a", seed=seed) for seed in range(600)])
    assert all(isinstance(reply, Reply) for reply in replies)
    assert crowd // 2 <= server.most <= 2 * 16
    assert len(server.asked) < 1.5 * 600


def test_openai_itself_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UsageError, match="set OPENAI_API_KEY"), opened(openai("m")):
        pass


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with (
        pytest.raises(EngineError, match=r"pip install 'glotmill\[openai\]'"),
        opened(openai("m", base_url="http://x")),
    ):
        pass
