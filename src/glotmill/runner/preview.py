"""What can be seen before a run: what is wrong in which language, the messages of rows, a few real rows."""

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glotmill import plugins
from glotmill.columns import FAILED, NOT_ASKED, REASON, REASON_AT, SEED_KEY, VERDICT, prompt_column
from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.languages import find as find_language
from glotmill.messages import Engine, Message, Reply, Request
from glotmill.recipes.read import read_recipe
from glotmill.recipes.seeds import Row, Seeds, open_seeds
from glotmill.recipes.steps import Generate, Render
from glotmill.runner import check
from glotmill.runner.filter_workers import FilterWorkers, open_filter_workers
from glotmill.runner.folder import Run
from glotmill.runner.requests import RequestQueue
from glotmill.runner.run import NANO, default_engine
from glotmill.runner.shard import LanguagePlan, Shard, run_shard


@dataclass(frozen=True)
class Previewed:
    """One row of a preview."""

    seed: Row
    asked: tuple[Message, ...]  # the first step's messages; empty where a model was asked
    columns: Mapping[str, Any]  # what the steps made
    verdict: str  # kept, dropped, failed, or not_asked
    reason: str | None = None
    reason_at: str | None = None
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {k: v for k, v in dataclasses.asdict(self).items() if v or k in ("seed", VERDICT)}


async def problems(
    source: str, languages: Sequence[str], seeds: str | None, settings: Sequence[str]
) -> dict[str, str]:
    """Return what is wrong for each language, an empty text where nothing is.

    Beyond what every run checks, the first seed row of each language is rendered. Raises RecipeError where
    the recipe cannot be read at all.
    """
    recipe = read_recipe(source, settings)
    found: dict[str, str] = {}
    opened: Seeds | None = None
    with _folder() as folder:
        async with open_filter_workers() as filter_workers:
            for text in languages or recipe.languages or ["eng_Latn"]:
                tag = text
                try:
                    tag = find_language(text).tag
                    opened = opened or open_seeds(recipe, seeds)
                    plan = check.plan(recipe, find_language(tag), opened, NANO)
                    if not (first := opened.take(tag, 0, 1, 1)):
                        raise UsageError(f"{opened.location}: no seed row for this language")
                    (row,) = await _walk(plan, first, _refuse, (filter_workers, folder))
                    found[tag] = _wrong(row)
                except UsageError as error:
                    found[tag] = str(error)
    return found


async def preview(
    source: str, number: int, language: str | None, seeds: str | None, settings: Sequence[str], **engine: Any
) -> tuple[LanguagePlan, list[Previewed]]:
    """Return the plan and `number` rows of one language, asked for real if an engine or a model is named.

    engine: engine, model, revision, engine_args; as for a run. Raises UsageError, RecipeError, EngineError.
    """
    recipe = read_recipe(source, settings)
    found = find_language(language or next(iter(recipe.languages), "eng_Latn"))
    opened = open_seeds(recipe, seeds)
    model = engine["model"] or NANO
    plan = check.plan(recipe, found, opened, model, engine["revision"] or "")
    rows = opened.take(found.tag, 0, number, 1)
    if not rows:
        raise UsageError(f"{opened.location}: no seed row for {found.tag}")
    if not (engine["engine"] or engine["model"]):
        return plan, await messages(plan, rows)
    name = engine["engine"] or default_engine()
    factory = plugins.find("engines", name)
    plugins.check_options(factory, engine["engine_args"], f"engine {name}")
    async with AsyncExitStack() as stack:
        try:
            opening = factory(model, revision=engine["revision"], **engine["engine_args"])
            generate = await stack.enter_async_context(opening)
        except (TypeError, ValueError) as error:  # an option of a wrong type, most often
            raise EngineError(f"engine {name}: cannot be started: {error}") from error
        return plan, await replies(plan, rows, generate)


