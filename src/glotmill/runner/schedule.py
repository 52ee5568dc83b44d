"""Fills all languages of a run: opens shards, several at once, until enough rows are accepted.

Read `fill` from top to bottom. A round opens shards until no language needs one more; then `finish:` looks at
all rows of each language, and the languages that have too few rows left go into another round.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from glotmill.errors import EngineError
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.seeds import Row, Seeds
from glotmill.runner.filter_workers import FilterWorkers, open_filter_workers
from glotmill.runner.finish_filters import LanguageFinish
from glotmill.runner.open_engine import EngineOptions, open_all_on_first_request
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.request_queue import RequestQueue
from glotmill.runner.run_folder import Run, ShardInfo
from glotmill.runner.shard import Shard, run_shard

GRACE = 120  # seconds to wait for the replies in flight after an error; a user says how long by Ctrl-C


@dataclass
class Progress:
    """Where a run is, as `watch` sees it."""

    run: Run
    quotas: list[LanguageQuota]
    note: str = ""  # what the run is doing; empty while it generates
    request_queue: RequestQueue | None = None
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return self.clock() - self.began


@dataclass(frozen=True)
class PreparedRun:
    """A run that is checked and ready to start."""

    recipe: Recipe
    seeds: Seeds
    uses_recipe_seeds: bool  # false if the user names others
    quotas: list[LanguageQuota]
    run: Run
    engines: Mapping[str, EngineOptions]  # by the names of models in the recipe; "" is that of the run
    window: int | None  # requests in flight; None adapts it to the engine
    max_failures: float
    earlier_info: Mapping[str, Any] | None = None  # run.json of the command before this one


async def fill(prepared: PreparedRun, progress: Progress, watch: Callable[[Progress], None]) -> None:
    """Make rows until every language is full or given up. Raises EngineError, RecipeError."""
    finishes = [LanguageFinish(quota, prepared.run) for quota in prepared.quotas]
    workers = max(1, (os.cpu_count() or 2) // 2)

    def show_note(note: str) -> None:
        progress.note = note

    async with (
        open_filter_workers(workers) as filter_workers,
        open_all_on_first_request(prepared.engines, show_note) as engine,
    ):
        request_queue = RequestQueue(engine, prepared.window, prepared.max_failures)
        progress.request_queue = request_queue
        try:
            for finish in finishes:
                await asyncio.to_thread(finish.begin)
            unfilled = finishes
            while unfilled:
                await _Round(prepared, finishes, request_queue, filter_workers).run(lambda: watch(progress))
                progress.note = "waiting for the replies in flight"
                await request_queue.drain()
                progress.note = "applying filters to all rows"
                watch(progress)
                unfilled = [finish for finish in finishes if await finish.apply_to_all(filter_workers)]
                progress.note = ""
            _refuse_if_all_failed(prepared.quotas, request_queue)
        except BaseException as error:
            progress.note = "waiting for the replies in flight"
            watch(progress)
            by_user = isinstance(error, asyncio.CancelledError | KeyboardInterrupt)
            await request_queue.drain(None if by_user else GRACE, stop=True)
            raise
        progress.note = "writing the dataset"
        watch(progress)


def _refuse_if_all_failed(quotas: Sequence[LanguageQuota], request_queue: RequestQueue) -> None:
    """Raise EngineError if no request was answered and a language lacks rows: the engine is why."""
    failed = request_queue.failed
    if failed and failed == request_queue.answered and any(quota.shortfall for quota in quotas):
        latest = request_queue.latest_failure
        raise EngineError(f"every request failed ({failed:,}), the latest with {latest}")


@dataclass
class _Round:
    """The open shards, until no language needs another."""

    prepared: PreparedRun
    finishes: Sequence[LanguageFinish]
    request_queue: RequestQueue
    filter_workers: FilterWorkers
    opened: int = 0  # shards of all languages
    tasks: dict[asyncio.Task[None], LanguageFinish] = field(default_factory=dict)

    async def run(self, tick: Callable[[], None]) -> None:
        """Open shards and settle those that are finished; call tick about once a second."""
        try:
            while True:
                await self._open_shards()
                if not self.tasks:
                    break
                done, _ = await asyncio.wait(self.tasks, timeout=1, return_when=asyncio.FIRST_COMPLETED)
                await self._collect(done)
                await self._cancel([t for t, finish in self.tasks.items() if finish.quota.is_finished])
                tick()
        finally:
            await self._cancel(list(self.tasks))
        for finish in self.finishes:
            finish.quota.close()

    async def _open_shards(self) -> None:
        """Open shards while there is room, for the language that is furthest from full."""
        quotas = self.prepared.quotas
        limit = 2 * self.request_queue.size + 4 * quotas[0].shard_size
        while len(self.tasks) < len(quotas) or sum(q.open_rows for q in quotas if not q.is_finished) < limit:
            candidates = [finish for finish in self.finishes if finish.quota.needs_shard]
            if not candidates:
                return
            finish = min(candidates, key=lambda finish: finish.quota.expected / finish.quota.needed)
            if seeds := await self._take_seeds(finish):
                task = asyncio.ensure_future(
                    self._run_shard(finish, finish.quota.opened - 1, self.opened, seeds)
                )
                self.tasks[task] = finish
                self.opened += 1

    async def _take_seeds(self, finish: LanguageFinish) -> list[tuple[int, str, Row]]:
        """Take the seed rows of a language's next shard; none if they are spent."""
        quota = finish.quota
        start, stop = quota.next_seeds
        # in a thread: a dataset may come over a network
        seeds = await asyncio.to_thread(
            self.prepared.seeds.take, quota.tag, start, stop, self.prepared.recipe.passes
        )
        quota.count_opened(len(seeds))
        return seeds

    async def _run_shard(
        self, finish: LanguageFinish, number: int, order: int, seeds: Sequence[tuple[int, str, Row]]
    ) -> None:
        """Take a shard through all steps, unless its file is there and everything it depends on is the same.

        order: of opening, among the shards of all languages.
        """
        run, plan, name = finish.run, finish.quota.plan, finish.quota.shard_name(number)
        digest = plan.digest(seeds)
        info = run.intact_shard(name)
        if info is not None and info.digest == digest and info.transient == 0:
            finish.take(number, info)
            return
        shard = Shard(
            plan, order, run.journal(name), run.replies(name), self.request_queue, self.filter_workers
        )
        finish.quota.open_shards[number] = shard
        try:
            rows = await run_shard(shard, seeds)
        finally:
            del finish.quota.open_shards[number]
        kept = rows.filter(verdict="kept").height
        failures, requests = shard.transient_failures, shard.requests
        finish.take(number, ShardInfo(digest, len(seeds), kept, failures, requests=requests), rows)

    async def _collect(self, done: Iterable[asyncio.Task[None]]) -> None:
        """Remove finished tasks. Raises the error of the first that failed."""
        for task in done:
            del self.tasks[task]
        for error in await asyncio.gather(*done, return_exceptions=True):
            if error is not None:
                raise error

    async def _cancel(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Stop shards that are not needed; replies to their requests still reach the journal."""
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            del self.tasks[task]
