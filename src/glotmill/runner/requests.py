"""One window of requests in flight, shared by all shards: older shards first, later steps first."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from time import perf_counter
from typing import NamedTuple, TypeAlias

from glotmill.errors import EngineError, RequestFailed
from glotmill.io.text import replace_surrogates
from glotmill.messages import Engine, Reply, Request

Priority: TypeAlias = tuple[int, int]  # (number of the shard in order of opening, minus the step's number)

FAILURE_SPAN = 200  # requests over which failures are counted
ENGINE_DIED = "engine_died"  # the reason of a request that was lost with its engine
LIVES = 3  # how often one request may be put to an engine that dies
MAX_REPLY_CHARS = 1_000_000


class Answer(NamedTuple):
    """A reply, and whether asking again later may mend its failure."""

    reply: Reply
    transient: bool


Note: TypeAlias = Callable[[Request, Answer], None]


class _Waiting(NamedTuple):
    priority: Priority
    number: int
    request: Request
    future: "asyncio.Future[Answer]"
    note: Note


class RequestQueue:
    """Puts requests to an open engine, at most `size` at a time.

    When more than `max_failures` (a share) of the last 200 requests failed, every ask raises EngineError.
    When an engine or a journal raises anything but RequestFailed, every ask raises that.
    """

    def __init__(self, generate: Engine, size: int, max_failures: float = 0.2) -> None:
        self._generate = generate
        self._size = size
        self._limit = max_failures * FAILURE_SPAN
        self._last: deque[bool] = deque(maxlen=FAILURE_SPAN)
        self._waiting: list[_Waiting] = []
        self._number = count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped: BaseException | None = None
        self.answered = 0  # replies so far
        self.tokens = 0  # tokens of these replies

    async def ask(self, priority: Priority, requests: Sequence[Request], note: Note) -> list[Answer]:
        """Return the answer to each request, in their order; `note` is called as each comes.

        A request that fails becomes a reply with its `failure`. Raises EngineError if the engine cannot go
        on.
        """
        loop = asyncio.get_running_loop()
        batch = [_Waiting(priority, next(self._number), r, loop.create_future(), note) for r in requests]
        for waiting in batch:
            heapq.heappush(self._waiting, waiting)
        self._pump()
        try:
            return [await waiting.future for waiting in batch]
        finally:
            for waiting in batch:
                if not waiting.future.cancel() and not waiting.future.cancelled():
                    waiting.future.exception()  # seen: another of the batch was raised already

    async def drain(self, seconds: float | None = None) -> None:
        """Send nothing more; wait for what is in flight, so that replies are noted; then give up the rest."""
        for waiting in self._waiting:
            waiting.future.cancel()
        self._waiting.clear()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _pump(self) -> None:
        while self._waiting and (self._stopped or len(self._tasks) < self._size):
            waiting = heapq.heappop(self._waiting)
            if waiting.future.done():
                continue
            if self._stopped:
                waiting.future.set_exception(self._stopped)
                continue
            task = asyncio.ensure_future(self._one(waiting))
            self._tasks.add(task)
            task.add_done_callback(partial(self._done, waiting))

    def _done(self, waiting: _Waiting, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = EngineError("the engine gave up a request") if task.cancelled() else task.exception()
        if error is not None:
            self._stop(error)
            if not waiting.future.done():
                waiting.future.set_exception(error)
        self._pump()

    async def _answer(self, request: Request) -> Answer:
        began = perf_counter()
        for life in count(1):
            try:
                reply = _bounded(await self._generate(request))
                seconds = reply.seconds or round(perf_counter() - began, 6)
                return Answer(replace(reply, seconds=seconds, tries=reply.tries + life - 1), False)
            except RequestFailed as error:
                # A dying engine fails all that it had at once; that is one failure, and it is started again.
                if error.reason == ENGINE_DIED and life < LIVES:
                    continue
                reason, detail = (
                    replace_surrogates(error.reason) or "failed",
                    replace_surrogates(error.detail[:500]),
                )
                seconds = round(perf_counter() - began, 6)
                failed = Reply("", "failed", failure=reason, detail=detail, seconds=seconds, tries=life)
                return Answer(failed, error.transient)
        raise AssertionError("count never ends")

    async def _one(self, waiting: _Waiting) -> None:
        answer = await self._answer(waiting.request)
        self.answered += 1
        self.tokens += answer.reply.completion_tokens
        waiting.note(waiting.request, answer)
        if not waiting.future.done():
            waiting.future.set_result(answer)
        self._last.append(bool(answer.reply.failure))
        if answer.reply.failure and sum(self._last) > self._limit:
            many = f"{sum(self._last)} of the last {len(self._last)} requests failed"
            self._stop(EngineError(f"{many}, the latest with {answer.reply.failure}: {answer.reply.detail}"))

    def _stop(self, error: BaseException) -> None:
        """Fail all that waits, at once."""
        self._stopped = self._stopped or error
        for waiting in self._waiting:
            if not waiting.future.done():
                waiting.future.set_exception(self._stopped)
        self._waiting.clear()


def _bounded(reply: Reply) -> Reply:
    """A reply's text is bounded, and can be written as UTF-8."""
    text = reply.text
    if len(text) > MAX_REPLY_CHARS:
        raise RequestFailed(
            "reply_too_long", f"{len(text):,} characters; at most {MAX_REPLY_CHARS:,} are taken"
        )
    sane = replace_surrogates(text)
    return reply if sane is text else replace(reply, text=sane)
