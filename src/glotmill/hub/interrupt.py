"""Lets Ctrl-C and SIGTERM end what may take hours, without a trace on this machine."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise KeyboardInterrupt after Ctrl-C or SIGTERM, so that folders and processes do not stay.

    The client may still wait for what it is sending: a second one ends the process at once, with 130.
    Outside of the main thread, which alone gets signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopped = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopped
        if stopped:
            os._exit(130)
        stopped = True
        print(
            "glotmill: stopping; the same command again goes on. Ctrl-C again quits at once", file=sys.stderr
        )
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        # A client that was stopped may hold up the end of the process: then a second one still ends it.
        for number, handler in before.items() if not stopped else ():
            signal.signal(number, handler)
