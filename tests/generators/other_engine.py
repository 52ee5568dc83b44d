"""An engine for tests of other processes, `other_engine:engine`: it does what the text of a request says."""

import asyncio
import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.messages import Engine, Reply, Request


def is_first(mark: str = "") -> bool:
    """Whether a file is not there yet; then it is made."""
    if mark and Path(mark).exists():
        return False
    if mark:
        Path(mark).touch()
    return True


@asynccontextmanager
async def engine(
    model: str, *, revision: str | None = None, log: str = "", opening: str = "", pause_s: float = 0.0
) -> AsyncIterator[Engine]:
    """Note in the file `log` what is asked and what is closed.

    opening: how it goes wrong. pause_s: seconds that a reply takes.
    """

    def note(text: str) -> None:
        if log:
            with Path(log).open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")

    async def generate(request: Request) -> Reply:
        text = request.messages[-1].content
        note(f"{os.getpid()} {request.key} {text}")
        match text.split():
            case ["die", *mark]:
                if is_first(*mark):
                    os.kill(os.getpid(), signal.SIGKILL)
            case ["fail"]:
                raise RequestFailed("no_idea", "it does not know", transient=True)
            case ["stop", *gpu]:
                if not gpu or gpu[0] == os.environ["CUDA_VISIBLE_DEVICES"]:
                    raise EngineError("engine other: cannot go on")
            case ["exit"]:
                raise SystemExit(7)
            case ["break"]:
                raise ZeroDivisionError("nothing to divide by")
            case ["warn"]:
                logging.getLogger("glotmill").warning("engine other: careful")
            case ["wait"]:
                try:
                    await asyncio.Event().wait()
                finally:
                    note("cancelled")
        await asyncio.sleep(pause_s)
        return Reply(os.environ.get("CUDA_VISIBLE_DEVICES") or "none", detail=str(os.getpid()))

    if opening == "usage":
        raise UsageError("engine other: no such option")
    if opening == "break":
        raise ValueError("bad value")
    if opening == "exit":
        raise SystemExit(7)
    if opening == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if opening == "first" and os.environ.get("CUDA_VISIBLE_DEVICES") == "0":
        raise EngineError("engine other: no memory on GPU 0")
    if opening == "hang":
        note(f"{os.getpid()} hangs")
        await asyncio.Event().wait()
    if opening == "helper":
        helper = subprocess.Popen(["sleep", "600"])  # noqa: ASYNC220
        note(f"{helper.pid} helps")
    if opening == "import this":
        import_module("this")
    yield generate
    note("closed")
