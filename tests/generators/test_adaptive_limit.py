"""The pace towards servers of several kinds, in a time that is only counted."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from glotmill.generators._shared.adaptive_limit import AdaptiveLimit


def simulated(
    monkeypatch: pytest.MonkeyPatch,
    requests: int,
    latency_s: Callable[[int], float],
    max_concurrency: int = 256,
) -> tuple[AdaptiveLimit, list[int]]:
    """A server whose replies take `latency_s(how many are out)`; how many were, at each start."""
    now = 0.0
    monkeypatch.setattr("glotmill.generators._shared.adaptive_limit.time.monotonic", lambda: now)
    in_flight: list[int] = []
    ends: list[tuple[float, int, float]] = []

    async def main() -> AdaptiveLimit:
        nonlocal now
        pace = AdaptiveLimit(max_concurrency)
        starts = [asyncio.ensure_future(pace.acquire()) for _ in range(requests)]
        begun: set[int] = set()
        while len(begun) < requests or ends:
            for _ in range(3):
                await asyncio.sleep(0)
            for number, acquire in enumerate(starts):
                if acquire.done() and number not in begun:
                    begun.add(number)
                    in_flight.append(pace.in_flight)
                    heapq.heappush(ends, (now + latency_s(pace.in_flight), number, now))
            now, _, started = heapq.heappop(ends)
            pace.succeeded(started, 10)
            pace.release()
        return pace

    return asyncio.run(main()), in_flight


def test_a_server_that_keeps_up_is_asked_ever_more(monkeypatch: pytest.MonkeyPatch) -> None:
    _, in_flight = simulated(monkeypatch, 1200, lambda in_flight: 1.0)
    assert in_flight[15] == 16
    assert max(in_flight) == 256
    _, in_flight = simulated(monkeypatch, 400, lambda in_flight: 1.0, max_concurrency=40)
    assert max(in_flight) == 40


def test_a_server_that_only_gets_slower_is_not_crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    # Twenty at once are all that it can do.
    pace, in_flight = simulated(monkeypatch, 2000, lambda in_flight: max(1.0, in_flight / 20))
    assert max(in_flight) < 200
    assert max(in_flight[500:]) < 100
    assert pace.limit > 10


def test_a_refusal_halves_the_pace_once_for_all_that_were_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5.0
    monkeypatch.setattr("glotmill.generators._shared.adaptive_limit.time.monotonic", lambda: now)
    pace = AdaptiveLimit(256)
    for _ in range(3):
        pace.overloaded(started=4.0)
    assert pace.limit == 8
    pace.overloaded(started=6.0)
    assert pace.limit == 4
    for later in range(7, 20):
        pace.overloaded(started=later)
    assert pace.limit == 1


def test_turns_of_those_who_gave_up_are_not_lost() -> None:
    async def main() -> int:
        pace = AdaptiveLimit(1)
        await pace.acquire()
        waiting = [asyncio.ensure_future(pace.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        pace.release()
        waiting[1].cancel()  # after its turn came
        await asyncio.wait_for(waiting[2], 1)
        pace.release()
        results: list[Any] = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError, asyncio.CancelledError, float]
        return pace.in_flight

    assert asyncio.run(main()) == 0


@pytest.mark.parametrize("capacity", [64, 256, 1024])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_limit_settles_at_what_the_server_can_do_at_once(
    monkeypatch: pytest.MonkeyPatch, capacity: int, seed: int
) -> None:
    """The server works on `capacity` requests, of very different length, and keeps the others waiting."""
    now = 0.0
    monkeypatch.setattr("glotmill.generators._shared.adaptive_limit.time.monotonic", lambda: now)
    chance = Random(seed)
    pace = AdaptiveLimit(4096)
    waiting: deque[float] = deque()  # when they began
    ends: list[tuple[float, float, int]] = []
    limits: list[float] = []
    for _ in range(30 * capacity):
        while pace.in_flight < int(pace.limit):
            pace.in_flight += 1
            waiting.append(now)
        while waiting and len(ends) < capacity:
            tokens = 1 + int(chance.expovariate(1 / 200))
            heapq.heappush(ends, (now + tokens / 50, waiting.popleft(), tokens))
        now, began, tokens = heapq.heappop(ends)
        pace.succeeded(began, tokens)
        pace.in_flight -= 1
        limits.append(pace.limit)
    settled = limits[len(limits) // 2 :]
    assert 0.9 * capacity <= min(settled)
    assert max(settled) <= 2 * capacity
