"""An engine that is asked from another process: requests come in batches, and so do their outcomes."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from glotmill import plugins
from glotmill.errors import EngineError, GlotmillError, RequestFailed, UsageError, typed_line
from glotmill.messages import Engine, Reply, Request

LOG = logging.getLogger("glotmill")


class LogLine(NamedTuple):
    """What an engine logs, for the logger of the process that asks it."""

    level: int
    text: str


Requests: TypeAlias = list[tuple[int, Request | None]]
"""Numbered by the asking side. None: the caller of that request is gone."""
Outcomes: TypeAlias = list[tuple[int, Reply | GlotmillError | LogLine]]
"""Under the numbers of their requests; those of log lines mean nothing."""


class EngineHost:
    """Opens an engine and asks it what `put` brings. `take` returns what is done.

    One task opens and closes the engine: a context must be left in the task that entered it, and `open` and
    `close` are called from any.
    """

    def __init__(self, name: str, model: str, revision: str | None, arguments: Mapping[str, Any]) -> None:
        self._name = name
        self._open_arguments = (model, revision, dict(arguments))
        self._closing = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._outcomes: Outcomes = []
        self._any_outcome = asyncio.Event()

    async def open(self) -> None:
        """Open the engine. Raises UsageError, EngineError."""
        self._loop = asyncio.get_running_loop()
        LOG.handlers, LOG.propagate = [_Forward(self)], False
        LOG.setLevel(logging.INFO)
        self._opened: asyncio.Future[Engine] = self._loop.create_future()
        self._keeper = asyncio.ensure_future(self._keep_open())
        waiting: list[asyncio.Future[Any]] = [self._keeper, self._opened]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not self._opened.done() and (error := self._keeper.exception()):
            raise self._portable(error)

    def put(self, requests: Requests) -> None:
        """Ask the engine, or cancel what it was asked."""
        for number, request in requests:
            if request is not None:
                self._tasks[number] = asyncio.ensure_future(self._ask(number, request))
            elif task := self._tasks.get(number):
                task.cancel()

    async def take(self) -> Outcomes:
        """Return all outcomes that are there; wait for the first."""
        await self._any_outcome.wait()
        self._any_outcome.clear()
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    async def close(self) -> None:
        """Close the engine; what it is still asked is cancelled."""
        for task in self._tasks.values():
            task.cancel()
        self._closing.set()
        if self._keeper is not None:
            if not self._opened.done():
                self._keeper.cancel()
            await asyncio.wait([self._keeper])

    def log(self, line: LogLine) -> None:
        """Pass a log line on; called from any thread."""
        self._loop.call_soon_threadsafe(self._note, -1, line)

    async def _keep_open(self) -> None:
        model, revision, arguments = self._open_arguments
        try:
            async with plugins.find("engines", self._name)(model, revision=revision, **arguments) as engine:
                self._opened.set_result(engine)
                await self._closing.wait()
        except SystemExit as error:  # it would end the event loop, and nobody would be told
            raise self._portable(error) from error

    async def _ask(self, number: int, request: Request) -> None:
        outcome: Reply | GlotmillError
        try:
            outcome = await self._opened.result()(request)
            if not isinstance(outcome, Reply):
                outcome = EngineError(f"engine {self._name}: gave a {type(outcome).__name__}, not a Reply")
        except (Exception, SystemExit) as error:  # noqa: BLE001 a plugin's engine may raise anything
            outcome = self._portable(error)
        finally:
            del self._tasks[number]
        self._note(number, outcome)

    def _note(self, number: int, outcome: Reply | GlotmillError | LogLine) -> None:
        self._outcomes.append((number, outcome))
        self._any_outcome.set()

    def _portable(self, error: BaseException) -> GlotmillError:
        """Return an error that any process of glotmill can unpickle."""
        if isinstance(error, RequestFailed):
            return RequestFailed(error.reason, error.detail, transient=error.transient)
        if isinstance(error, GlotmillError):
            return (UsageError if isinstance(error, UsageError) else EngineError)(str(error))
        return EngineError(f"engine {self._name}: {typed_line(error)}")


class _Forward(logging.Handler):
    def __init__(self, host: EngineHost) -> None:
        super().__init__()
        self._host = host

    def emit(self, record: logging.LogRecord) -> None:
        self._host.log(LogLine(record.levelno, record.getMessage()))