async def messages(plan: LanguagePlan, seeds: Sequence[tuple[int, str, Row]]) -> list[Previewed]:
    """Take rows as far as the first request, and return what would be asked, one sample of each."""
    steps = tuple(s.model_copy(update={"n": 1}) if isinstance(s, Generate) else s for s in plan.recipe.steps)
    plan = dataclasses.replace(plan, recipe=plan.recipe.model_copy(update={"steps": steps}))
    asked: dict[str, list[Request]] = {}  # by the user's message, in the order of rows

    async def note(request: Request) -> Reply:
        asked.setdefault(request.messages[-1].content, []).append(request)
        return await _refuse(request)

    with _folder() as folder:
        async with open_filter_workers() as filter_workers:
            rows = await _walk(plan, seeds, note, (filter_workers, folder))
    return [_with_messages(row, asked) if row.reason == NOT_ASKED else row for row in rows]


async def replies(
    plan: LanguagePlan, seeds: Sequence[tuple[int, str, Row]], engine: Engine
) -> list[Previewed]:
    """Take rows through all steps with an open engine. Raises EngineError."""
    with _folder() as folder:
        async with open_filter_workers() as filter_workers:
            return await _walk(plan, seeds, engine, (filter_workers, folder))


def waiting(plan: LanguagePlan) -> list[str]:
    """Return the names of steps that cannot be shown without the reply of an earlier one."""
    steps = plan.recipe.live_steps
    first = next((n for n, step in enumerate(steps) if isinstance(step, Generate)), len(steps))
    return [step.name for step in steps[first + 1 :] if isinstance(step, Generate | Render)]


async def _walk(
    plan: LanguagePlan,
    seeds: Sequence[tuple[int, str, Row]],
    engine: Engine,
    means: tuple[FilterWorkers, Path],
) -> list[Previewed]:
    filter_workers, folder = means
    store = Run(folder)
    request_queue = RequestQueue(engine, 64, max_failures=1)
    shard = Shard(plan, 0, store.journal(f"{plan.language.tag}-00000"), {}, request_queue, filter_workers)
    rows = await run_shard(shard, seeds)
    return [_previewed(plan, row, seeds[row["row"]][2]) for row in rows.iter_rows(named=True)]


async def _refuse(request: Request) -> Reply:
    raise RequestFailed(NOT_ASKED)


def _previewed(plan: LanguagePlan, row: dict[str, Any], seed: Row) -> Previewed:
    verdict, reason, at = row[VERDICT], row[REASON], row[REASON_AT]
    hidden = {
        "id",
        "row",
        SEED_KEY,
        "language",
        VERDICT,
        REASON,
        REASON_AT,
        *plan.seed_schema.names(),
    }
    there = [name for name, value in row.items() if name not in hidden and value is not None]
    made = {name: row[name] for name in sorted(there, key=_prompts_first(row)) if not _is_told(name, row)}
    return Previewed(seed, (), made, verdict, reason, at, _detail(plan, row))


def _prompts_first(row: Mapping[str, Any]) -> Callable[[str], int]:
    """What was asked stands before what was replied."""
    order = {name: place for place, name in enumerate(row)}
    return lambda name: 2 * order.get(name.removesuffix("_prompt"), order[name]) - name.endswith("_prompt")


def _is_told(name: str, row: Mapping[str, Any]) -> bool:
    """Whether the text as it came is the value that was made of it."""
    return name.endswith("_raw") and str(row[name]).strip() == row.get(name.removesuffix("_raw"))


def _detail(plan: LanguagePlan, row: dict[str, Any]) -> str:
    """A table keeps only the short name of a template's failure: render once more to hear the rest."""
    if row[REASON] != "template_error":
        return ""
    name = row[REASON_AT]
    values = {**row, "language": plan.language, "examples": plan.examples.get(name, ()), "feedback": ""}
    try:
        plan.templates[name].render(values)
    except RequestFailed as error:
        return error.detail
    return ""


def _with_messages(row: Previewed, asked: Mapping[str, list[Request]]) -> Previewed:
    same = asked[row.columns[prompt_column(row.reason_at or "")]]
    request = same.pop(0) if len(same) > 1 else same[0]  # equal messages are asked once
    return Previewed(row.seed, request.messages, {}, NOT_ASKED)


def _wrong(row: Previewed) -> str:
    if row.verdict != FAILED or row.reason == NOT_ASKED:
        return ""
    return f"the first seed row cannot be rendered: {row.detail or row.reason}"


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="glotmill-") as folder:
        yield Path(folder)
