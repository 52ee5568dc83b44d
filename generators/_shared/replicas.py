"""One engine, several times: which replica gets a request, and what happens when one is lost."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from glotmill.errors import EngineError, typed_line
from glotmill.generators._shared.engine_host import LOG, LogLine
from glotmill.generators._shared.process import connect_process
from glotmill.generators._shared.remote_engine import Connect, RemoteEngine
from glotmill.messages import Engine, Reply, Request

_PREFIX = 256  # characters by which requests of one template are recognized
_MOST_PREFIXES = 10_000


@asynccontextmanager
async def open_processes(
    name: str,
    model: str,
    revision: str | None,
    arguments: Mapping[str, Any],
    environments: Sequence[Mapping[str, str]] = ({},),
) -> AsyncIterator[Engine]:
    """Open an engine in child processes, one for each mapping of environment variables; yield them as one.

    Raises what the engine raises when it is opened, if no process can open it. A process that dies is
    started again; its requests fail as `engine_died`, which may be retried.
    """
    replicas = Replicas(name)
    try:
        for environment in environments:
            replicas.add("process", partial(connect_process, name, model, revision, arguments, environment))
        await replicas.opened()
        yield replicas.ask
    finally:
        await replicas.close()


class Replicas:
    """Replicas of an engine, which may be added while others work.

    A request goes to the replica with the fewest requests in flight. The one that had the last request with
    the same beginning, whose computation it keeps (prefix caching), is preferred unless it has an eighth
    more.
    """

    def __init__(self, name: str) -> None:
        self.members: list[RemoteEngine] = []
        self._name = name
        self._is_open = False
        self._tasks: dict[RemoteEngine, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._by_prefix: dict[int, RemoteEngine] = {}
        self._noted: set[LogLine] = set()

    def add(self, kind: str, connect: Connect) -> None:
        """Add a replica, and start it. kind: what messages call it, such as `process`."""
        title = f"engine {self._name}, {kind} {len(self.members) + 1}"
        member = RemoteEngine(title, connect, self._changed.set, self._log)
        self.members.append(member)
        self._tasks[member] = asyncio.ensure_future(self._serve(member))

    async def opened(self) -> None:
        """Wait until a replica is ready. Raises the error of the first one if none can be opened."""
        await self._ready()
        self._is_open = True
        for member in self.members:
            self._warn(member)

    async def ask(self, request: Request) -> Reply:
        """Ask one of the replicas; wait while none is ready.

        Raises EngineError if all are given up, or if two replicas say that they cannot go on: then it is no
        fault of one. If only one says so, it is given up.
        """
        member = self._choose(await self._ready(), request)
        try:
            return await member.ask(request)
        except EngineError as error:
            others = [other for other in self.members if other.is_ready and other is not member]
            if not others:
                raise
            reply = await self._choose(others, request).ask(request)
            self._retire(member, error)
            return reply

    async def close(self) -> None:
        """Close all replicas."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.shield(asyncio.gather(*self._tasks.values(), return_exceptions=True))

    async def _serve(self, member: RemoteEngine) -> None:
        try:
            await member.serve()
        except Exception as error:  # noqa: BLE001 its requests would wait for ever
            member.give_up(EngineError(f"{member.title}: {typed_line(error)}"))
        self._warn(member)

    def _retire(self, member: RemoteEngine, error: EngineError) -> None:
        if not member.error:
            self._tasks[member].cancel()
            member.give_up(error)
            self._warn(member)

    async def _ready(self) -> list[RemoteEngine]:
        while not (ready := [member for member in self.members if member.is_ready]):
            errors = [member.error for member in self.members if member.error]
            if len(errors) == len(self.members):
                raise errors[0]
            self._changed.clear()
            await self._changed.wait()
        return ready

    def _choose(self, ready: Sequence[RemoteEngine], request: Request) -> RemoteEngine:
        first = request.messages[0]
        prefix = hash((request.alias, request.lora, first.role, first.content[:_PREFIX]))
        least = min(ready, key=lambda member: member.in_flight)
        preferred = self._by_prefix.get(prefix, least)
        if preferred in ready and preferred.in_flight <= least.in_flight + least.in_flight // 8:
            least = preferred
        if len(self._by_prefix) >= _MOST_PREFIXES:
            self._by_prefix.clear()
        self._by_prefix[prefix] = least
        return least

    def _warn(self, member: RemoteEngine) -> None:
        """Say that a replica is given up while others go on."""
        if self._is_open and member.error and any(not other.error for other in self.members):
            self._log(
                LogLine(logging.WARNING, f"{member.title} is given up, the others go on: {member.error}")
            )

    def _log(self, line: LogLine) -> None:
        """Log a line once, whichever replica it comes from."""
        if line not in self._noted:
            self._noted.add(line)
            LOG.log(line.level, "%s", line.text)
