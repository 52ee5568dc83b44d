"""The end of a run, for engines that wait before they send: what is not sent yet is given up.

A reply that is being written is paid for, and waited for. A request that waits for its turn at a server, or
for the next try, is not.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from glotmill.errors import RequestFailed


@dataclass
class Stopping:
    """Whether a run is being stopped, and the tasks whose requests wait unsent."""

    stopped: bool = False
    waiting: "set[asyncio.Task[object]]" = field(default_factory=set)


_current: ContextVar[Stopping | None] = ContextVar("stopping", default=None)


def begin() -> Stopping:
    """Return what `unsent` notes, in this task and in those that it starts from now on."""
    stopping = Stopping()
    _current.set(stopping)
    return stopping


@contextmanager
def unsent() -> Iterator[None]:
    """Say that the request of this task waits, and is not at a server.

    Raises RequestFailed if the run is being stopped.
    """
    stopping, task = _current.get(), asyncio.current_task()
    if stopping is None or task is None:
        yield
        return
    if stopping.stopped:
        raise RequestFailed("stopped", "the run was stopped before it was sent", transient=True)
    stopping.waiting.add(task)
    try:
        yield
    finally:
        stopping.waiting.discard(task)
