"""Connects an event loop, where requests wait, with the one thread that runs a model."""

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
    """A request prepared for the model, and the future that its caller awaits."""

    work: Any
    future: asyncio.Future[Any]


class ModelThread:
    """A queue of pending requests into the thread; outcomes come back through the event loop in batches."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[Any] = self.loop.create_future()
        self.inbox: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self.closing = False
        # Tokenizing has its own thread, since it would block the event loop or the model.
        self.renderer = ThreadPoolExecutor(1, f"{name}-render")

    async def submit(self, prepare: Callable[[Request], Any], request: Request) -> Any:
        """Return the outcome of a request, or raise it if it is an exception."""
        work = await self.loop.run_in_executor(self.renderer, prepare, request)
        if self.closing:
            raise EngineError(f"engine {self.name}: closed")
        job = Pending(work, self.loop.create_future())
        self.inbox.put(job)
        return await job.future

    def next_pending(self, *, wait: bool) -> Pending | None:
        """Return the next request whose caller still waits, or None if there is none or the engine closes."""
        with suppress(queue.Empty):
            while not self.closing:
                job = self.inbox.get(block=wait)
                if job and not job.future.cancelled():
                    return job
        return None

    def resolve(self, outcomes: Iterable[tuple[asyncio.Future[Any], Any]]) -> None:
        """Set results and exceptions of futures; called from the thread."""
        with suppress(RuntimeError):  # the event loop is closed, and with it all callers
            self.loop.call_soon_threadsafe(_resolve, outcomes)

    def reject_all(self, reason: str) -> None:
        """Fail every request that still arrives with `reason`, until the engine closes."""
        while not self.closing or not self.inbox.empty():
            if job := self.inbox.get():
                self.resolve([(job.future, EngineError(reason))])


@asynccontextmanager
async def model_thread(name: str, serve: Callable[[ModelThread], None]) -> AsyncIterator[ModelThread]:
    """Run `serve` in a thread until the block ends. It resolves `ready` once loaded or failed."""
    requests = ModelThread(name)
    thread = threading.Thread(target=serve, args=(requests,), name=name, daemon=True)
    thread.start()
    try:
        await requests.ready
        yield requests
    finally:
        requests.closing = True
        requests.inbox.put(None)
        requests.renderer.shutdown(wait=False, cancel_futures=True)
        if not requests.ready.cancelled():  # interrupted while loading, which may take minutes: do not wait
            await asyncio.shield(asyncio.to_thread(thread.join))


def _resolve(outcomes: Iterable[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in outcomes:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
