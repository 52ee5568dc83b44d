"""Fills all languages of a job: shards are opened, several at once, until enough rows are accepted."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from glotmill import plugins
from glotmill.errors import EngineError
from glotmill.messages import Engine, Reply, Request
from glotmill.recipes.seeds import Row
from glotmill.runner.filter_workers import FilterWorkers, open_filter_workers
from glotmill.runner.finish import select
from glotmill.runner.options import PreparedRun, Progress
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.requests import RequestQueue
from glotmill.runner.shard import Shard, run_shard

GRACE = 10  # seconds that replies in flight are waited for when a run is stopped


@dataclass(frozen=True)
class _Means:
    """What all shards share."""

    window: RequestQueue
    judges: FilterWorkers


async def fill(job: PreparedRun, progress: Progress, watch: Callable[[Progress], None]) -> None:
    """Open shards until every language has its rows or is given up. Raises EngineError, RecipeError."""
    judges = max(1, (os.cpu_count() or 2) // 2)
    async with open_filter_workers(judges) as judging, _engine(job, progress) as generate:
        window = progress.window = RequestQueue(generate, job.window, job.options.get("max_failures", 0.2))
        try:
            for quota in job.quotas:
                await asyncio.to_thread(quota.begin)
            while True:
                await _loop(job, _Means(window, judging), lambda: watch(progress))
                progress.note = "waiting for the replies in flight"
                await window.drain()
                progress.note = "judging all rows"
                watch(progress)
                if not [f for f in job.quotas if await select(f, judging)]:
                    break
                progress.note = ""
        except BaseException:
            progress.note = "waiting for the replies in flight"
            watch(progress)
            await window.drain(GRACE)
            raise
        progress.note = "writing the dataset"
        watch(progress)


async def _loop(job: PreparedRun, means: _Means, tick: Callable[[], None]) -> None:
    """Open shards, oldest needs first; settle what is finished; until no language is hungry."""
    tasks: dict[asyncio.Task[None], LanguageQuota] = {}
    most = max(len(job.quotas), 4 + 2 * job.window // job.quotas[0].shard_size)
    opened = 0
    try:
        while True:
            while len(tasks) < most and (hungry := [f for f in job.quotas if f.hungry]):
                quota = min(hungry, key=lambda f: f.expected / f.needed)
                if seeds := await _seeds(job, quota):
                    work = _shard(quota, quota.opened - 1, seeds, means, opened)
                    tasks[asyncio.ensure_future(work)] = quota
                    opened += 1
            if not tasks:
                break
            done, _ = await asyncio.wait(tasks, timeout=1, return_when=asyncio.FIRST_COMPLETED)
            await _leave(done, tasks)
            await _stop([task for task, quota in tasks.items() if quota.over], tasks)
            tick()
    finally:
        await _stop(list(tasks), tasks)
    for quota in job.quotas:
        quota.end()


async def _leave(done: set[asyncio.Task[None]], tasks: dict[asyncio.Task[None], LanguageQuota]) -> None:
    """Take finished tasks out. Raises what the first that failed raised."""
    for task in done:
        del tasks[task]
    results = await asyncio.gather(*done, return_exceptions=True)
    for error in results:
        if error is not None:
            raise error


async def _stop(some: list[asyncio.Task[None]], tasks: dict[asyncio.Task[None], LanguageQuota]) -> None:
    """End tasks whose rows nobody needs; what they asked for already is noted when it comes."""
    for task in some:
        task.cancel()
    await asyncio.gather(*some, return_exceptions=True)
    for task in some:
        del tasks[task]


async def _seeds(job: PreparedRun, quota: LanguageQuota) -> list[tuple[int, str, Row]]:
    """Take the seed rows of a language's next shard; none if they are spent."""
    start, stop = quota.opened * quota.shard_size, (quota.opened + 1) * quota.shard_size
    # in a thread: a dataset may come over a network
    seeds = await asyncio.to_thread(job.seeds.take, quota.tag, start, stop, job.recipe.passes)
    quota.seeds_spent = len(seeds) < quota.shard_size
    quota.opened += bool(seeds)
    return seeds


async def _shard(
    quota: LanguageQuota, number: int, seeds: Sequence[tuple[int, str, Row]], means: _Means, place: int
) -> None:
    store, name = quota.store, quota.name(number)
    digest = quota.plan.digest(seeds)
    about = store.about_rows(name)
    if about.get("digest") == digest and about.get("transient") == "0":
        quota.finished(number, about)
        return
    shard = Shard(quota.plan, place, store.journal(name), store.replies(name), means.window, means.judges)
    rows = await run_shard(shard, seeds)
    counts = {
        "seeds": len(seeds),
        "kept": rows.filter(verdict="kept").height,
        "transient": shard.transient_failures,
    }
    quota.finished(number, {"digest": digest, **{n: str(c) for n, c in counts.items()}}, rows)


@asynccontextmanager
async def _engine(job: PreparedRun, progress: Progress) -> AsyncIterator[Engine]:
    """Yield the engine, opened by the first request: what the journals hold needs none.

    One task opens it and closes it, as libraries want it.
    """
    ready: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
    enough = asyncio.Event()
    keeper: asyncio.Task[None] | None = None

    async def keep() -> None:
        progress.note = f"starting {job.engine}"
        arguments = {"revision": job.options.get("revision"), **(job.options.get("engine_args") or {})}
        async with AsyncExitStack() as stack:
            try:
                opened = plugins.find("generators", job.engine)(job.model, **arguments)
                generate: Engine = await stack.enter_async_context(opened)
            except (TypeError, ValueError) as error:  # an option of a wrong type, most often
                raise EngineError(f"engine {job.engine}: cannot be started: {error}") from error
            progress.note = ""
            ready.set_result(generate)
            await enough.wait()

    def tell(task: asyncio.Task[None]) -> None:
        if not ready.done() and (task.cancelled() or not task.exception()):
            ready.cancel()
        elif not ready.done() and (error := task.exception()):
            ready.set_exception(error)

    async def ask(request: Request) -> Reply:
        nonlocal keeper
        if keeper is None:
            keeper = asyncio.ensure_future(keep())
            keeper.add_done_callback(tell)
        generate = await asyncio.shield(ready)
        return await generate(request)

    try:
        yield ask
    finally:
        if keeper is not None:
            enough.set()
            if not ready.done():
                keeper.cancel()
            await asyncio.wait([keeper])
    if keeper is not None and not keeper.cancelled() and (error := keeper.exception()):
        raise error  # in closing
