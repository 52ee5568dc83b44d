"""The work of `glotmill filter`: splits a dataset into parts, filters them on all cores, writes them in
order.

Filters that check each row by itself run first, in worker processes. Filters across rows, such as
`duplicates`, compare a row with the rows before it, so they run here, part after part, on the rows that the
others kept: of equal rows in the whole input, the first one stays.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import polars as pl

from glotmill.columns import REASON, REASON_AT
from glotmill.errors import EngineError, UsageError
from glotmill.filtering import filter_columns
from glotmill.filtering.filter_columns import LANGUAGE, RowLanguage
from glotmill.filtering.output_folder import OWN, Counts, Folder, OutputPart
from glotmill.filters._similar.history import History, Rule
from glotmill.io.rows import RowSource
from glotmill.recipes.steps import Filter
from glotmill.runner.apply_filters import scatter, streaming_rule
from glotmill.runner.filter_workers import FilterWorkers, cores, open_filter_workers

PART_ROWS = 20_000
PART_BYTES = 32_000_000  # a part ends when it reaches either limit
MAX_AHEAD = 2  # parts that are filtered while one is written


@dataclass(frozen=True)
class FilterJob:
    """A dataset and the filters for it, checked against each other."""

    data: RowSource
    language: RowLanguage
    row_filters: tuple[Filter, ...]  # check each row by itself
    cross_filters: tuple[Filter, ...]  # compare a row with the rows before it
    sources: Mapping[str, str]  # column that the filters read -> column of the input
    added_columns: Mapping[str, Any]  # column that the filters add -> dtype


@dataclass
class FilterProgress:
    """The progress of a job."""

    total: int | None  # rows of the input, if known
    rows: int = 0  # rows written, now or before the job was resumed
    kept: int = 0
    filtered: int = 0  # rows written since the job was started or resumed
    seconds: float = 0.0


Watch = Callable[[FilterProgress], None]
Verdicts = tuple[pl.DataFrame, pl.Series]  # reason, reason_at and added columns; the languages of the rows


async def process_parts(job: FilterJob, folder: Folder, watch: Watch) -> Counts:
    """Filter and write the parts that are not written yet; return the counts of all parts.

    Raises EngineError.
    """
    counts, start = Counts(), time.monotonic()
    progress = FilterProgress(job.data.total)
    running: deque[tuple[OutputPart, Counts | None, asyncio.Task[Verdicts] | None]] = deque()
    async with open_filter_workers(cores()) as workers:
        pipeline = _Pipeline(job, folder, workers, asyncio.Semaphore(cores() + 1))
        pipeline.histories = await asyncio.to_thread(open_histories, job)

        async def finish_oldest() -> None:
            part, part_counts, task = running.popleft()
            if task is not None:
                part_counts = await asyncio.to_thread(pipeline.finish, part, *await task)
                progress.filtered += part.rows
            else:
                await asyncio.to_thread(pipeline.remember, part)
            counts.update(part_counts)
            progress.rows = counts.total()
            progress.kept = sum(rows for (_, reason), rows in counts.items() if not reason)
            progress.seconds = time.monotonic() - start
            watch(progress)

        parts = split(job.data)
        try:
            while (part := await asyncio.to_thread(next, parts, None)) is not None:
                part_counts = folder.finished(part)
                if part_counts is not None and job.cross_filters and folder.state(part) is None:
                    part_counts = None  # written, but later parts cannot be compared with it
                if part_counts is None:
                    task = asyncio.ensure_future(pipeline.filter_rows(part))
                else:
                    task = None
                    part.tables.clear()
                running.append((part, part_counts, task))
                while len(running) > MAX_AHEAD:
                    await finish_oldest()
            while running:
                await finish_oldest()
        finally:
            tasks = [task for _, _, task in running if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return counts


def split(data: RowSource) -> Iterator[OutputPart]:
    """Yield the parts of a dataset, the same ones every time."""
    part, size = OutputPart(0, 0), 0
    for table in data.tables():
        part.tables.append(table)
        size += table.nbytes
        if part.rows >= PART_ROWS or size >= PART_BYTES:
            next_part = OutputPart(part.number + 1, part.first + part.rows)
            yield part
            part, size = next_part, 0
    if part.tables:
        yield part
    elif not part.number and data.schema.names:  # an input without rows: readers still find its columns
        yield OutputPart(0, 0, [data.schema.empty_table()])


def open_histories(job: FilterJob) -> list[History]:
    """Return the history of each filter across rows, with the earlier rows that its options name."""
    rules = [rule for step in job.cross_filters if (rule := streaming_rule(step))]
    histories = [History(replace(rule, earlier=partial(_read_earlier, rule, job))) for rule in rules]
    for history in histories:
        history.begin(job.language.tag)
    return histories


def _read_earlier(rule: Rule, job: FilterJob) -> Iterator[pl.DataFrame]:
    """Yield earlier rows with the columns that the filters read of the input: of messages, the
    assistant's."""
    for table in rule.earlier():
        sources = {name: name for name in table.columns if name in job.sources}
        yield table.with_columns(filter_columns.frame(table.to_arrow(), sources, RowLanguage()).get_columns())


