"""Puts filters to a table, in processes of their own, so that a slow judgement never starves the engine.

`python -m glotmill.runner.filter_workers` is such a process:
tables and verdicts pass through its standard input and output.
"""

import asyncio
import io
import json
import os
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from glotmill import plugins
from glotmill.errors import EngineError, RecipeError, UsageError, one_line
from glotmill.recipes.steps import Filter

if TYPE_CHECKING:
    from glotmill.filters._similar.history import Rule

_LENGTH = struct.Struct("<QQ")  # bytes of the header, bytes of the table
# What a filter may raise by a fault of its own, or of what it reads.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def expression(judge: Filter) -> pl.Expr:
    """Build a filter's expression. Raises RecipeError if its options do not fit."""
    function = plugins.find("filters", judge.filter)
    place = f"filter {judge.filter}"
    plugins.check_options(function, judge.options, place)
    plugins.check_values(function, judge.options, place)
    try:
        result = function(column(judge.of), **judge.options)
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise RecipeError(f"{place}: {error}") from None
    if not isinstance(result, pl.Expr):
        raise RecipeError(
            f"{place}: returned a {type(result).__name__}; a filter returns a polars expression"
        )
    return result


def streaming(judge: Filter) -> "Rule | None":
    """Return how a filter judges rows by those before them; None if it needs all at once, or only one."""
    from glotmill.filters._similar.history import rule

    function = plugins.find("filters", judge.filter)
    return rule(sys.modules[function.__module__], column(judge.of), judge.options)


def judge_rows(rows: pl.DataFrame, judges: Sequence[Filter]) -> pl.DataFrame:
    """Judge rows by one filter after the other; a later one sees only what the earlier ones kept.

    rows: the judged columns -> + reason, reason_at, and <column>_<field> for what a filter measured.
    Raises RecipeError where a filter and the table do not fit.
    """
    return beside(rows, verdicts(rows, judges))


def verdicts(rows: pl.DataFrame, judges: Sequence[Filter]) -> pl.DataFrame:
    """Return only what `judge_rows` adds, a row for each row."""
    nothing = pl.Series("reason", [None] * rows.height, pl.String)
    found = pl.DataFrame([nothing, nothing.alias("reason_at")])
    for judge in judges:
        alive = found["reason"].is_null()
        made = spread(_ask(beside(rows, found).filter(alive), judge), alive)
        at = pl.when(made["reason"].is_not_null()).then(pl.lit(f"{judge.of}.{judge.filter}"))
        found = beside(found, made.drop("reason")).with_columns(
            reason=pl.coalesce("reason", made["reason"]), reason_at=pl.coalesce("reason_at", at)
        )
    return found


def beside(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Put columns beside those of a table, in the place of those with the same name."""
    return rows.drop(found.columns, strict=False).hstack(found)


def spread(found: pl.DataFrame, where: pl.Series) -> pl.DataFrame:
    """Put what was found of some rows back in their places; null in the others."""
    return found.select(pl.all().gather(pl.select(pl.when(where).then(where.cum_sum() - 1)).to_series()))


def column(name: str) -> pl.Expr:
    """Return the column that `of:` names: `score.points` is the field `points` of the column `score`."""
    first, *parts = name.split(".")
    result = pl.col(first)
    for part in parts:
        result = result.struct.field(part)
    return result


def marks(rows: pl.DataFrame, judges: Sequence[Filter]) -> pl.DataFrame:
    """Return what filters that judge a row by those before it know a row by: `keys_0` for the first of them.

    rows: the judged columns. Raises RecipeError where a filter and the table do not fit.
    """
    rules = [(judge, rule) for judge in judges if (rule := streaming(judge))]
    return pl.DataFrame([_made(rows, r.keys.alias(f"keys_{n}"), j) for n, (j, r) in enumerate(rules)])


def cores() -> int:
    """Return how many processes may judge at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@asynccontextmanager
async def open_filter_workers(number: int = 1) -> AsyncIterator["FilterWorkers"]:
    """Yield processes that judge. They end with the context."""
    judges = FilterWorkers(number)
    try:
        yield judges
    finally:
        await judges.close()


class FilterWorkers:
    """Processes that judge tables; a process that died is replaced once per table."""

    def __init__(self, number: int) -> None:
        self._free: asyncio.Queue[asyncio.subprocess.Process | None] = asyncio.Queue()
        for _ in range(number):
            self._free.put_nowait(None)  # started when first needed
        self._number = number

    async def judge(self, rows: pl.DataFrame, judges: Sequence[Filter]) -> pl.DataFrame:
        """As `judge_rows`, in another process."""
        needed = sorted({n for j in judges for n in expression(j).meta.root_names()} & set(rows.columns))
        if rows.is_empty() or not judges or not needed:
            return judge_rows(rows, judges)
        return beside(rows, await self.verdicts(rows.select(needed), judges))

    async def verdicts(
        self, rows: pl.DataFrame, judges: Sequence[Filter], across: Sequence[Filter] = ()
    ) -> pl.DataFrame:
        """As `verdicts`, in another process; and beside it the `marks` of the rows that `judges` kept, null
        for the others.
        """
        plain = [[judge.model_dump(mode="json") for judge in some] for some in (judges, across)]
        table = io.BytesIO()
        rows.write_ipc(table, compression="uncompressed")
        try:
            answer = await self._exchange(json.dumps(plain).encode(), table.getvalue())
        except EngineError as error:
            names = ", ".join(f"{judge.filter} of {judge.of!r}" for judge in (*judges, *across))
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

    async def _exchange(self, header: bytes, table: bytes) -> bytes:
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
                process.kill()  # it may be in the middle of an answer that nobody reads
                await process.wait()
            process = None
            raise
        finally:
            self._free.put_nowait(process)


async def _start() -> asyncio.subprocess.Process:
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "POLARS_MAX_THREADS": os.environ.get("POLARS_MAX_THREADS", "1"),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "glotmill.runner.filter_workers",
        stdin=-1,
        stdout=-1,
        env=environment,
        start_new_session=True,
    )


