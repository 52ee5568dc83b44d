"""The queue of requests in front of the engine: one for all shards, with a window of them in flight.

Priority. The oldest shard goes first, and within it the latest step: finished rows come early, and few shards
are half done. Requests of one step leave together, so that an engine's prefix cache is hit.

Errors. RequestFailed concerns one request: its answer is a reply with `failure`. Anything else, an
EngineError above all, stops the queue: all waiting and all later requests raise it. Too many failures among
the last requests stop it too, since such an engine is broken and every further request wastes time.

Cancellation. A caller that is cancelled takes back what has not left yet. A request in flight goes on: it is
paid for, so its reply still goes to `note`, which writes the journal. `drain` waits for such replies.
"""

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
from glotmill.generators._shared import stopping
from glotmill.io.surrogates import replace_surrogates
from glotmill.messages import Engine, Reply, Request
from glotmill.runner.window import Window

Priority: TypeAlias = tuple[int, int]  # (number of the shard in order of opening, minus the step's number)

FAILURE_SPAN = 200  # requests over which failures are counted
ENGINE_DIED = "engine_died"  # the reason of a request that was lost with its engine
LIVES = 3  # how often one request may go to an engine that dies
MAX_REPLY_CHARS = 1_000_000
DURATIONS = 500  # replies whose durations are known


class Answer(NamedTuple):
    """A reply, and whether its failure may pass if it is asked again later."""

    reply: Reply
    transient: bool


Note: TypeAlias = Callable[[Request, Answer], None]


class _Entry(NamedTuple):
    """A request in the queue; entries sort by priority, then in order of arrival."""

    priority: Priority
    number: int
    request: Request
    future: "asyncio.Future[Answer]"
    note: Note


class RequestQueue:
    """Sends requests to an open engine, at most `size` at a time.

    size: None adapts it to the speed of the engine.
    max_failures: share of the last 200 requests that may fail before the queue stops with an EngineError.
    """

    def __init__(self, engine: Engine, size: int | None, max_failures: float = 0.2) -> None:
        self._engine = engine
        self._window = Window(size)
        self._failure_limit = max_failures * FAILURE_SPAN
        self._failures: deque[bool] = deque(maxlen=FAILURE_SPAN)  # of the last requests, whether they failed
        self._heap: list[_Entry] = []
        self._number = count()
        self._in_flight: dict[asyncio.Task[None], _Entry] = {}
        self._stopping = stopping.begin()
        self._error: BaseException | None = None  # why the queue stopped
        self.answered = 0  # replies so far, failures among them
        self.failed = 0  # failures so far
        self.latest_failure = ""  # for a person
        self.tokens = 0  # tokens of these replies
        self.durations: deque[float] = deque(maxlen=DURATIONS)  # of the last replies, in seconds

    @property
    def size(self) -> int:
        """How many requests may be in flight now."""
        return self._window.size

    async def ask(self, priority: Priority, requests: Sequence[Request], note: Note) -> list[Answer]:
        """Return the answer to each request, in their order; call `note` as each arrives.

        A request that fails becomes a reply with its `failure`. Raises EngineError if the engine cannot go
        on.
        """
        loop = asyncio.get_running_loop()
        batch = [_Entry(priority, next(self._number), r, loop.create_future(), note) for r in requests]
        for entry in batch:
            heapq.heappush(self._heap, entry)
        self._send()
        try:
            return [await entry.future for entry in batch]
        finally:
            for entry in batch:
                if not entry.future.cancel() and not entry.future.cancelled():
                    entry.future.exception()  # mark as retrieved: another one of the batch was raised

    async def drain(self, seconds: float | None = None, *, stop: bool = False) -> None:
        """Send nothing more, and wait for the requests in flight so that replies are noted; then cancel them.

        A request that its engine has not sent yet is given up. seconds: how long to wait; None: until all
        have replied. stop: whether nothing is asked after this, so that no request is tried again.
        """
        for entry in self._heap:
            entry.future.cancel()
        self._heap.clear()
        self._stopping.stopped |= stop
        for task in [task for task in self._in_flight if task in self._stopping.waiting]:
            self._in_flight.pop(task).future.cancel()
            task.cancel()
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=seconds)
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)

    def _send(self) -> None:
        """Send requests while fewer than `size` are in flight."""
        while self._heap and (self._error or len(self._in_flight) < self.size):
            entry = heapq.heappop(self._heap)
            if entry.future.done():  # the caller was cancelled
                continue
            if self._error:
                entry.future.set_exception(self._error)
                continue
            task = asyncio.ensure_future(self._handle(entry))
            self._in_flight[task] = entry
            task.add_done_callback(partial(self._end, entry))

    async def _handle(self, entry: _Entry) -> None:
        """Take one request from the engine to the caller, even if the caller is gone by then."""
        clock = asyncio.get_running_loop().time
        start = clock()
        answer = await self._answer(entry.request)
        self.durations.append(clock() - start)
        if not answer.reply.failure:
            self._window.count(start, clock(), answer.reply.completion_tokens, bool(self._heap))
        self.answered += 1
        self.tokens += answer.reply.completion_tokens
        entry.note(entry.request, answer)
        if not entry.future.done():
            entry.future.set_result(answer)
        self._failures.append(bool(answer.reply.failure))
        if answer.reply.failure:
            self.failed += 1
            self.latest_failure = f"{answer.reply.failure}: {answer.reply.detail}"
            failures = sum(self._failures)
            if failures > self._failure_limit:
                share = f"{failures} of the last {len(self._failures)} requests failed"
                self._stop(EngineError(f"{share}, the latest with {self.latest_failure}"))

    def _end(self, entry: _Entry, task: "asyncio.Task[None]") -> None:
        if self._in_flight.pop(task, None) is None:  # given up
            return
        error = EngineError("the engine gave up a request") if task.cancelled() else task.exception()
        if error is not None:
            self._stop(error)
            if not entry.future.done():
                entry.future.set_exception(error)
        self._send()

    def _stop(self, error: BaseException) -> None:
        """Fail all that wait, at once; an answer in flight is still noted when it comes."""
        self._error = self._error or error
        for entry in (*self._heap, *self._in_flight.values()):
            if not entry.future.done():
                entry.future.set_exception(self._error)
        self._heap.clear()

    async def _answer(self, request: Request) -> Answer:
        start = perf_counter()
        for life in count(1):
            try:
                reply = _checked(await self._engine(request))
                seconds = reply.seconds or round(perf_counter() - start, 6)
                return Answer(replace(reply, seconds=seconds, tries=reply.tries + life - 1), False)
            except RequestFailed as error:
                # An engine that dies fails everything in flight at once, and is started again: that is the
                # fault of at most one of these requests, so each gets some more lives.
                if error.reason == ENGINE_DIED and life < LIVES:
                    continue
                reply = Reply(
                    "",
                    "failed",
                    failure=replace_surrogates(error.reason) or "failed",
                    detail=replace_surrogates(error.detail[:500]),
                    seconds=round(perf_counter() - start, 6),
                    tries=life,
                )
                return Answer(reply, error.transient)
        raise AssertionError("count never ends")


def _checked(reply: Reply) -> Reply:
    """Return a reply whose text has a reasonable length and can be written as UTF-8."""
    if len(reply.text) > MAX_REPLY_CHARS:
        detail = f"{len(reply.text):,} characters; at most {MAX_REPLY_CHARS:,} are taken"
        raise RequestFailed("reply_too_long", detail)
    text = replace_surrogates(reply.text)
    return reply if text is reply.text else replace(reply, text=text)
