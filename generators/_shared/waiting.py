"""Between an event loop, where requests wait, and the one thread that touches a model."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from glotmill.errors import EngineError
from glotmill.messages import Request


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A request made ready for the model, and who waits for it."""

    work: Any
    done: asyncio.Future[Any]


class Line:
    """Jobs go to the thread by a queue; outcomes come back through the event loop, many at a time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[Any] = self.loop.create_future()
        self.inbox: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self.closing = False
        # Rendering has a thread of its own: it would hold up the event loop, or the model.
        self.renderer = ThreadPoolExecutor(1, f"{name}-render")

    async def ask(self, prepare: Callable[[Request], Any], request: Request) -> Any:
        """What the thread settles for the request; raises it if it is an exception."""
        work = await self.loop.run_in_executor(self.renderer, prepare, request)
        if self.closing:
            raise EngineError(f"engine {self.name}: closed")
        job = Pending(work, self.loop.create_future())
        self.inbox.put(job)
        return await job.done

    def take(self, *, wait: bool) -> Pending | None:
        """The next job that somebody still waits for; None if there is none, or when it is time to close."""
        with suppress(queue.Empty):
            while not self.closing:
                job = self.inbox.get(block=wait)
                if job and not job.done.cancelled():
                    return job
        return None

    def settle(self, outcomes: Iterable[tuple[asyncio.Future[Any], Any]]) -> None:
        """Hands out results and exceptions."""
        with suppress(RuntimeError):  # the event loop is gone, and with it all who waited
            self.loop.call_soon_threadsafe(_resolve, outcomes)

    def refuse_all(self, reason: str) -> None:
        """The thread's last act: whoever still comes hears why it is over, until the line is closed."""
        while not self.closing or not self.inbox.empty():
            if job := self.inbox.get():
                self.settle([(job.done, EngineError(reason))])


@asynccontextmanager
async def line_to(name: str, serve: Callable[[Line], None]) -> AsyncIterator[Line]:
    """Runs `serve` in a thread until the block ends. It settles `opened` when it can take jobs, or cannot."""
    line = Line(name)
    thread = threading.Thread(target=serve, args=(line,), name=name, daemon=True)
    thread.start()
    try:
        await line.opened
        yield line
    finally:
        line.closing = True
        line.inbox.put(None)
        line.renderer.shutdown(wait=False, cancel_futures=True)
        if not line.opened.cancelled():  # interrupted while it loads, which may take minutes: not waited for
            await asyncio.shield(asyncio.to_thread(thread.join))


def _resolve(outcomes: Iterable[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in outcomes:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
