"""The window: what fails, and what ends it all."""

import asyncio

import pytest
from gated_engine import Engine, ignore, requests, run, said, settle

from glotmill.errors import EngineError, RequestFailed
from glotmill.generators._shared.stopping import unsent
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


def test_failures_of_requests_that_are_all_in_flight_stop_it_too() -> None:
    async def test() -> None:
        engine, noted = Engine(), list[str]()

        async def failing(request: Request) -> Reply:
            reply = await engine(request)
            if said(request) == "59":
                return reply
            raise RequestFailed("broken", f"no luck with {said(request)}")

        texts = [*map(str, range(60))]
        window = RequestQueue(failing, 100)
        asked = asyncio.ensure_future(
            window.ask((0, 0), requests(*texts), lambda r, a: noted.append(a.reply.text))
        )
        await settle()
        assert len(engine.asked) == 60
        await engine.open(*texts[:41])
        with pytest.raises(EngineError, match=r"41 of the last 41 requests failed, .* no luck with 40"):
            await asked
        await engine.open(*texts[41:])
        assert noted[-1] == "59", "a reply that was paid for is noted"
        assert len(noted) == 60

    run(test)


def test_stopped_it_gives_up_what_was_not_sent_and_waits_for_the_rest() -> None:
    async def test() -> None:
        engine, noted = Engine(), dict[str, str]()

        async def waiting(request: Request) -> Reply:
            if said(request).startswith("unsent"):
                with unsent():
                    await asyncio.Event().wait()
            reply = await engine(request)
            if said(request) == "again":
                with unsent():  # before another try
                    raise AssertionError("not any more")
            return reply

        window = RequestQueue(waiting, 5)
        asked = asyncio.ensure_future(
            window.ask(
                (0, 0),
                requests("unsent 1", "sent", "unsent 2", "again"),
                lambda r, a: noted.update({said(r): a.reply.text or a.reply.failure}),
            )
        )
        await settle()
        asked.cancel()
        drained = asyncio.ensure_future(window.drain(stop=True))
        await settle()
        assert engine.asked == ["sent", "again"]
        assert not drained.done()
        await engine.open("sent", "again")
        await drained
        assert noted == {"sent": "SENT", "again": "stopped"}

    run(test)


def test_between_rounds_it_gives_up_what_was_not_sent_and_goes_on() -> None:
    async def test() -> None:
        first = True

        async def waiting(request: Request) -> Reply:
            if first:
                with unsent():
                    await asyncio.Event().wait()
            return Reply("x")

        window = RequestQueue(waiting, 5)
        asked = asyncio.ensure_future(window.ask((0, 0), requests("a"), ignore))
        await settle()
        asked.cancel()
        await window.drain()
        first = False
        (answer,) = await window.ask((0, 0), requests("a"), ignore)
        assert answer.reply.text == "x"

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
        never, noted = asyncio.get_running_loop().create_future(), list[str]()

        async def engine(request: Request) -> Reply:
            if said(request) == "bad":
                raise error
            await never
            return Reply("x")

        window = RequestQueue(engine, 2)
        hanging = asyncio.ensure_future(
            window.ask((0, 0), requests("hang"), lambda r, a: noted.append(a.reply.text))
        )
        waiting = asyncio.ensure_future(window.ask((1, 0), requests("bad", "more", "and more"), ignore))
        with pytest.raises(type(error), match=str(error)):
            await waiting
        with pytest.raises(type(error), match=str(error)):
            await window.ask((2, 0), requests("later"), ignore)
        with pytest.raises(type(error), match=str(error)):
            await hanging
        assert not noted
        never.set_result(None)
        await window.drain()
        assert noted == ["x"], "what is in flight still comes, and is kept"

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
