"""Filters applied in worker processes, so that a slow filter never starves the engine.

`python -m glotmill.runner.filter_workers` is such a process. Requests and answers pass through its standard
input and output: two lengths, then a header, then a table in Arrow's IPC format. A request's header names the
filters; an answer's header is an error's text, empty if all went well.
"""

import asyncio
import io
import json
import os
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import BinaryIO

import polars as pl

from glotmill.errors import EngineError, UsageError
from glotmill.io.child_process import start_python
from glotmill.recipes.steps import Filter
from glotmill.runner.apply_filters import apply_filters, expression, row_keys, scatter, verdicts, with_columns

_LENGTHS = struct.Struct("<QQ")  # bytes of the header, bytes of the table


def cores() -> int:
    """Return how many workers can be busy at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@asynccontextmanager
async def open_filter_workers(number: int = 1) -> AsyncIterator["FilterWorkers"]:
    """Yield worker processes, which end with the context."""
    filter_workers = FilterWorkers(number)
    try:
        yield filter_workers
    finally:
        await filter_workers.close()


class FilterWorkers:
    """Processes that apply filters, each started when it is first needed.

    A worker that dies is replaced, and the table is sent once more; if the second one dies too, the caller
    gets an EngineError. A worker whose caller is cancelled is killed, since it may be in the middle of an
    answer.
    """

    def __init__(self, number: int) -> None:
        self._free: asyncio.Queue[asyncio.subprocess.Process | None] = asyncio.Queue()
        for _ in range(number):
            self._free.put_nowait(None)
        self._number = number

    async def apply(self, rows: pl.DataFrame, filters: Sequence[Filter]) -> pl.DataFrame:
        """Do what `apply_filters` does, in another process."""
        inputs = {name for step in filters for name in expression(step).meta.root_names()}
        columns = sorted(inputs & set(rows.columns))
        if rows.is_empty() or not filters or not columns:
            return apply_filters(rows, filters)
        return with_columns(rows, await self.verdicts(rows.select(columns), filters))

    async def verdicts(
        self, rows: pl.DataFrame, filters: Sequence[Filter], across: Sequence[Filter] = ()
    ) -> pl.DataFrame:
        """Do what `verdicts` does, in another process.

        Add the `row_keys` of the filters in `across` for the rows that `filters` kept; null for the others.
        """
        header = [[step.model_dump(mode="json") for step in steps] for steps in (filters, across)]
        table = io.BytesIO()
        rows.write_ipc(table, compression="uncompressed")
        try:
            answer = await self._send(json.dumps(header).encode(), table.getvalue())
        except EngineError as error:
            names = ", ".join(f"{step.filter} of {step.of!r}" for step in (*filters, *across))
            raise EngineError(f"filters {names}: {error}") from None
        return pl.read_ipc(io.BytesIO(answer))

    async def close(self) -> None:
        """End the processes."""
        for _ in range(self._number):
            if self._free.empty():
                break
            if (process := self._free.get_nowait()) is not None and process.returncode is None:
                process.kill()
                await process.wait()

    async def _send(self, header: bytes, table: bytes) -> bytes:
        process = await self._free.get()
        try:
            for _ in range(2):
                if process is None or process.returncode is not None:
                    process = await _start()
                try:
                    return await _call(process, header, table)
                except (asyncio.IncompleteReadError, ConnectionError):
                    await process.wait()
            raise EngineError("a filter's process died twice on the same rows; is there memory left?")
        except asyncio.CancelledError:
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()
            process = None
            raise
        finally:
            self._free.put_nowait(process)


async def _start() -> asyncio.subprocess.Process:
    threads = os.environ.get("POLARS_MAX_THREADS", "1")
    return await start_python("glotmill.runner.filter_workers", {"POLARS_MAX_THREADS": threads})


async def _call(process: asyncio.subprocess.Process, header: bytes, table: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(_LENGTHS.pack(len(header), len(table)) + header + table)
    await process.stdin.drain()
    header_size, table_size = _LENGTHS.unpack(await process.stdout.readexactly(_LENGTHS.size))
    error = (await process.stdout.readexactly(header_size)).decode()
    answer = await process.stdout.readexactly(table_size)
    if error:
        raise UsageError(error)
    return answer


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while len(lengths := requests.read(_LENGTHS.size)) == _LENGTHS.size:
        header_size, table_size = _LENGTHS.unpack(lengths)
        header = json.loads(requests.read(header_size))
        filters, across = ([Filter.model_validate(step) for step in steps] for steps in header)
        rows = pl.read_ipc(io.BytesIO(requests.read(table_size)))
        error, table = b"", io.BytesIO()
        try:
            result = verdicts(rows, filters)
            kept = result["reason"].is_null()
            keys = scatter(row_keys(rows.filter(kept), across), kept)
            result.hstack(keys).write_ipc(table, compression="uncompressed")
        except UsageError as problem:
            error, table = str(problem).encode(), io.BytesIO()
        answers.write(_LENGTHS.pack(len(error), table.tell()) + error + table.getvalue())
        answers.flush()


def _main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a filter prints must not mix with tables
    try:
        _serve(sys.stdin.buffer, answers)
    except BrokenPipeError:  # the parent process is gone
        os._exit(1)


if __name__ == "__main__":
    _main()
