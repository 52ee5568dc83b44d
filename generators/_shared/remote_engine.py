"""An engine in another process, seen from here: asked in batches, and started again when it dies."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Protocol, TypeAlias

from glotmill.errors import EngineError, GlotmillError, RequestFailed
from glotmill.generators._shared.engine_host import LOG, LogLine, Outcomes, Requests
from glotmill.messages import Reply, Request

RESTARTS = 3  # in a row
LONG_LIFE = 100  # replies after which a death counts as the first


class ChannelClosedError(Exception):
    """The other side is gone; the text says how."""


class Channel(Protocol):
    """A connection to an `EngineHost` whose engine is open."""

    async def send(self, requests: Requests) -> None:
        """Send requests. Raises ChannelClosedError."""

    async def receive(self) -> Outcomes:
        """Return the next outcomes. Raises ChannelClosedError."""

    async def close(self) -> None:
        """Close the engine and end its process; it may be dead already."""


Connect: TypeAlias = Callable[[], Awaitable[Channel]]
"""Starts a process with an open engine.

Raises UsageError and EngineError if that cannot be, ChannelClosedError if another try may succeed.
"""


class RemoteEngine:
    """An engine behind a channel. `serve` opens it, and opens it again when it dies.

    Requests of an engine that dies fail as `engine_died`, which may be retried. It is given up, with its
    `error`, if it cannot be opened the first time, or if it dies four times with fewer than 100 replies in
    between.

    title: what messages call it, such as `engine vllm, process 2 of 8`.
    changed: called when it gets ready, dies or is given up.
    log: receives what the engine logs.
    """

    def __init__(
        self, title: str, connect: Connect, changed: Callable[[], None], log: Callable[[LogLine], None]
    ) -> None:
        self.title = title
        self.is_ready = False
        self.error: GlotmillError | None = None
        self.answered = 0  # replies so far
        self._connect, self._changed, self._log = connect, changed, log
        self._numbers = count()
        self._pending: dict[int, asyncio.Future[Reply]] = {}
        self._outbox: Requests = []
        self._any_request = asyncio.Event()

    @property
    def in_flight(self) -> int:
        """How many requests have no outcome yet."""
        return len(self._pending)

    async def ask(self, request: Request) -> Reply:
        """Ask the engine, which must be ready. Raises what it raises, and RequestFailed `engine_died`."""
        number = next(self._numbers)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        self._post(number, request)
        try:
            return await future
        except asyncio.CancelledError:
            self._post(number, None)
            raise
        finally:
            self._pending.pop(number, None)

    async def serve(self) -> None:
        """Keep the engine running until this is cancelled or the engine is given up."""
        deaths = 0
        while True:
            try:
                channel = await self._connect()
            except GlotmillError as error:
                if deaths == 0:
                    return self.give_up(error)
                reason = str(error)
            except ChannelClosedError as closed:
                reason = str(closed)
            else:
                answered = self.answered
                reason = await self._exchange(channel)
                deaths = 0 if self.answered - answered >= LONG_LIFE else deaths
            deaths += 1
            if deaths > RESTARTS:
                return self.give_up(
                    EngineError(f"{self.title}: died {deaths} times; the last time: {reason}")
                )
            LOG.warning("%s: died: %s; it is started again", self.title, reason)
            await asyncio.sleep(deaths - 1)  # memory of a GPU is not free at once

    def give_up(self, error: GlotmillError) -> None:
        """Note that the engine is gone for good."""
        self.error = error
        self._lose(str(error))

    async def _exchange(self, channel: Channel) -> str:
        """Pass requests and outcomes until the channel is closed; return the reason."""
        self._outbox.clear()
        self.is_ready = True
        self._changed()
        transfers = [asyncio.ensure_future(work(channel)) for work in (self._send, self._receive)]
        reason = "closed"
        try:
            done, _ = await asyncio.wait(transfers, return_when=asyncio.FIRST_COMPLETED)
            reason = str(done.pop().exception())
        finally:
            for transfer in transfers:
                transfer.cancel()
            await asyncio.gather(*transfers, return_exceptions=True)
            self._lose(reason)
            await channel.close()
        return reason

    async def _send(self, channel: Channel) -> None:
        while True:
            await self._any_request.wait()
            self._any_request.clear()
            requests, self._outbox = self._outbox, []
            await channel.send(requests)

    async def _receive(self, channel: Channel) -> None:
        while True:
            for number, outcome in await channel.receive():
                if isinstance(outcome, LogLine):
                    self._log(outcome)
                elif (future := self._pending.get(number)) and not future.done():
                    if isinstance(outcome, Reply):
                        self.answered += 1
                        future.set_result(outcome)
                    else:
                        future.set_exception(outcome)

    def _post(self, number: int, request: Request | None) -> None:
        self._outbox.append((number, request))
        self._any_request.set()

    def _lose(self, reason: str) -> None:
        """Fail all requests in flight."""
        self.is_ready = False
        pending, self._pending = self._pending, {}
        for future in pending.values():
            with suppress(asyncio.InvalidStateError):
                future.set_exception(RequestFailed("engine_died", reason, transient=True))
        self._changed()