def first_column(step: Filter) -> str:
    """Return the column with the id of the row that a dropped row repeats."""
    return f"{step.of.replace('.', '_')}_{step.filter.rpartition(':')[2]}_first"


@dataclass
class _Pipeline:
    """Takes a part through the filters and into the folder."""

    job: FilterJob
    folder: Folder
    workers: FilterWorkers
    limit: asyncio.Semaphore  # tables that are with the workers
    histories: list[History] = field(default_factory=list)

    async def filter_rows(self, part: OutputPart) -> Verdicts:
        """Apply the filters that check each row by itself."""
        starts = [part.first + sum(t.num_rows for t in part.tables[:n]) for n in range(len(part.tables))]
        pairs = await asyncio.gather(
            *(self._filter_table(*pair) for pair in zip(part.tables, starts, strict=True))
        )
        verdicts = pl.concat([table_verdicts for table_verdicts, _ in pairs], how="vertical_relaxed")
        return verdicts, pl.concat([languages for _, languages in pairs])

    async def _filter_table(self, table: Any, start: int) -> Verdicts:
        job = self.job
        async with self.limit:
            rows = await asyncio.to_thread(filter_columns.frame, table, job.sources, job.language)
            languages = rows[LANGUAGE] if job.language else pl.Series([""] * rows.height, dtype=pl.String)
            is_known = languages.is_not_null()
            try:
                verdicts = await self.workers.verdicts(
                    rows.filter(is_known), job.row_filters, job.cross_filters
                )
            except (EngineError, UsageError) as error:
                end = start + table.num_rows - 1
                raise type(error)(f"{job.data.location}: rows {start} to {end}: {error}") from None
        is_unknown = pl.when(~is_known)
        verdicts = scatter(verdicts, is_known).with_columns(
            reason=is_unknown.then(pl.lit("unknown_language")).otherwise(REASON),
            reason_at=is_unknown.then(pl.lit(job.language.column)).otherwise(REASON_AT),
        )
        return verdicts, languages.fill_null("unknown")

    def remember(self, part: OutputPart) -> None:
        """Add the rows of a part that is written already to the histories."""
        if self.job.cross_filters and (state := self.folder.state(part)) is not None:
            self.apply_across(state)

    def finish(self, part: OutputPart, verdicts: pl.DataFrame, languages: pl.Series) -> Counts:
        """Apply the filters across rows, and write the part."""
        added = self.job.added_columns
        if self.job.cross_filters:
            keys = [name for name in verdicts.columns if name not in OWN and name not in added]
            is_kept = verdicts[REASON].is_null()
            ids = part.ids.cast(pl.String).filter(is_kept)
            state = verdicts.select(keys).filter(is_kept).with_columns(id=ids)
            self.folder.keep_state(part, state)
            cross_verdicts = scatter(self.apply_across(state), is_kept)
            reasons = {name: pl.coalesce(verdicts[name], cross_verdicts[name]) for name in OWN}
            verdicts = verdicts.drop(keys).with_columns(*cross_verdicts.drop(OWN)).with_columns(**reasons)
        verdicts = verdicts.select(*OWN, *(pl.col(name).cast(dtype) for name, dtype in added.items()))
        return self.folder.write(part, verdicts, languages)

    def apply_across(self, state: pl.DataFrame) -> pl.DataFrame:
        """Apply the filters across rows to the next rows: id, keys_0, keys_1, ... -> reason, reason_at,
        first."""
        no_reasons = pl.Series(REASON, [None] * state.height, pl.String)
        verdicts = pl.DataFrame([no_reasons, no_reasons.alias(REASON_AT)])
        for number, (step, history) in enumerate(zip(self.job.cross_filters, self.histories, strict=True)):
            is_kept = verdicts[REASON].is_null()
            rows = state.filter(is_kept)
            result = scatter(history.apply_keys(rows[f"keys_{number}"], ids=rows["id"]), is_kept)
            reason_at = pl.when(result[REASON].is_not_null()).then(pl.lit(f"{step.of}.{step.filter}"))
            verdicts = verdicts.with_columns(
                reason=pl.coalesce(REASON, result[REASON]),
                reason_at=pl.coalesce(REASON_AT, reason_at),
            )
            if history.rule.limit == 1:
                verdicts = verdicts.with_columns(result["first"].alias(first_column(step)))
        return verdicts
