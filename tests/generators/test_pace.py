"""The pace towards servers of several kinds, in a time that is only counted."""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

import pytest

from glotmill.generators._shared.pace import Pace


def simulated(
    monkeypatch: pytest.MonkeyPatch, requests: int, latency_s: Callable[[int], float], most: int = 256
) -> tuple[Pace, list[int]]:
    """A server whose replies take `latency_s(how many are out)`; how many were, at each start."""
    now = 0.0
    monkeypatch.setattr("glotmill.generators._shared.pace.time.monotonic", lambda: now)
    out: list[int] = []
    ends: list[tuple[float, int, float]] = []

    async def main() -> Pace:
        nonlocal now
        pace = Pace(most)
        starts = [asyncio.ensure_future(pace.start()) for _ in range(requests)]
        begun: set[int] = set()
        while len(begun) < requests or ends:
            for _ in range(3):
                await asyncio.sleep(0)
            for number, start in enumerate(starts):
                if start.done() and number not in begun:
                    begun.add(number)
                    out.append(pace.out)
                    heapq.heappush(ends, (now + latency_s(pace.out), number, now))
            now, _, started = heapq.heappop(ends)
            pace.went_well(started, 10)
            pace.end()
        return pace

    return asyncio.run(main()), out


def test_a_server_that_keeps_up_is_asked_ever_more(monkeypatch: pytest.MonkeyPatch) -> None:
    _, out = simulated(monkeypatch, 1200, lambda out: 1.0)
    assert out[15] == 16
    assert max(out) == 256
    _, out = simulated(monkeypatch, 400, lambda out: 1.0, most=40)
    assert max(out) == 40


def test_a_server_that_only_gets_slower_is_not_crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    # Twenty at once are all that it can do.
    pace, out = simulated(monkeypatch, 2000, lambda out: max(1.0, out / 20))
    assert max(out) < 200
    assert max(out[500:]) < 100
    assert pace.limit > 10


def test_a_refusal_halves_the_pace_once_for_all_that_were_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5.0
    monkeypatch.setattr("glotmill.generators._shared.pace.time.monotonic", lambda: now)
    pace = Pace(256)
    for _ in range(3):
        pace.too_much(started=4.0)
    assert pace.limit == 8
    pace.too_much(started=6.0)
    assert pace.limit == 4
    for later in range(7, 20):
        pace.too_much(started=later)
    assert pace.limit == 1


def test_turns_of_those_who_gave_up_are_not_lost() -> None:
    async def main() -> int:
        pace = Pace(1)
        await pace.start()
        waiting = [asyncio.ensure_future(pace.start()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        pace.end()
        waiting[1].cancel()  # after its turn came
        await asyncio.wait_for(waiting[2], 1)
        pace.end()
        results: list[Any] = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError, asyncio.CancelledError, float]
        return pace.out

    assert asyncio.run(main()) == 0
