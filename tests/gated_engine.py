"""An engine that answers when a test lets it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from glotmill.messages import Message, Reply, Request
from glotmill.runner.request_queue import Answer


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
