"""Several servers of one model."""

import time
from collections.abc import Callable

import pytest
from asking import Ask, chat, opened
from faulty import Server, listed, said, served, wrong

from glotmill.errors import EngineError, UsageError
from glotmill.generators._server.address import Address
from glotmill.generators._shared.adaptive_limit import AdaptiveLimit
from glotmill.generators.openai import openai
from glotmill.messages import Message, Request

GONE = (0, b"")  # the connection breaks


def test_servers_share_the_work(serve: Callable[..., Ask]) -> None:
    servers = [Server(said()) for _ in range(3)]
    for server in servers:
        server.work = lambda: time.sleep(0.002)
    replies = serve(*servers)(*[chat(f"{seed} and so on", seed=seed) for seed in range(120)])
    assert [reply.text for reply in replies] == ["ndiyo"] * 120
    assert all(20 <= len(server.asked) <= 60 for server in servers)


def test_addresses_may_be_joined_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Server(said()), Server(said())
    with served(one) as first, served(two) as second:
        with opened(openai("m", base_url=f"{first}/v1, {second}/v1/")) as ask:
            ask(*[chat("a", seed=seed) for seed in range(20)])
        assert len(one.asked) + len(two.asked) == 20
        assert one.asked
        assert two.asked
        assert {*one.paths, *two.paths} == {"/v1/chat/completions"}


def test_requests_that_start_alike_go_to_one_server_while_it_is_free(serve: Callable[..., Ask]) -> None:
    servers = [Server(said()) for _ in range(2)]
    ask = serve(*servers)
    for number in range(12):
        system = Message("system", f"You speak {number % 3}. " + "Be brief. " * 30)
        ask(Request((system, Message("user", f"question {number}")), "m"))
    for server in servers:
        kinds = [body["messages"][0]["content"] for body in server.asked]
        assert all(kinds.count(kind) == 4 for kind in kinds)


@pytest.mark.parametrize("trouble", [GONE, wrong(502), wrong(503), wrong(429, retry_after="60")])
def test_a_server_in_trouble_is_left_out_and_no_request_is_lost(
    serve: Callable[..., Ask], pauses: list[float], trouble: tuple[int, bytes]
) -> None:
    ill, well = Server(trouble), Server(said())
    ask = serve(ill, well)
    replies = [ask(chat(f"{seed} ...", seed=seed))[0] for seed in range(40)]
    assert [reply.text for reply in replies] == ["ndiyo"] * 40
    assert len(ill.asked) < 20
    assert len(well.asked) == 40


def test_a_server_that_is_not_there_costs_nothing_but_a_try(serve: Callable[..., Ask]) -> None:
    server = Server(said())
    with served(Server()) as gone, served(server) as there:
        pass
    with served(server) as there, opened(openai("m", base_url=[f"{gone}/v1", f"{there}/v1"])) as ask:
        replies = ask(*[chat(f"{seed} ...", seed=seed) for seed in range(60)])
    assert [reply.text for reply in replies] == ["ndiyo"] * 60


def test_all_servers_gone_is_the_failure_of_one_gone(serve: Callable[..., Ask], pauses: list[float]) -> None:
    (failure,) = serve(Server(GONE), Server(GONE), max_retries=3)(chat("a"))
    assert (failure.reason, failure.transient) == ("server_unavailable", True)
    assert failure.detail.endswith("the connection broke, 4 times")
    assert pauses


def test_a_server_that_comes_back_is_tried_with_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("glotmill.generators._server.address.time.monotonic", lambda: now)
    address = Address.__new__(Address)
    address.limit, address._failures, address._dead_until = AdaptiveLimit(64), 0, 0.0
    pauses = []
    for _ in range(9):
        address.failed(for_sure=True)
        pauses.append(address._dead_until - now)
        assert not address.is_open(now)
    assert pauses == sorted(pauses) or max(pauses) <= 75
    assert pauses[-1] > 20 * pauses[0]
    now += 100
    assert address.is_open(now)
    address.limit.in_flight = 1
    assert not address.is_open(now)
    address.worked()
    assert address.is_open(now)


def test_a_server_without_the_model_or_with_another_key_ends_it_before_rows_are_made(
    serve: Callable[..., Ask],
) -> None:
    good = Server(said(), models=listed("m", owner="vllm"))
    for other in (listed("n", owner="vllm"), wrong(401, "who are you")):
        with pytest.raises(EngineError):
            serve(good, Server(said(), models=other))
    assert not good.asked


@pytest.mark.parametrize("models", [wrong(403), wrong(500), (200, b"<html>"), (200, {"data": [1]}), (0, b"")])
def test_a_server_that_does_not_list_models_is_asked_all_the_same(
    serve: Callable[..., Ask], models: tuple[int, bytes]
) -> None:
    assert serve(Server(said(), models=models))(chat("a"))[0].text == "ndiyo"


@pytest.mark.parametrize(
    "url", ["localhost:8000", "http://[::1/v1", "ftp://a/b", "", "http://a/v1,,", "http://a:99999"]
)
def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    with pytest.raises(UsageError, match="base_url holds"), opened(openai("m", base_url=url or " ")):
        pass


def test_the_query_of_an_address_is_kept(serve: Callable[..., Ask]) -> None:
    server = Server(said())
    serve(server, path="/openai/v1?api-version=7")(chat("a"))
    assert server.paths == ["/openai/v1/chat/completions?api-version=7"]


def test_a_login_in_the_address_is_sent_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server = Server(said(), wrong(400, "you are ann:hidden4713"))
    with served(server) as url:
        address = url.replace("//", "//ann:hidden4713@")
        with opened(openai("m", base_url=f"{address}/v1")) as ask:
            assert ask(chat("a"))[0].text == "ndiyo"
            assert "hidden4713" not in str(ask(chat("a"))[0])
    assert server.keys[0] == "Basic YW5uOmhpZGRlbjQ3MTM="
