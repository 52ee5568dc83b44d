"""Runs a recipe: rows are made for each language until N are accepted; a folder with the dataset is left."""

import asyncio
import re
import sys
import threading
from collections.abc import Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Unpack

from glotmill import plugins
from glotmill.errors import UsageError
from glotmill.languages import find as find_language
from glotmill.recipes.model import Recipe
from glotmill.recipes.read import read_recipe
from glotmill.recipes.seeds import open_seeds
from glotmill.runner import check, schedule
from glotmill.runner.finish import write_datasets
from glotmill.runner.folder import Run
from glotmill.runner.manifest import keep_recipe, manifest
from glotmill.runner.options import NANO, WINDOW, PreparedRun, Progress, RunOptions
from glotmill.runner.quota import LanguageQuota

__all__ = [
    "NANO",
    "PreparedRun",
    "Progress",
    "RunOptions",
    "default_engine",
    "prepare",
    "run",
    "run_async",
]

MAX_SHARD = 256  # rows


def run(recipe: str | Path, **options: Unpack[RunOptions]) -> Run:
    """Run a recipe until every language has its rows, and return the run's folder.

    The same call again goes on where the last one stopped, and asks nothing twice.
    Raises RecipeError and UsageError before a model is loaded, EngineError, and ShortfallError (with the
    dataset written all the same) if a language cannot be filled.
    """
    return _in_loop(run_async(recipe, **options))


async def run_async(recipe: str | Path, **options: Unpack[RunOptions]) -> Run:
    """As `run`, for callers with an event loop of their own."""
    for name in options:
        if name not in RunOptions.__annotations__:
            raise UsageError(f"no option {name!r}{plugins.did_you_mean(name, RunOptions.__annotations__)}")
    read_recipe(recipe, options.get("settings") or ())  # before there is a folder
    with Run(_folder(recipe, options)).lock():
        job = prepare(recipe, options)
        job.run.write_info(manifest(job))
        keep_recipe(job)
        await schedule.fill(job, Progress(job.run, job.quotas), options.get("watch") or (lambda _: None))
        write_datasets(job.run, job.quotas)
        return job.run


def prepare(recipe: str | Path, options: RunOptions) -> PreparedRun:
    """Read and check all that can be wrong before a model is loaded. Raises RecipeError, UsageError."""
    read = read_recipe(recipe, options.get("settings") or ())
    engine = options.get("engine") or default_engine()
    wanted, tags = _wanted(read, options)
    _check_engine(engine, options)
    store = Run(_folder(recipe, options))
    _check_folder(store, read, engine)
    seeds = open_seeds(read, _keep_stdin(store, options.get("seeds"), read))
    size = _shard_size(store, wanted)
    model, revision = options.get("model") or NANO, options.get("revision") or ""
    plans = [check.plan(read, find_language(tag), seeds, model, revision) for tag in tags]
    return PreparedRun(read, seeds, [LanguageQuota(p, wanted, size) for p in plans], store, engine, options)


def default_engine() -> str:
    """Return the engine that is used where none is named."""
    for name, module in (("vllm", "vllm"), ("transformers", "torch")):
        if find_spec(module) is not None:
            return name
    raise UsageError(
        "no engine is installed; pip install 'glotmill[transformers]' (or [vllm]), or use --engine openai"
    )


def _wanted(read: Recipe, options: RunOptions) -> tuple[int, list[str]]:
    """How many rows, and of which languages."""
    given = options.get("languages") or read.languages
    names = given.split(",") if isinstance(given, str) else given
    tags = list(dict.fromkeys(find_language(name).tag for name in names))
    if not tags:
        raise UsageError(f"{read.name}: no language; use --languages, such as -l fra,swh")
    wanted = options.get("per_language", 100)
    if wanted < 1:
        raise UsageError(f"--per-language {wanted}: at least 1")
    if options.get("window", WINDOW) < 1:
        raise UsageError(f"--window {options.get('window')}: at least 1")
    if not 0 <= (share := options.get("max_failures", 0.2)) <= 1:
        raise UsageError(f"--max-failures {share}: a share, from 0 to 1")
    return wanted, tags


def _check_engine(engine: str, options: RunOptions) -> None:
    arguments = options.get("engine_args") or {}
    if "revision" in arguments:
        raise UsageError(f"engine {engine}: the revision is said by --revision, not by --engine-arg")
    place = f"engine {engine}"
    plugins.check_options(plugins.find("engines", engine), {"revision": None, **arguments}, place)


def _folder(recipe: str | Path, options: RunOptions) -> Path:
    if given := options.get("folder"):
        return Path(given)
    name = Path(recipe).resolve().name.removesuffix(".j2")
    model = Path(options.get("model") or NANO).name
    return Path("runs") / re.sub(r"[^\w.-]+", "-", f"{name}-{model}")


def _keep_stdin(store: Run, seeds: str | None, read: Recipe) -> str | None:
    """Rows that came through a pipe are kept in the run's folder: the next command has no such pipe."""
    if seeds != "-" and (seeds is not None or read.seeds != "-"):
        return seeds
    path = store.folder / "seeds.txt"
    if sys.stdin is not None and not sys.stdin.isatty() and (data := sys.stdin.buffer.read()).strip():
        path.write_bytes(data)
    return str(path) if path.exists() else "-"


def _check_folder(store: Run, read: Recipe, engine: str) -> None:
    """A folder has one recipe; and what echo said in a dry run must not pass for what the model says."""
    if not (store.folder / "run.json").exists():
        return
    info = store.info()
    if (there := info.get("recipe", {}).get("name")) != read.name:
        raise UsageError(
            f"{store.folder}: holds a run of {there!r}, not of {read.name!r}; name another folder"
        )
    replied = next(store.folder.glob("replies/*.jsonl"), None)
    if replied and (was := info.get("engine")) != engine and "echo" in (was, engine):
        raise UsageError(
            f"{store.folder}: its replies are of the engine {was}, and would pass for those of {engine}; "
            "name another folder, or remove this one"
        )


def _shard_size(store: Run, wanted: int) -> int:
    """A run keeps the size it began with, or its journals would not fit its shards."""
    if not (store.folder / "run.json").exists():
        return min(MAX_SHARD, max(8, wanted // 4))
    return int(store.info()["shard_size"])


def _in_loop(work: Coroutine[Any, Any, Run]) -> Run:
    """Run to the end, also where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    result: asyncio.Future[Run] | None = None
    loop = asyncio.new_event_loop()

    def target() -> None:
        nonlocal result
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            result = runner.get_loop().create_task(work)
            runner.run(asyncio.wait([result]))

    thread = threading.Thread(target=target)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        if result is not None:
            loop.call_soon_threadsafe(result.cancel)
        thread.join()
        raise
    assert result is not None
    return result.result()
