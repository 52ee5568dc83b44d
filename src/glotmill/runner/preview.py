"""Shows a run before it is one: problems by language, the messages of some rows, or a few real rows.

Previewed rows go through the runner's own steps, in a temporary folder. Without an engine, a stand-in refuses
every request, so that each row ends at its first one.
"""

import asyncio
import dataclasses
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glotmill.columns import (
    EXAMPLES,
    FAILED,
    FEEDBACK,
    IDENTITY,
    LANGUAGE,
    NOT_ASKED,
    REASON,
    REASON_AT,
    ROW,
    SEED_KEY,
    TEMPLATE_ERROR,
    VERDICT,
    VERDICT_SCHEMA,
    prompt_column,
    raw_column,
)
from glotmill.errors import RequestFailed, UsageError
from glotmill.languages import find as find_language
from glotmill.messages import Engine, Message, Reply, Request
from glotmill.recipes.read import read_recipe
from glotmill.recipes.seeds import Row, Seeds, open_seeds
from glotmill.recipes.steps import Generate, Render
from glotmill.runner import check
from glotmill.runner.filter_workers import open_filter_workers
from glotmill.runner.open_engine import (
    NANO,
    ModelSettings,
    all_engine_options,
    open_all_on_first_request,
    token_factors,
)
from glotmill.runner.request_queue import RequestQueue
from glotmill.runner.run_folder import Run
from glotmill.runner.shard import LanguagePlan, ModelName, Shard, run_shard

WINDOW = 64  # requests in flight

NumberedSeeds = Sequence[tuple[int, str, Row]]  # as `Seeds.take` returns them
RunRows = Callable[[LanguagePlan, NumberedSeeds, Engine], Awaitable[list["Previewed"]]]


