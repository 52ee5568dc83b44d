"""What a server does not take, and how it says so."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from asking import Ask, chat
from faulty import KEY, Answer, Server, listed, said, wrong

from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.messages import Message, Reply, Request, Sampling

SCHEMA = '{"type":"object"}'


def unsupported(name: str) -> Callable[[dict[str, Any]], Answer | None]:
    """Refuses a parameter as OpenAI's servers do."""
    error = {"message": f"Unsupported parameter: '{name}' is not supported with this model.", "param": name}
    return lambda body: (400, {"error": {**error, "code": "unsupported_parameter"}}) if name in body else None


def forbidden(name: str) -> Callable[[dict[str, Any]], Answer | None]:
    """Refuses a parameter as servers built on pydantic do."""
    problem = {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
    return lambda body: (422, {"detail": [problem]}) if name in body else None


def unknown(name: str) -> Callable[[dict[str, Any]], Answer | None]:
    """Refuses a parameter in words alone."""
    words = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    return lambda body: wrong(400, words) if name in body else None


@pytest.mark.parametrize("refuse", [unsupported, forbidden, unknown])
@pytest.mark.parametrize("name", ["seed", "top_k", "temperature", "logprobs"])
def test_a_refused_parameter_is_left_out_from_then_on_with_one_warning(
    serve: Callable[..., Ask], caplog: pytest.LogCaptureFixture, refuse: Callable[[str], Any], name: str
) -> None:
    server = Server(said())
    server.judge = refuse(name)
    ask = serve(server)
    given = {"temperature": 0.5, "top_k": 5, "logprobs": 0}
    with caplog.at_level(logging.WARNING, "glotmill"):
        (first,) = ask(chat("a", **given))
        later = ask(*[chat("a", seed=seed, **given) for seed in range(5)])
    assert [reply.text for reply in (first, *later)] == ["ndiyo"] * 6
    assert first.tries == 1
    assert [name in body for body in server.asked] == [True] + [False] * 6
    assert [record.message.count(f"`{name}`") for record in caplog.records] == [1]


def test_the_newer_name_of_max_tokens_is_found(serve: Callable[..., Ask]) -> None:
    server = Server(said())
    server.judge = unsupported("max_tokens")
    ask = serve(server)
    assert [*ask(chat("a")), *ask(chat("b"))][1].text == "ndiyo"
    assert [body.get("max_completion_tokens") for body in server.asked] == [None, 24, 24]


def test_several_parameters_can_go_one_after_the_other(serve: Callable[..., Ask]) -> None:
    server = Server(said())
    refusals = [unsupported(name) for name in ("seed", "top_k", "min_p", "max_tokens")]
    server.judge = lambda body: next((r for refuse in refusals if (r := refuse(body))), None)
    (reply,) = serve(server)(chat("a", top_k=3, min_p=0.1, top_p=0.9))
    assert reply.text == "ndiyo"
    assert set(server.asked[-1]) == {"model", "messages", "top_p", "max_completion_tokens"}


def test_a_long_seed_is_cut_before_it_is_left_out(serve: Callable[..., Ask]) -> None:
    server = Server(said())
    server.judge = lambda body: (
        wrong(400, "seed must be less than 2147483648") if body["seed"] >= 2**31 else None
    )
    (reply,) = serve(server)(chat("a", seed=2**62 + 5))
    assert (reply.text, server.asked[-1]["seed"]) == ("ndiyo", 5)


def test_a_schema_goes_down_a_ladder(serve: Callable[..., Ask]) -> None:
    kinds: list[Any] = []

    def judge(body: dict[str, Any]) -> Answer | None:
        kinds.append((body.get("response_format") or {}).get("type"))
        return wrong(400, "This response_format type is unavailable now") if kinds[-1] else None

    server = Server(said("{}"))
    server.judge = judge
    ask = serve(server)
    assert ask(chat("a", schema=SCHEMA))[0].text == "{}"
    assert ask(chat("b", schema=SCHEMA))[0].text == "{}"
    assert kinds == ["json_schema", "json_object", None, None]


def test_a_server_without_the_role_system_gets_its_text_from_the_user(serve: Callable[..., Ask]) -> None:
    server = Server(said())
    server.judge = lambda body: (
        wrong(400, "System role not supported") if body["messages"][0]["role"] == "system" else None
    )
    request = Request((Message("system", "Be brief."), Message("user", "a")), "m")
    ask = serve(server)
    assert [*ask(request), *ask(request)][1].text == "ndiyo"
    assert [body["messages"][0]["content"] for body in server.asked] == ["Be brief.", *["Be brief.\n\na"] * 2]


def test_a_server_that_only_streams_is_asked_to(serve: Callable[..., Ask]) -> None:
    pieces = [{"role": "assistant"}, {"reasoning_content": "Hm."}, {"content": "ndi"}, {"content": "yo"}]
    chunks: list[Any] = [{"choices": [{"index": 0, "delta": piece}]} for piece in pieces]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}]
    chunks += [{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}]
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    server = Server((200, "".join([*lines, "data: [DONE]\n\n"]).encode()))
    server.judge = lambda body: (
        None if body.get("stream") else wrong(400, "This model only support stream mode, please enable it")
    )
    ask = serve(server)
    for _ in range(2):
        assert ask(chat("a")) == [Reply("ndiyo", "length", 3, 4, None, "Hm.", 2)]
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "answer",
    [
        wrong(400, "temperature must be at most 2"),
        wrong(400, "Requested logprobs of 50, which is greater than the maximum of 20"),
        wrong(422, "no"),
    ],
)
def test_a_wrong_value_is_the_fault_of_the_request(serve: Callable[..., Ask], answer: Answer) -> None:
    server = Server(answer, said())
    (failure,) = serve(server)(chat("a", temperature=3.0, logprobs=0))
    assert (failure.reason, failure.transient) == ("refused_by_server", True)
    assert len(server.asked) == 1


