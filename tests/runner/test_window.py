"""How many requests are in flight: as many as make an engine faster."""

from collections.abc import Callable

import pytest

from glotmill.runner.window import FIRST_SIZE, HOLD, MAX_SIZE, Window


def send(window: Window, seconds: Callable[[int], float], waves: int = 30, is_full: bool = True) -> list[int]:
    """Send wave after wave of requests; return their sizes. seconds: that a reply takes, by size."""
    sizes, now = [], 0.0
    for _ in range(waves):
        size = window.size
        sizes.append(size)
        end = now + seconds(size)
        for _ in range(size):
            window.count(now, end, tokens=40, is_full=is_full)
        now = end
    return sizes


def capacity(slots: int) -> Callable[[int], float]:
    """An engine that takes so many requests at once, for a second each; others wait."""
    return lambda size: max(1.0, size / slots)


@pytest.mark.parametrize("slots", [100, 512, 700, 3000, 20_000])
def test_it_grows_to_what_the_engine_takes(slots: int) -> None:
    sizes = send(Window(), capacity(slots), waves=HOLD)
    assert sizes[0] == FIRST_SIZE
    assert max(sizes) <= max(2 * FIRST_SIZE, 4 * slots)
    assert sizes[-1] >= min(slots, max(sizes)) / 2
    assert sizes[-1] <= max(FIRST_SIZE, 2 * slots)
    assert len(set(sizes[-4:])) == 1, "it stays there"


def test_an_engine_without_a_limit_gets_the_most() -> None:
    assert send(Window(), capacity(10**9))[-1] == MAX_SIZE


def test_an_engine_that_grows_is_noticed_later() -> None:
    window = Window()
    assert send(window, capacity(600), waves=10)[-1] == FIRST_SIZE
    assert send(window, capacity(5000), waves=2 * HOLD)[-1] >= 4096


def test_a_fixed_window_stays() -> None:
    assert set(send(Window(7), capacity(10**9))) == {7}


def test_what_is_not_full_tells_nothing() -> None:
    assert set(send(Window(), capacity(10**9), is_full=False)) == {FIRST_SIZE}
