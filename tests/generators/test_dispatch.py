"""Which replica of an engine gets a request."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from glotmill.generators._shared.replicas import Replicas
from glotmill.messages import Message, Reply, Request


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


class Local:
    """A channel to an engine in this process that replies when it is told to."""

    def __init__(self, expected: Callable[[], None]) -> None:
        self.asked: dict[int, str] = {}
        self.outcomes: asyncio.Queue[Any] = asyncio.Queue()
        self.noted = expected

    async def connect(self) -> "Local":
        return self

    async def send(self, requests: Any) -> None:
        self.asked.update({number: request.messages[0].content for number, request in requests if request})
        self.noted()

    async def receive(self) -> Any:
        return await self.outcomes.get()

    async def close(self) -> None:
        return None


async def dispatched(*texts: str, number: int = 4, busy: int = 0) -> list[Counter[str]]:
    """Ask for all texts at once; return what each replica got.

    busy: requests that each replica has before; one is done, in turns, whenever a text is asked.
    """
    progress, replicas = asyncio.Event(), Replicas("local")
    channels = [Local(progress.set) for _ in range(number)]
    for channel in channels:
        replicas.add("replica", channel.connect)
    await replicas.opened()

    async def until(total: int) -> None:
        while sum(len(channel.asked) for channel in channels) < total:
            progress.clear()
            await progress.wait()

    asked = [asyncio.ensure_future(replicas.ask(request(f"before {n}"))) for n in range(busy * number)]
    await until(len(asked))
    before = [list(channel.asked) for channel in channels]
    for position, text in enumerate(texts, 1):
        asked.append(asyncio.ensure_future(replicas.ask(request(text))))
        await until(busy * number + position)
        if busy:
            channels[position % number].outcomes.put_nowait([(before[position % number].pop(), Reply("x"))])
    for channel in channels:
        channel.outcomes.put_nowait([(number, Reply("x")) for number in channel.asked])
    assert [reply.text for reply in await asyncio.gather(*asked)] == ["x"] * len(asked)
    await replicas.close()
    return [Counter(t for t in channel.asked.values() if "before" not in t) for channel in channels]


def request(text: str) -> Request:
    return Request((Message("system", text), Message("user", "hello")), "m")


@pytest.mark.parametrize("texts", ["a" * 400, "abcdefgh" * 50])
def test_no_replica_gets_much_more_than_another(texts: str) -> None:
    async def main() -> None:
        counts = [count.total() for count in await dispatched(*texts)]
        assert max(counts) <= min(counts) * 9 / 8 + 1

    run(main())


def test_requests_that_begin_alike_stay_together() -> None:
    async def main() -> None:
        counts = await dispatched(*(text for text in "abcdefgh" for _ in range(16)), busy=64)
        assert sum(len(count) for count in counts) <= 20, "in turns, each of 4 replicas would see all 8"

    run(main())