@dataclass(frozen=True)
class Previewed:
    """One row of a preview."""

    seed: Row
    asked: tuple[Message, ...]  # messages of the first request; empty if an engine replied
    columns: Mapping[str, Any]  # what the steps added
    verdict: str  # kept, dropped, failed, or not_asked
    reason: str | None = None
    reason_at: str | None = None
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the row as `--json` prints it."""
        return {k: v for k, v in dataclasses.asdict(self).items() if v or k in ("seed", VERDICT)}


async def problems(
    source: str, languages: Sequence[str], seeds: str | None, settings: Sequence[str]
) -> dict[str, str]:
    """Return the problem of each language, or an empty text where there is none.

    Beyond what every run checks, the first seed row of each language is rendered. Raises RecipeError if
    the recipe cannot be read at all.
    """
    recipe = read_recipe(source, settings)
    problem_by_tag: dict[str, str] = {}
    opened: Seeds | None = None
    async with _open_runner() as run_rows:
        for name in languages or recipe.languages or ["eng_Latn"]:
            tag = name
            try:
                language = find_language(name)
                tag = language.tag
                opened = opened or open_seeds(recipe, seeds)
                plan = check.plan(recipe, language, opened, NANO)
                first = opened.take(tag, 0, 1, 1)
                if not first:
                    raise UsageError(f"{opened.location}: no seed row for this language")
                (row,) = await run_rows(plan, first, _refuse)
                problem_by_tag[tag] = _render_problem(row)
            except UsageError as error:
                problem_by_tag[tag] = str(error)
    return problem_by_tag


async def preview(
    source: str,
    number: int,
    languages: Sequence[str],
    seeds: str | None,
    settings: Sequence[str],
    **engine: Any,
) -> list[tuple[LanguagePlan, list[Previewed]]]:
    """Return the plan and `number` rows of each language; with replies, if an engine or a model is named.

    languages: without any, the first of the recipe. engine: engine, model, revision, engine_args and models,
    as for a run. Raises UsageError, RecipeError, EngineError.
    """
    recipe = read_recipe(source, settings)
    targets = [find_language(name) for name in languages or recipe.languages[:1] or ["eng_Latn"]]
    opened = open_seeds(recipe, seeds)
    others: dict[str, ModelSettings] = engine.get("models") or {}
    uses_engine = bool(engine["engine"] or engine["model"] or others)
    settings_of_run = ModelSettings(
        engine["engine"], engine["model"], engine["revision"], engine["engine_args"] or {}
    )
    options = all_engine_options(recipe, settings_of_run, others) if uses_engine else {}
    names = {n: ModelName(n, e.model, e.revision or "") for n, e in options.items() if n}
    rows = {target.tag: opened.take(target.tag, 0, number, 1) for target in targets}
    if lacking := [tag for tag, of_language in rows.items() if not of_language]:
        raise UsageError(f"{opened.location}: no seed row for {', '.join(lacking)}")
    plans = [
        check.plan(recipe, target, opened, engine["model"] or NANO, engine["revision"] or "", names)
        for target in dict.fromkeys(targets)
    ]
    plans = [dataclasses.replace(p, token_factors=token_factors(options, p.language.tag)) for p in plans]
    if not uses_engine:
        return [(plan, await _render_messages(plan, rows[plan.language.tag])) for plan in plans]
    async with (
        open_all_on_first_request(options, lambda _: None) as opened_engines,
        _open_runner() as run_rows,
    ):
        previews = [run_rows(plan, rows[plan.language.tag], opened_engines) for plan in plans]
        return list(zip(plans, await asyncio.gather(*previews), strict=True))


def steps_that_need_replies(plan: LanguagePlan) -> list[str]:
    """Return the names of the steps that cannot be rendered without the reply of an earlier one."""
    steps = plan.recipe.live_steps
    first = next((n for n, step in enumerate(steps) if isinstance(step, Generate)), len(steps))
    return [step.name for step in steps[first + 1 :] if isinstance(step, Generate | Render)]


async def _render_messages(plan: LanguagePlan, seeds: NumberedSeeds) -> list[Previewed]:
    """Take rows as far as their first request, one sample each, and return its messages."""
    steps = tuple(s.model_copy(update={"n": 1}) if isinstance(s, Generate) else s for s in plan.recipe.steps)
    plan = dataclasses.replace(plan, recipe=plan.recipe.model_copy(update={"steps": steps}))
    requests: dict[str, list[Request]] = {}  # by the user's message, in the order of rows

    async def record(request: Request) -> Reply:
        requests.setdefault(request.messages[-1].content, []).append(request)
        return await _refuse(request)

    async with _open_runner() as run_rows:
        rows = await run_rows(plan, seeds, record)
    return [_with_messages(row, requests) if row.reason == NOT_ASKED else row for row in rows]


@asynccontextmanager
async def _open_runner() -> AsyncIterator[RunRows]:
    """Yield a function that takes seeds through the steps of a plan with an engine."""
    with tempfile.TemporaryDirectory(prefix="glotmill-") as folder:
        run = Run(Path(folder))
        async with open_filter_workers() as filter_workers:

            async def run_rows(plan: LanguagePlan, seeds: NumberedSeeds, engine: Engine) -> list[Previewed]:
                queue = RequestQueue(engine, WINDOW, max_failures=1)
                journal = run.journal(f"{plan.language.tag}-00000")
                shard = Shard(plan, 0, journal, {}, queue, filter_workers)
                table = await run_shard(shard, seeds)
                return [_previewed(plan, row, seeds[row[ROW]][2]) for row in table.iter_rows(named=True)]

            yield run_rows


async def _refuse(request: Request) -> Reply:
    raise RequestFailed(NOT_ASKED)


def _previewed(plan: LanguagePlan, row: dict[str, Any], seed: Row) -> Previewed:
    hidden = {*IDENTITY, SEED_KEY, *VERDICT_SCHEMA, *plan.seed_schema.names()}
    names = [name for name, value in row.items() if name not in hidden and value is not None]
    columns = {name: row[name] for name in sorted(names, key=_prompts_first(row)) if not _repeats(name, row)}
    return Previewed(seed, (), columns, row[VERDICT], row[REASON], row[REASON_AT], _detail(plan, row))


def _prompts_first(row: Mapping[str, Any]) -> Callable[[str], int]:
    """Return the sort key that puts the prompt of a step before its reply."""
    position = {name: number for number, name in enumerate(row)}
    step_of = {prompt_column(name): name for name in row}

    def key(name: str) -> int:
        if step_of.get(name) in position:
            return 2 * position[step_of[name]] - 1
        return 2 * position[name]

    return key


def _repeats(name: str, row: Mapping[str, Any]) -> bool:
    """Return whether a column holds a raw reply that its step's column shows already."""
    step = next((step for step in row if raw_column(step) == name), None)
    return step is not None and str(row[name]).strip() == row[step]


def _detail(plan: LanguagePlan, row: dict[str, Any]) -> str:
    """Return why a template failed. A table keeps the reason alone, so the row is rendered once more."""
    if row[REASON] != TEMPLATE_ERROR:
        return ""
    step = row[REASON_AT]
    values = {**row, LANGUAGE: plan.language, EXAMPLES: plan.examples.get(step, ()), FEEDBACK: ""}
    try:
        plan.templates[step].render(values)
    except RequestFailed as error:
        return error.detail
    return ""


def _with_messages(row: Previewed, requests: Mapping[str, list[Request]]) -> Previewed:
    same_prompt = requests[row.columns[prompt_column(row.reason_at or "")]]
    request = same_prompt.pop(0) if len(same_prompt) > 1 else same_prompt[0]  # equal requests are sent once
    return Previewed(row.seed, request.messages, {}, NOT_ASKED)


def _render_problem(row: Previewed) -> str:
    if row.verdict != FAILED or row.reason == NOT_ASKED:
        return ""
    return f"the first seed row cannot be rendered: {row.detail or row.reason}"