def test_what_does_not_help_is_not_remembered(serve: Callable[..., Ask]) -> None:
    server = Server(wrong(400, "unsupported value of seed"), wrong(400, "the picture is missing"), said())
    ask = serve(server)
    assert ask(chat("a"))[0].reason == "refused_by_server"
    assert ask(chat("b"))[0].text == "ndiyo"
    assert "seed" in server.asked[-1]


@pytest.mark.parametrize(
    "answer",
    [
        wrong(402, "Insufficient Balance"),
        wrong(429, "You exceeded your current quota", "insufficient_quota"),
        wrong(400, "Your credit balance is too low to access the API"),
        wrong(403, "余额不足"),
        (200, {"error": {"code": 402, "message": "This request requires more credits"}}),
    ],
)
def test_spent_credit_ends_the_run_and_can_be_paid(serve: Callable[..., Ask], answer: Answer) -> None:
    (failure,) = serve(Server(answer))(chat("a"))
    assert isinstance(failure, EngineError)
    assert "the credit is spent" in str(failure)


@pytest.mark.parametrize(
    ("answer", "reason", "transient"),
    [
        (wrong(403, "Your input was flagged by moderation"), "content_filter", False),
        (wrong(403, "<html><title>Attention</title>"), "refused_by_server", True),
        (wrong(400, "The response was filtered", "content_filter"), "content_filter", False),
        (wrong(400, "the request exceeds the available context size"), "prompt_too_long", False),
        (wrong(500, "the request exceeds the available context size"), "prompt_too_long", False),
        (wrong(400, "prompt is too long: 210000 tokens > 200000 maximum"), "prompt_too_long", False),
        (wrong(400, "Input length 5000 exceeds maximum allowed token size 4096"), "prompt_too_long", False),
        (wrong(413, "Payload Too Large"), "prompt_too_long", False),
        (wrong(400, "max_tokens is too large: 9000; at most 4096"), "refused_by_server", True),
        (said("half", finish_reason="SAFETY"), "content_filter", False),
        (said(None, finish_reason="tool_calls"), "empty_reply", True),
        (said("a", finish_reason="error"), "server_unavailable", True),
    ],
)
def test_one_refused_prompt_is_one_failed_row(
    serve: Callable[..., Ask], answer: Answer, reason: str, transient: bool
) -> None:
    ask = serve(Server(said(), answer, said()))
    _, failure, after = [*ask(chat("before")), *ask(chat("a")), *ask(chat("b"))]
    assert isinstance(failure, RequestFailed)
    assert (failure.reason, failure.transient) == (reason, transient)
    assert after.text == "ndiyo"


def test_a_filter_that_lets_nothing_through_may_be_mended(serve: Callable[..., Ask]) -> None:
    failures = serve(Server(wrong(403, "This account is moderated")))(chat("a"), chat("b"))
    assert [(f.reason, f.transient) for f in failures] == [("content_filter", True)] * 2