async def _call(process: asyncio.subprocess.Process, header: bytes, table: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(_LENGTH.pack(len(header), len(table)) + header + table)
    await process.stdin.drain()
    told, size = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    error = (await process.stdout.readexactly(told)).decode()
    answer = await process.stdout.readexactly(size)
    if error:
        raise UsageError(error)
    return answer


def _made(rows: pl.DataFrame, expression: pl.Expr, judge: Filter) -> pl.Series:
    try:
        return rows.with_columns(expression)[expression.meta.output_name()]
    except pl.exceptions.PolarsError as error:
        there = ", ".join(sorted(n for n in rows.columns if n not in ("reason", "reason_at")))
        raise RecipeError(
            f"filter {judge.filter} of {judge.of!r}: {_line(error)}; there are {there}"
        ) from None
    except _FAULTS as error:
        told = f"{type(error).__name__}: {_line(error)}"
        raise RecipeError(f"filter {judge.filter} of {judge.of!r}: {told}") from None


def _line(error: Exception) -> str:
    text = str(error).partition("; valid columns")[0].partition("This error occurred")[0]
    return one_line(text)


def _ask(rows: pl.DataFrame, judge: Filter) -> pl.DataFrame:
    answer = _made(rows, expression(judge).alias("reason"), judge)
    if answer.dtype == pl.Null:
        answer = answer.cast(pl.String)
    if isinstance(answer.dtype, pl.Struct) and "reason" in answer.struct.fields:
        prefix = f"{judge.of.replace('.', '_')}_{judge.filter.rpartition(':')[2]}"
        return answer.struct.unnest().select(
            pl.col("reason"), pl.all().exclude("reason").name.prefix(f"{prefix}_")
        )
    if answer.dtype != pl.String:
        raise RecipeError(
            f"filter {judge.filter}: gave {answer.dtype}; a filter gives null or a reason as text"
        )
    return answer.to_frame("reason")


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while len(head := requests.read(_LENGTH.size)) == _LENGTH.size:
        told, size = _LENGTH.unpack(head)
        plain = json.loads(requests.read(told))
        judges, across = ([Filter.model_validate(each) for each in some] for some in plain)
        rows = pl.read_ipc(io.BytesIO(requests.read(size)))
        error, table = b"", io.BytesIO()
        try:
            found = verdicts(rows, judges)
            alive = found["reason"].is_null()
            found.hstack(spread(marks(rows.filter(alive), across), alive)).write_ipc(
                table, compression="uncompressed"
            )
        except UsageError as problem:
            error, table = str(problem).encode(), io.BytesIO()
        answers.write(_LENGTH.pack(len(error), table.tell()) + error + table.getvalue())
        answers.flush()


def _main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a filter prints must not mix with tables
    try:
        _serve(sys.stdin.buffer, answers)
    except BrokenPipeError:  # whoever asked is gone
        os._exit(1)


if __name__ == "__main__":
    _main()
