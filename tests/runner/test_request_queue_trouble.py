"""The window: what fails, and what ends it all."""

import asyncio

import pytest
from gated_engine import ignore, requests, run, said

from glotmill.errors import EngineError, RequestFailed
from glotmill.messages import Reply, Request
from glotmill.runner.request_queue import Answer, RequestQueue


def test_a_request_that_fails_is_a_reply() -> None:
    async def test() -> None:
        async def engine(request: Request) -> Reply:
            raise RequestFailed("busy\ud800", "no\ud800 room " + "x" * 999, transient=True)

        (answer,) = await RequestQueue(engine, 1).ask((0, 0), requests("a"), ignore)
        assert answer.transient
        assert answer.reply.failure == "busy?"
        assert answer.reply.detail.startswith("no? room x")
        assert len(answer.reply.detail) == 500
        assert answer.reply.finish_reason == "failed"

    run(test)


def test_a_share_of_failures_stops_everything() -> None:
    async def test() -> None:
        count = 0

        async def engine(request: Request) -> Reply:
            nonlocal count
            count += 1
            if count % 2:
                raise RequestFailed("broken", "out of luck")
            return Reply("x")

        window = RequestQueue(engine, 1, max_failures=0.1)
        with pytest.raises(
            EngineError, match="21 of the last 41 requests failed, the latest with broken: out of luck"
        ):
            await window.ask((0, 0), requests(*map(str, range(500))), ignore)
        assert count == 41
        with pytest.raises(EngineError):
            await window.ask((0, 0), requests("later"), ignore)
        assert count == 41

    run(test)


def test_failures_long_ago_do_not_count() -> None:
    async def test() -> None:
        count = 0

        async def engine(request: Request) -> Reply:
            nonlocal count
            count += 1
            if count % 11 == 0:
                raise RequestFailed("sometimes")
            return Reply("x")

        answers = await RequestQueue(engine, 4, max_failures=0.1).ask(
            (0, 0), requests(*map(str, range(1000))), ignore
        )
        assert sum(bool(a.reply.failure) for a in answers) == 90

    run(test)


@pytest.mark.parametrize("error", [EngineError("died"), ValueError("bug")])
def test_an_engine_that_breaks_fails_every_ask_at_once(error: Exception) -> None:
    async def test() -> None:
        never = asyncio.get_running_loop().create_future()

        async def engine(request: Request) -> Reply:
            if said(request) == "bad":
                raise error
            await never
            return Reply("x")

        window = RequestQueue(engine, 2)
        hanging = asyncio.ensure_future(window.ask((0, 0), requests("hang"), ignore))
        waiting = asyncio.ensure_future(window.ask((1, 0), requests("bad", "more", "and more"), ignore))
        with pytest.raises(type(error), match=str(error)):
            await waiting
        with pytest.raises(type(error), match=str(error)):
            await window.ask((2, 0), requests("later"), ignore)
        assert not hanging.done(), "what is in flight may still come"
        never.set_result(None)
        assert [a.reply.text for a in await hanging] == ["x"]

    run(test)


def test_a_note_that_fails_ends_it_too() -> None:
    async def test() -> None:
        async def engine(request: Request) -> Reply:
            return Reply("x")

        def full(request: Request, answer: Answer) -> None:
            raise OSError(28, "No space left on device")

        with pytest.raises(OSError, match="No space left"):
            await RequestQueue(engine, 1).ask((0, 0), requests("a", "b"), full)

    run(test)


def test_an_engine_that_gives_up_a_request_does_not_leave_it_hanging() -> None:
    async def test() -> None:
        async def engine(request: Request) -> Reply:
            raise asyncio.CancelledError

        with pytest.raises(EngineError, match="gave up"):
            await RequestQueue(engine, 1).ask((0, 0), requests("a", "b"), ignore)

    run(test)


def test_what_a_dying_engine_lost_is_put_to_the_next_one_and_is_no_failure() -> None:
    async def test() -> None:
        asked: list[str] = []

        async def engine(request: Request) -> Reply:
            asked.append(said(request))
            if asked.count(said(request)) == 1:
                raise RequestFailed("engine_died", transient=True)
            return Reply("x")

        window = RequestQueue(engine, 200, max_failures=0.01)
        answers = await window.ask((0, 0), requests(*map(str, range(100))), ignore)
        assert [answer.reply.text for answer in answers] == ["x"] * 100

        async def dead(request: Request) -> Reply:
            raise RequestFailed("engine_died", transient=True)

        (answer,) = await RequestQueue(dead, 1, max_failures=1).ask((0, 0), requests("a"), ignore)
        assert answer.reply.failure == "engine_died"
        assert answer.transient

    run(test)
