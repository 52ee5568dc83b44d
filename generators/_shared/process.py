"""Hosts an engine in a child process.

`python -m glotmill.generators._shared.process` is such a process. Frames pass through its standard input and
output: the number of bytes, then a pickle. First comes what to open, and goes None or the error of opening;
then come batches of requests, and go batches of outcomes. Both ends are glotmill's, so pickles are no risk.

The process ends when its input does, even if its parent was killed: it closes the engine, then kills its
process group, so that nothing that the engine has started lives on.
"""

import asyncio
import os
import pickle
import signal
import struct
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

from glotmill.errors import EngineError, GlotmillError
from glotmill.generators._shared.engine_host import EngineHost, Outcomes, Requests
from glotmill.generators._shared.remote_engine import ChannelClosedError
from glotmill.io.child_process import start_python

_GRACE_S = 10  # to close an engine in
_LENGTH = struct.Struct("<Q")


class ProcessChannel:
    """The pipes of a child process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._input, self._output = process, process.stdin, process.stdout

    @property
    def pid(self) -> int:
        """The number of the process, which is also that of its process group."""
        return self._process.pid

    async def send(self, requests: Any) -> None:
        """Send a frame. Raises ChannelClosedError."""
        try:
            self._input.write(_frame(requests))
            await self._input.drain()
        except ConnectionError:
            raise ChannelClosedError(await self._ending()) from None

    async def receive(self) -> Any:
        """Return the content of the next frame. Raises ChannelClosedError."""
        try:
            (length,) = _LENGTH.unpack(await self._output.readexactly(_LENGTH.size))
            return pickle.loads(await self._output.readexactly(length))  # noqa: S301 from our own process
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ChannelClosedError(await self._ending()) from None

    async def close(self) -> None:
        """Let the process close its engine and end; kill it after ten seconds."""
        try:
            self._input.close()
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(_GRACE_S):
                    await self._process.communicate()
        finally:
            self.kill()
        await self.wait()

    def kill(self) -> None:
        """Kill the process and all that it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """Return the exit code, once the process has ended."""
        return await self._process.wait()

    async def _ending(self) -> str:
        self.kill()  # what the engine has started may hold a GPU
        code = await self.wait()
        return f"its process ended with signal {-code}" if code < 0 else f"its process ended with code {code}"


async def connect_process(
    name: str,
    model: str,
    revision: str | None,
    arguments: Mapping[str, Any],
    environment: Mapping[str, str],
) -> ProcessChannel:
    """Start a process, open an engine in it, and return the channel. Raises UsageError, EngineError."""
    channel = ProcessChannel(await start_python(__name__, environment))
    try:
        await channel.send((name, model, revision, dict(arguments)))
        error = await channel.receive()
    except ChannelClosedError as closed:
        raise EngineError(f"engine {name}: {closed} while it opened {model}; is there memory left?") from None
    except asyncio.CancelledError:  # loading may take minutes: do not wait
        channel.kill()
        await channel.wait()
        raise
    if isinstance(error, GlotmillError):
        await channel.close()
        raise error
    return channel


def _frame(content: Any) -> bytes:
    data = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


def _read(stream: BinaryIO) -> Any:
    """Return the content of the next frame. Raises EOFError."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size or len(data := stream.read(*_LENGTH.unpack(head))) < _LENGTH.unpack(head)[0]:
        raise EOFError
    return pickle.loads(data)  # noqa: S301 from our own process


async def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    host, loop, ended = EngineHost(*_read(requests)), asyncio.get_running_loop(), asyncio.Event()

    def put(batch: Requests) -> None:
        host.put(batch)

    def read() -> None:
        """Take requests in a thread, which notices the end even while an engine blocks the event loop."""
        with suppress(EOFError, OSError, RuntimeError):
            while True:
                loop.call_soon_threadsafe(put, _read(requests))
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)
        time.sleep(_GRACE_S)
        _end()

    async def answer() -> None:
        try:
            await host.open()
        except GlotmillError as error:
            return await asyncio.to_thread(_write, answers, error)
        await asyncio.to_thread(_write, answers, None)
        while True:
            outcomes: Outcomes = await host.take()
            await asyncio.to_thread(_write, answers, outcomes)

    threading.Thread(target=read, daemon=True).start()
    tasks = [asyncio.ensure_future(answer()), asyncio.ensure_future(ended.wait())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    tasks[0].cancel()
    with suppress(asyncio.CancelledError, BrokenPipeError):
        await tasks[0]
    await host.close()


def _write(stream: BinaryIO, content: Any) -> None:
    stream.write(_frame(content))
    stream.flush()


def _end() -> None:
    sys.stderr.flush()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _main() -> None:
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what an engine reads or prints must not mix with frames
    os.dup2(2, 1)
    try:
        asyncio.run(_serve(requests, answers))
    finally:
        _end()


if __name__ == "__main__":
    _main()
