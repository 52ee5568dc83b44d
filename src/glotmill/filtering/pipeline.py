"""The work of `glotmill filter`: parts of a dataset are judged on all cores, and written in their order.

A filter that judges a row by the rows before it, such as `duplicates`, is asked behind all others, of the
rows that they kept; over the whole input, the first row wins.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import polars as pl

from glotmill.errors import EngineError, UsageError
from glotmill.filtering import judged_columns
from glotmill.filtering.judged_columns import LANGUAGE, Asked
from glotmill.filtering.output_folder import OWN, Counts, Folder, OutputPart
from glotmill.filters._similar.history import History, Rule
from glotmill.io.rows import RowSource
from glotmill.recipes.steps import Filter
from glotmill.runner.apply_filters import scatter, streaming_rule
from glotmill.runner.filter_workers import FilterWorkers, cores, open_filter_workers

PART_ROWS = 20_000
PART_BYTES = 32_000_000  # a part is whole with one of the two
AHEAD = 2  # parts that are judged while one is written


@dataclass(frozen=True)
class FilterJob:
    """What is to be done: everything that can be wrong has been said."""

    data: RowSource
    asked: Asked
    judges: tuple[Filter, ...]  # each judges a row by itself
    across: tuple[Filter, ...]  # by the rows before it
    made_of: Mapping[str, str]  # columns that filters see -> columns of the input
    measured: Mapping[str, Any]  # what filters add, and its types


@dataclass
class FilterProgress:
    """Where the work is."""

    total: int | None
    rows: int = 0
    kept: int = 0
    judged: int = 0  # of the rows, since the work began
    seconds: float = 0.0


Watch = Callable[[FilterProgress], None]
Found = tuple[pl.DataFrame, pl.Series]  # what filters found, and the languages of the rows


async def work(job: FilterJob, folder: Folder, watch: Watch) -> Counts:
    """Judge what is not written yet, write it, and return where all rows went. Raises EngineError."""
    total, began = Counts(), time.monotonic()
    progress = FilterProgress(job.data.total)
    running: deque[tuple[OutputPart, Counts | None, asyncio.Task[Found] | None]] = deque()
    async with open_filter_workers(cores()) as judges:
        here = _Work(job, folder, judges, asyncio.Semaphore(cores() + 1))
        here.seen = await asyncio.to_thread(seen_before, job)

        async def settle() -> None:
            part, counts, task = running.popleft()
            if task is None and counts is not None:
                await asyncio.to_thread(here.remember, part)
            elif task is not None:
                counts = await asyncio.to_thread(here.settle, part, *await task)
                progress.judged += part.rows
            total.update(counts)
            progress.rows, progress.kept = total.total(), sum(n for (_, why), n in total.items() if not why)
            progress.seconds = time.monotonic() - began
            watch(progress)

        parts = cut(job.data)
        try:
            while (part := await asyncio.to_thread(next, parts, None)) is not None:
                counts = folder.finished(part)
                if counts is not None and job.across and folder.state(part) is None:
                    counts = None
                task = asyncio.ensure_future(here.judged(part)) if counts is None else None
                if task is None:
                    part.tables.clear()
                running.append((part, counts, task))
                while len(running) > AHEAD:
                    await settle()
            while running:
                await settle()
        finally:
            tasks = [task for _, _, task in running if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return total


def cut(data: RowSource) -> Iterator[OutputPart]:
    """Yield the parts of a dataset, the same ones every time."""
    part, size = OutputPart(0, 0), 0
    for table in data.tables():
        part.tables.append(table)
        size += table.nbytes
        if part.rows >= PART_ROWS or size >= PART_BYTES:
            following = OutputPart(part.number + 1, part.first + part.rows)
            yield part
            part, size = following, 0
    if part.tables or (not part.number and data.schema.names):
        yield (
            part if part.tables else OutputPart(0, 0, [data.schema.empty_table()])
        )  # so that readers find columns


def seen_before(job: FilterJob) -> list[History]:
    """Return, for each filter that judges a row by those before it, what counts as seen before the first."""
    rules = [rule for each in job.across if (rule := streaming_rule(each))]
    all_of = [History(replace(rule, earlier=partial(_as_judged, rule, job))) for rule in rules]
    for seen in all_of:
        seen.begin(job.asked.tag)
    return all_of


def _as_judged(rule: Rule, job: FilterJob) -> Iterator[pl.DataFrame]:
    """Earlier rows as filters see those of the input: of chats, what the assistant says."""
    for table in rule.earlier():
        made_of = {name: name for name in table.columns if name in job.made_of}
        yield table.with_columns(judged_columns.frame(table.to_arrow(), made_of, Asked()).get_columns())


def first_of(each: Filter) -> str:
    """Return the column that holds the id of the row that a dropped one is like."""
    return f"{each.of.replace('.', '_')}_{each.filter.rpartition(':')[2]}_first"


@dataclass
class _Work:
    """What all parts share."""

    job: FilterJob
    folder: Folder
    judges: FilterWorkers
    limit: asyncio.Semaphore
    seen: list[History] = field(default_factory=list)

    async def judged(self, part: OutputPart) -> Found:
        """Ask the filters that judge a row by itself. -> what they found, and the rows' languages."""
        starts = [part.first + sum(t.num_rows for t in part.tables[:n]) for n in range(len(part.tables))]
        pairs = await asyncio.gather(*(self._table(*pair) for pair in zip(part.tables, starts, strict=True)))
        return pl.concat([found for found, _ in pairs], how="vertical_relaxed"), pl.concat(
            [languages for _, languages in pairs]
        )

    async def _table(self, table: Any, start: int) -> Found:
        async with self.limit:
            rows = await asyncio.to_thread(judged_columns.frame, table, self.job.made_of, self.job.asked)
            languages = rows[LANGUAGE] if self.job.asked else pl.Series([""] * rows.height, dtype=pl.String)
            known = languages.is_not_null()
            try:
                found = await self.judges.verdicts(rows.filter(known), self.job.judges, self.job.across)
            except (EngineError, UsageError) as error:
                last = start + table.num_rows - 1
                raise type(error)(f"{self.job.data.location}: rows {start} to {last}: {error}") from None
        strange = pl.when(~known)
        found = scatter(found, known).with_columns(
            reason=strange.then(pl.lit("unknown_language")).otherwise("reason"),
            reason_at=strange.then(pl.lit(self.job.asked.column)).otherwise("reason_at"),
        )
        return found, languages.fill_null("unknown")

    def remember(self, part: OutputPart) -> None:
        """See the rows of a part that is written, for those behind it."""
        if self.job.across and (state := self.folder.state(part)) is not None:
            self.take(state)

    def settle(self, part: OutputPart, found: pl.DataFrame, languages: pl.Series) -> Counts:
        """Ask the filters that judge a row by those before it, and write the part."""
        if self.job.across:
            marks = [n for n in found.columns if n not in OWN and n not in self.job.measured]
            alive = found["reason"].is_null()
            state = found.select(marks).filter(alive).with_columns(id=part.ids.cast(pl.String).filter(alive))
            self.folder.keep_state(part, state)
            late = scatter(self.take(state), alive)
            both = {name: pl.coalesce(found[name], late[name]) for name in OWN}
            found = found.drop(marks).with_columns(*late.drop(OWN)).with_columns(**both)
        found = found.select(*OWN, *(pl.col(n).cast(t) for n, t in self.job.measured.items()))
        return self.folder.write(part, found, languages)

    def take(self, state: pl.DataFrame) -> pl.DataFrame:
        """Judge the next rows by those before them. -> reason, reason_at, the row that it is like."""
        nothing = pl.Series("reason", [None] * state.height, pl.String)
        found = pl.DataFrame([nothing, nothing.alias("reason_at")])
        for number, (each, seen) in enumerate(zip(self.job.across, self.seen, strict=True)):
            alive = found["reason"].is_null()
            rows = state.filter(alive)
            made = scatter(seen.apply_keys(rows[f"keys_{number}"], ids=rows["id"]), alive)
            at = pl.when(made["reason"].is_not_null()).then(pl.lit(f"{each.of}.{each.filter}"))
            found = found.with_columns(
                reason=pl.coalesce("reason", made["reason"]), reason_at=pl.coalesce("reason_at", at)
            )
            if seen.rule.limit == 1:
                found = found.with_columns(made["first"].alias(first_of(each)))
        return found
