"""Ctrl-C and SIGTERM: the first one stops the work in good order, the second one quits at once."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

EXIT_CODE = 130

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = b"\x1b[?25h\n"  # a progress panel hides it

T = TypeVar("T")


@contextmanager
def on_stop(stop: Callable[[], object], message: str) -> Iterator[None]:
    """Print a message and call `stop` on the first Ctrl-C or SIGTERM; end the process on the second.

    Outside of the main thread, which alone receives signals, this changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopped = False

    def handle(number: int, frame: object) -> None:
        nonlocal stopped
        if stopped:
            if sys.stderr.isatty():
                os.write(2, _SHOW_CURSOR)
            os._exit(EXIT_CODE)
        stopped = True
        print(f"glotmill: stopping; {message}. Ctrl-C again quits at once", file=sys.stderr)
        stop()

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        if not stopped:  # else a thread may still hold up the end of the process: a second Ctrl-C ends it
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def stoppable(message: str) -> Iterator[None]:
    """Raise KeyboardInterrupt on Ctrl-C or SIGTERM, so that temporary folders and processes are removed."""

    def stop() -> None:
        raise KeyboardInterrupt

    with on_stop(stop, message):
        yield


def run_stoppable(work: Coroutine[Any, Any, T], message: str) -> T:
    """Run a coroutine to its end. On Ctrl-C or SIGTERM it is cancelled: raises asyncio.CancelledError."""

    async def main() -> T:
        task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
        with on_stop(lambda: loop.call_soon_threadsafe(task.cancel), message):
            return await task

    return asyncio.run(main())
