"""The window: who goes first, and what is told of it."""

import asyncio

import pytest
from gated_engine import Engine, ignore, requests, run, said, settle
from virtual_loop import VirtualLoop

from glotmill.errors import RequestFailed
from glotmill.messages import Reply, Request
from glotmill.runner.request_queue import MAX_REPLY_CHARS, RequestQueue
from glotmill.runner.window import FIRST_SIZE


def test_answers_come_in_the_order_of_requests_and_are_noted_as_they_come() -> None:
    async def test() -> None:
        engine, noted = Engine(), list[str]()
        window = RequestQueue(engine, 8)
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
        window = RequestQueue(engine, 1)
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
        window = RequestQueue(engine, size)
        asked = asyncio.ensure_future(window.ask((0, 0), requests(*"abcde"), ignore))
        await settle()
        for done in range(5):
            assert len(engine.asked) == min(5, done + size)
            await engine.open("abcde"[done])
        await asked

    run(test)


def test_without_a_size_more_are_in_flight_while_they_come_faster() -> None:
    loop = VirtualLoop()
    engine_limit = 4 * FIRST_SIZE
    slots = asyncio.Semaphore(engine_limit)

    async def engine(request: Request) -> Reply:
        async with slots:
            await asyncio.sleep(1)
        return Reply("a", completion_tokens=5)

    async def test() -> int:
        queue = RequestQueue(engine, None)
        await queue.ask((0, 0), requests(*map(str, range(40 * FIRST_SIZE))), ignore)
        assert loop.time() < 20, "40 at the first size"
        return queue.size

    try:
        assert engine_limit / 2 <= loop.run_until_complete(test()) <= 2 * engine_limit
    finally:
        loop.close()


def test_a_reply_is_bounded_and_can_be_written() -> None:
    async def test() -> None:
        async def engine(request: Request) -> Reply:
            return Reply(
                "x" * (MAX_REPLY_CHARS + 1) if said(request) == "long" else "a\ud800é", "length", 1, 2
            )

        long, half = await RequestQueue(engine, 2).ask((0, 0), requests("long", "half"), ignore)
        assert (long.reply.failure, long.transient) == ("reply_too_long", False)
        assert half.reply == Reply("a?é", "length", 1, 2)

    run(test)


def test_who_is_cancelled_leaves_the_replies_in_flight_to_be_noted() -> None:
    async def test() -> None:
        engine, noted = Engine(), list[str]()
        window = RequestQueue(engine, 2)
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
        window = RequestQueue(engine, 2)
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

        window = RequestQueue(generate, 1)
        measured, told = (a.reply for a in await window.ask((0, 0), requests("a", "told"), ignore))
        assert 0 < measured.seconds < 5
        assert (measured.tries, told.tries) == (2, 1)
        assert told.seconds == 7.5, "an engine that measures is believed"

    run(test)