def test_an_error_inside_of_status_200_is_waited_out_and_told(
    serve: Callable[..., Ask], pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    words = "Rate limit exceeded: free-models-per-day"
    limited = (200, {"error": {"code": 429, "message": words}})
    assert serve(Server(limited, said()))(chat("a"))[0].text == "ndiyo"
    with caplog.at_level(logging.WARNING, "glotmill"):
        failure, _ = serve(Server(limited), max_retries=1)(chat("a"), chat("b"))
    assert failure.transient
    assert failure.detail.endswith(f"HTTP 429, 2 times: {words}")
    assert [record.message.count(words) for record in caplog.records] == [1]


def test_a_model_that_is_missing_by_its_code_alone_ends_the_run(serve: Callable[..., Ask]) -> None:
    server = Server((400, {"error": {"message": "Not to be had here.", "code": "model_not_found"}}))
    (failure,) = serve(server)(chat("a"))
    assert isinstance(failure, EngineError)
    assert "has no model m (400)" in str(failure)


def test_a_404_that_is_not_about_the_model_is_told_in_the_server_s_words(serve: Callable[..., Ask]) -> None:
    words = "No endpoints found that support the requested parameters."
    (failure,) = serve(Server(wrong(404, words), models=listed("m")))(chat("a"))
    assert isinstance(failure, EngineError)
    assert words in str(failure)
    assert "no model" not in str(failure)


def test_a_missing_v1_is_mended_where_the_server_shows_it_and_named_where_not(
    serve: Callable[..., Ask], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(said(), models=listed("m"))
    server.root = "/v1/"
    with caplog.at_level(logging.WARNING, "glotmill"):
        assert serve(server, path="")(chat("a"))[0].text == "ndiyo"
    assert "base_url should end in /v1" in caplog.text
    silent = Server(said(), models=wrong(404))
    silent.root = "/v1/"
    (failure,) = serve(silent, path="/")(chat("a"))
    assert "should base_url end in /v1?" in str(failure)


def test_a_redirect_is_not_followed_with_the_key(serve: Callable[..., Ask]) -> None:
    moved: Answer = (307, {}, {"location": "http://elsewhere.example/v1"})
    (failure,) = serve(Server(moved))(chat("a"))
    assert isinstance(failure, EngineError)
    assert "redirects to http://elsewhere.example/v1" in str(failure)


def test_secrets_stay_out_of_messages(serve: Callable[..., Ask]) -> None:
    words = f"bad request with {KEY} and hidden-4712 and sk-abcdefghijklmnopqrstu"
    broken = (200, {"choices": [{"error": {"message": words}}]})
    ask = serve(Server(wrong(400, words), broken), headers={"x-api-token": "hidden-4712"})
    for _ in range(2):
        (failure,) = ask(chat("a"))
        assert failure.detail.endswith("bad request with *** and *** and (not kept)")


@pytest.mark.parametrize(
    "options", [{"headers": {"x": "a\nb"}}, {"headers": {"x": "ä"}}, {"timeout_s": 0}, {"max_retries": -1}]
)
def test_options_that_make_no_sense_are_refused(serve: Callable[..., Ask], options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        serve(Server(said()), **options)


def test_hostile_answers_end_in_a_reason(serve: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glotmill.generators._server.address._LARGEST_ANSWER", 1_000_000)
    bodies = [
        b"[" * 200_000,
        b"{" + b" " * 1_200_000,
        b'{"choices": 1e999999}',
        b"null",
        b'{"choices": [[]]}',
    ]
    ask = serve(Server(*[(200, body) for body in bodies], said("\x00 \ud800")))
    reasons = [ask(chat("a"))[0].reason for _ in bodies]
    assert reasons == ["bad_reply", "reply_too_long", "empty_reply", "bad_reply", "empty_reply"]
    (reply,) = ask(chat("a"))
    assert isinstance(reply, Reply)


@pytest.mark.parametrize("broken", [b'{"choices": [', b"\x1f\x8b nonsense"])
def test_a_broken_answer_is_asked_for_again(
    serve: Callable[..., Ask], pauses: list[float], broken: bytes
) -> None:
    cut: Answer = (200, broken, {"content_encoding": "gzip"})
    assert serve(Server(cut, said()))(chat("a"))[0].text == "ndiyo"


def test_extra_body_and_headers_go_out(serve: Callable[..., Ask]) -> None:
    server = Server(said())
    serve(server, extra_body={"provider": {"sort": "price"}, "top_k": 1}, headers={"authorization": "Key 1"})(
        Request((Message("user", "a"),), "m", sampling=Sampling(top_k=40))
    )
    assert (server.asked[0]["provider"], server.asked[0]["top_k"]) == ({"sort": "price"}, 1)
    assert server.keys == ["Key 1"]
