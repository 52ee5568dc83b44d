"""The engines of a run: chooses them, checks their options, and opens each on its first request.

A run has one model, and a recipe may name more (`models:`). Each has its own engine, opened by the first
request for it and only then.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from glotmill import plugins
from glotmill.errors import EngineError, GlotmillError, UsageError, typed_line
from glotmill.generators._shared.fertility import fertility, token_counter
from glotmill.messages import Engine, Reply, Request
from glotmill.recipes.recipe import Recipe

NANO = "glotmill-nano"  # the tiny model that comes with glotmill; used where no model is named


@dataclass(frozen=True)
class EngineOptions:
    """The name, model and arguments that an engine is opened with."""

    name: str
    model: str
    revision: str | None
    arguments: Mapping[str, Any]  # keyword arguments for the engine's library


def engine_options(
    name: str | None, model: str | None, revision: str | None, arguments: Mapping[str, Any] | None
) -> EngineOptions:
    """Fill in the defaults, and check that the arguments fit the engine. Raises UsageError."""
    name, arguments = name or default_engine(), arguments or {}
    if "revision" in arguments:
        raise UsageError(f"engine {name}: give the revision with --revision, not with --engine-arg")
    function = plugins.find("engines", name)
    plugins.check_options(function, {"revision": None, **arguments}, f"engine {name}")
    return EngineOptions(name, model or NANO, revision, arguments)


@dataclass(frozen=True)
class ModelSettings:
    """What a user says about one model: None where nothing is said."""

    engine: str | None = None
    model: str | None = None
    revision: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


def all_engine_options(
    recipe: Recipe, run: ModelSettings, others: Mapping[str, ModelSettings]
) -> dict[str, EngineOptions]:
    """Return the options of the run's engine, by the name "", and of each other model of the recipe, by its.

    others: what the user says about models of the recipe, by their names there; what is left open comes from
    the recipe, and then from the run. Raises UsageError.
    """
    options = {"": engine_options(run.engine, run.model, run.revision, run.arguments)}
    for name in others:
        if name not in recipe.models:
            known = ", ".join(recipe.models) or "none besides that of the run"
            raise UsageError(
                f"the recipe {recipe.name} names no model {name!r} (it names: {known}); for a folder with "
                f"a = in its path write ./{name}=..."
            )
    for name, model in recipe.models.items():
        user = others.get(name, ModelSettings())
        own_model, own_engine = user.model or model.model, user.engine or model.engine
        arguments = {**model.engine_args, **user.arguments}
        revision = user.revision or model.revision
        if not (own_model or own_engine or arguments or revision):
            continue  # the model of the run
        if not own_engine:  # the same engine, opened in the same way
            arguments = {**options[""].arguments, **arguments}
        own_revision = revision if own_model else revision or options[""].revision
        options[name] = engine_options(
            own_engine or options[""].name, own_model or options[""].model, own_revision, arguments
        )
    return options


def token_factors(engines: Mapping[str, EngineOptions], tag: str) -> dict[str, float]:
    """Return how many tokens of each model a language needs for what English says in one."""
    return {
        name: fertility(token_counter(engine.model, engine.revision), tag) for name, engine in engines.items()
    }


def default_engine() -> str:
    """Return the default engine. Raises UsageError if none is installed."""
    for name, module in (("vllm", "vllm"), ("transformers", "torch")):
        if find_spec(module) is not None:
            return name
    raise UsageError(
        "no engine is installed; pip install 'glotmill[transformers]' (or [vllm]), or use --engine openai"
    )


@asynccontextmanager
async def open_engine(options: EngineOptions) -> AsyncIterator[Engine]:
    """Open an engine. Raises EngineError if it cannot be started."""
    function = plugins.find("engines", options.name)
    async with AsyncExitStack() as stack:
        try:
            opening = function(options.model, revision=options.revision, **options.arguments)
            engine: Engine = await stack.enter_async_context(opening)
        except (TypeError, ValueError) as error:  # most often an option of the wrong type
            raise EngineError(f"engine {options.name}: cannot be started: {error}") from error
        yield engine


@asynccontextmanager
async def open_all_on_first_request(
    options: Mapping[str, EngineOptions], show_note: Callable[[str], None]
) -> AsyncIterator[Engine]:
    """Yield an engine that passes each request on to the engine of its model, by `Request.alias`."""
    async with AsyncExitStack() as stack:
        engines = {
            name: await stack.enter_async_context(open_on_first_request(of_model, show_note))
            for name, of_model in options.items()
        }

        async def ask(request: Request) -> Reply:
            return await engines[request.alias](request)

        yield ask if len(engines) > 1 else engines[""]


@asynccontextmanager
async def open_on_first_request(
    options: EngineOptions, show_note: Callable[[str], None]
) -> AsyncIterator[Engine]:
    """Yield an engine that is opened by its first request: a run whose replies are all stored needs none.

    One dedicated task opens and closes the engine: a context must be left in the task that entered it, and
    requests come from many tasks, any of which may be cancelled.
    show_note: called with what is happening, and with "" once the engine is open.
    """
    opened: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
    finished = asyncio.Event()
    keeper: asyncio.Task[None] | None = None

    async def keep_open() -> None:
        show_note(f"starting {options.name} with {options.model}")
        async with open_engine(options) as engine:
            show_note("")
            opened.set_result(engine)
            await finished.wait()

    def pass_on_failure(task: asyncio.Task[None]) -> None:
        """Fail the requests that wait for the engine with the error of its opening."""
        if opened.done():
            return
        if not task.cancelled() and (error := task.exception()):
            opened.set_exception(error)
        else:
            opened.cancel()

    async def ask(request: Request) -> Reply:
        nonlocal keeper
        if keeper is None:
            keeper = asyncio.ensure_future(keep_open())
            keeper.add_done_callback(pass_on_failure)
        engine = await asyncio.shield(opened)
        return await _call(options.name, engine, request)

    try:
        yield ask
    finally:
        if keeper is not None:
            finished.set()
            if not opened.done():
                keeper.cancel()
            await asyncio.wait([keeper])
    if keeper is not None and not keeper.cancelled() and (error := keeper.exception()):
        raise error  # closing failed


async def _call(name: str, engine: Engine, request: Request) -> Reply:
    try:
        return await engine(request)
    except (GlotmillError, asyncio.CancelledError):
        raise
    except Exception as error:  # a plugin's engine may raise anything
        raise EngineError(f"engine {name}: {typed_line(error)}") from error
