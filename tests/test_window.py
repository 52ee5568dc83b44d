"""The window: who goes first, what fails, and what ends it all."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from glotmill.chat import Message, Reply, Request
from glotmill.errors import EngineError, RequestFailed
from glotmill.window import MAX_REPLY_CHARS, Answer, Window


def request(text: str) -> Request:
    return Request((Message("user", text),), "m")


def requests(*texts: str) -> list[Request]:
    return [request(text) for text in texts]


def said(request: Request) -> str:
    return request.messages[0].content


def ignore(request: Request, answer: Answer) -> None:
    return None


class Engine:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gates: dict[str, asyncio.Future[Any]] = {}

    async def __call__(self, request: Request) -> Reply:
        self.asked.append(said(request))
        self.gates[said(request)] = asyncio.get_running_loop().create_future()
        await self.gates[said(request)]
        return Reply(said(request).upper(), completion_tokens=2)

    async def open(self, *texts: str) -> None:
        for text in texts:
            self.gates[text].set_result(None)
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


def test_answers_come_in_the_order_of_requests_and_are_noted_as_they_come() -> None:
    async def test() -> None:
        engine, noted = Engine(), list[str]()
        window = Window(engine, 8)
        asked = asyncio.ensure_future(
            window.ask((0, 0), requests("a", "b", "c"), lambda r, a: noted.append(said(r)))
        )
        await settle()
        await engine.open("c")
        assert noted == ["c"]
        await engine.open("b", "a")
        assert [answer.reply.text for answer in await asked] == ["A", "B", "C"]
        assert (window.answered, window.tokens) == (3, 6)

    run(test)


def test_older_shards_go_first_and_in_a_shard_later_steps() -> None:
    async def test() -> None:
        engine = Engine()
        window = Window(engine, 1)
        asks = [
            asyncio.ensure_future(window.ask(priority, requests(*texts), ignore))
            for priority, texts in (
                ((5, 0), ["now"]),
                ((3, 0), ["3.0", "3.0'"]),
                ((2, -1), ["2.1"]),
                ((2, 0), ["2.0"]),
                ((2, -2), ["2.2"]),
            )
        ]
        await settle()
        for text in ("now", "2.2", "2.1", "2.0", "3.0", "3.0'"):
            assert engine.asked[-1] == text
            await engine.open(text)
        await asyncio.gather(*asks)

    run(test)


@pytest.mark.parametrize("size", [1, 3])
def test_no_more_are_in_flight_than_fit(size: int) -> None:
    async def test() -> None:
        engine = Engine()
        window = Window(engine, size)
        asked = asyncio.ensure_future(window.ask((0, 0), requests(*"abcde"), ignore))
        await settle()
        for done in range(5):
            assert len(engine.asked) == min(5, done + size)
            await engine.open("abcde"[done])
        await asked

    run(test)


def test_a_request_that_fails_is_a_reply() -> None:
    async def test() -> None:
        async def engine(request: Request) -> Reply:
            raise RequestFailed("busy\ud800", "no\ud800 room " + "x" * 999, transient=True)

        (answer,) = await Window(engine, 1).ask((0, 0), requests("a"), ignore)
        assert answer.transient
        assert answer.reply.failure == "busy?"
        assert answer.reply.detail.startswith("no? room x")
        assert len(answer.reply.detail) == 500
        assert answer.reply.finish_reason == "failed"

    run(test)


def test_a_reply_is_bounded_and_can_be_written() -> None:
    async def test() -> None:
        async def engine(request: Request) -> Reply:
            return Reply(
                "x" * (MAX_REPLY_CHARS + 1) if said(request) == "long" else "a\ud800é", "length", 1, 2
            )

        long, half = await Window(engine, 2).ask((0, 0), requests("long", "half"), ignore)
        assert (long.reply.failure, long.transient) == ("reply_too_long", False)
        assert half.reply == Reply("a?é", "length", 1, 2)

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

        window = Window(engine, 1, max_failures=0.1)
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

        answers = await Window(engine, 4, max_failures=0.1).ask(
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

        window = Window(engine, 2)
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
            await Window(engine, 1).ask((0, 0), requests("a", "b"), full)

    run(test)


def test_an_engine_that_gives_up_a_request_does_not_leave_it_hanging() -> None:
    async def test() -> None:
        async def engine(request: Request) -> Reply:
            raise asyncio.CancelledError

        with pytest.raises(EngineError, match="gave up"):
            await Window(engine, 1).ask((0, 0), requests("a", "b"), ignore)

    run(test)


def test_who_is_cancelled_leaves_the_replies_in_flight_to_be_noted() -> None:
    async def test() -> None:
        engine, noted = Engine(), list[str]()
        window = Window(engine, 2)
        asked = asyncio.ensure_future(
            window.ask((0, 0), requests("a", "b", "c"), lambda r, a: noted.append(a.reply.text))
        )
        await settle()
        asked.cancel()
        await settle()
        assert asked.cancelled()
        other = asyncio.ensure_future(window.ask((1, 0), requests("d"), ignore))
        await engine.open("a")
        assert engine.asked == ["a", "b", "d"], "c is not asked any more"
        await engine.open("b", "d")
        assert noted == ["A", "B"]
        await other

    run(test)


def test_drain_waits_for_what_is_in_flight_and_no_longer_than_it_may() -> None:
    async def test() -> None:
        engine, noted = Engine(), list[str]()
        window = Window(engine, 2)
        asked = asyncio.ensure_future(
            window.ask((0, 0), requests("a", "b", "c"), lambda r, a: noted.append(a.reply.text))
        )
        await settle()
        asked.cancel()
        drained = asyncio.ensure_future(window.drain(0.2))
        await settle()
        await engine.open("a")
        await drained
        assert noted == ["A"]
        assert engine.asked == ["a", "b"]
        assert engine.gates["b"].cancelled()

    run(test)


def test_what_a_dying_engine_lost_is_put_to_the_next_one_and_is_no_failure() -> None:
    async def test() -> None:
        asked: list[str] = []

        async def engine(request: Request) -> Reply:
            asked.append(said(request))
            if asked.count(said(request)) == 1:
                raise RequestFailed("engine_died", transient=True)
            return Reply("x")

        window = Window(engine, 200, max_failures=0.01)
        answers = await window.ask((0, 0), requests(*map(str, range(100))), ignore)
        assert [answer.reply.text for answer in answers] == ["x"] * 100

        async def dead(request: Request) -> Reply:
            raise RequestFailed("engine_died", transient=True)

        (answer,) = await Window(dead, 1, max_failures=1).ask((0, 0), requests("a"), ignore)
        assert answer.reply.failure == "engine_died"
        assert answer.transient

    run(test)


def test_an_answer_says_how_long_it_took_and_how_often_it_was_asked() -> None:
    async def test() -> None:
        asked = 0

        async def generate(request: Request) -> Reply:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise RequestFailed("engine_died", transient=True)
            await asyncio.sleep(0)
            return Reply("a", seconds=7.5) if said(request) == "told" else Reply("a")

        window = Window(generate, 1)
        measured, told = (a.reply for a in await window.ask((0, 0), requests("a", "told"), ignore))
        assert 0 < measured.seconds < 5
        assert (measured.tries, told.tries) == (2, 1)
        assert told.seconds == 7.5, "an engine that measures is believed"

    run(test)
