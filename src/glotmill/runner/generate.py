"""A generate step: rows become requests, replies become columns, and rows whose reply fails are asked again.

rows ── template ─► requests ── journal, or engine ─► replies ── parse, `expect` ─► columns and a verdict
             ▲                                                        │
             └──────────── the next try, with the reason as `feedback` ◄┘
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import polars as pl

from glotmill.columns import (
    FAILED,
    REASON,
    REASON_AT,
    VERDICT,
    VERDICT_SCHEMA,
    examples_column,
    logprob_column,
    messages_column,
    models_column,
    prompt_column,
    raw_column,
    reasoning_column,
    reasoning_tokens_column,
    system_column,
    tokens_column,
)
from glotmill.messages import Reply, Request
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.seeds import Row
from glotmill.recipes.steps import Filter, Generate
from glotmill.runner import parse
from glotmill.runner.apply_filters import with_columns
from glotmill.runner.attempt import Attempt, render, take_reply
from glotmill.runner.dataset import MESSAGES

if TYPE_CHECKING:
    from glotmill.runner.shard import LanguagePlan, Shard


def fan_out(step: Generate, rows: pl.DataFrame) -> pl.DataFrame:
    """Repeat each row for the step's `n` samples; ids then end in the number of the sample."""
    if step.n == 1:
        return rows
    samples = pl.DataFrame({"_sample": range(step.n)}, schema={"_sample": pl.Int64})
    rows = rows.join(samples, how="cross", maintain_order="left_right")
    return rows.with_columns(id=pl.format("{}-{}", "id", "_sample")).drop("_sample")


def step_columns(step: Generate, recipe: Recipe) -> dict[str, pl.DataType]:
    """Return the columns that a generate step adds in this recipe, and their types."""
    value = parse.dtype(step.as_, step.schema_)
    columns: dict[str, pl.DataType] = {
        step.name: pl.List(value) if step.makes_list else value,
        prompt_column(step.name): pl.String(),  # the last message of the user
        tokens_column(step.name): pl.Int64(),  # tokens of the reply
    }
    if step.thinking:
        thoughts = pl.String()
        columns[reasoning_column(step.name)] = pl.List(thoughts) if step.makes_list else thoughts
        columns[reasoning_tokens_column(step.name)] = pl.Int64()
    if step.models:
        columns[models_column(step.name)] = pl.List(pl.String())
    if step.name in recipe.shown_system:
        columns[system_column(step.name)] = pl.String()
    if step.name in recipe.continued:
        columns[messages_column(step.name)] = MESSAGES
    if step.examples:
        columns[examples_column(step.name)] = pl.List(pl.String())
    if step.logprobs is not None:
        columns[logprob_column(step.name)] = pl.Float64()
    return columns


def expect_filters(step: Generate) -> list[Filter]:
    """Return the filters of `expect`, each with the column that it applies to."""
    return [f if f.of else f.model_copy(update={"of": step.name}) for f in step.expect if not f.skip]


async def generate(shard: "Shard", number: int, step: Generate, rows: pl.DataFrame) -> pl.DataFrame:
    """Ask the engine for each row until the reply passes or the tries are spent; set the other rows aside.

    number: the step's position in the recipe. rows: the columns that the template reads -> + `step_columns`,
    and what the filters of `expect` measure. Raises EngineError.
    """
    rows = fan_out(step, rows)
    inputs = [row for row in rows.iter_rows(named=True) for _ in range(step.replies)]
    models = step.model_names
    attempts = [
        Attempt(_draw_examples(shard.plan, step, row["id"]), models[i % len(models)])
        for i, row in enumerate(inputs)
    ]
    constrained = bool(step.choice or step.regex or step.grammar)
    parse_reply = parse.parser(step.as_, step.name, step.schema_, exact=constrained)
    pending = list(range(len(inputs)))
    measures: dict[str, pl.DataType] = {}
    for try_ in range(step.tries):
        requests: dict[int, Request] = {}
        for i in pending:
            trial = i % step.replies // len(models)
            sample = try_ + step.tries * trial
            if request := render(shard.plan, step, inputs[i], attempts[i], sample):
                requests[i] = request
        answers = await shard.ask(number, step.name, list(requests.values()))
        for i, answer in zip(requests, answers, strict=True):
            take_reply(attempts[i], answer.reply, parse_reply, step.name)
            shard.transient_failures += answer.transient
        measures |= await _expect(shard, step, rows, attempts, pending)
        pending = [i for i in pending if attempts[i].reason is not None and not attempts[i].failed]
        if not pending:
            break
    columns = _gather_replies(step, _to_columns(shard.plan, step, attempts, measures))
    return shard.split(with_columns(rows, columns)).drop(raw_column(step.name))


def _draw_examples(plan: "LanguagePlan", step: Generate, row_id: str) -> Sequence[Row]:
    """Draw a row's few-shot examples: the same ones for the same id, whatever else runs."""
    if not step.examples:
        return ()
    pool = plan.examples[step.name]
    ranked = sorted(
        range(len(pool)), key=lambda i: blake2b(f"{row_id}\0{i}".encode(), digest_size=8).digest()
    )
    return [pool[i] for i in ranked[: step.examples.n]]


async def _expect(
    shard: "Shard", step: Generate, rows: pl.DataFrame, attempts: Sequence[Attempt], pending: Sequence[int]
) -> dict[str, pl.DataType]:
    """Apply the filters of `expect` to the replies of a try. Return the columns they add, and their types."""
    parsed = [i for i in pending if attempts[i].reason is None]
    if not step.expect or not parsed:
        return {}
    columns = _to_columns(shard.plan, step, [attempts[i] for i in parsed], {}).drop(*VERDICT_SCHEMA)
    table = with_columns(rows[[i // step.replies for i in parsed]], columns).with_columns(
        prompt=pl.col(prompt_column(step.name))
    )
    result = await shard.filter_workers.apply(table, expect_filters(step))
    measures = {n: t for n, t in result.schema.items() if n not in table.columns and n not in VERDICT_SCHEMA}
    for i, row in zip(parsed, result.iter_rows(named=True), strict=True):
        attempts[i].reason, attempts[i].reason_at = row[REASON], row[REASON_AT] or step.name
        attempts[i].measures = {name: row[name] for name in measures}
    return measures


def _to_columns(
    plan: "LanguagePlan", step: Generate, attempts: Sequence[Attempt], measures: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """Return the columns that a step adds to the table, with a row for each attempt."""
    replies = [attempt.reply or Reply("") for attempt in attempts]
    columns: dict[str, list[Any]] = {
        step.name: [attempt.value for attempt in attempts],
        prompt_column(step.name): [attempt.prompt for attempt in attempts],
        tokens_column(step.name): [reply.completion_tokens for reply in replies],
    }
    recipe = plan.recipe
    if step.thinking:
        columns[reasoning_column(step.name)] = [reply.reasoning or None for reply in replies]
        columns[reasoning_tokens_column(step.name)] = [reply.reasoning_tokens for reply in replies]
    if step.models:
        columns[models_column(step.name)] = [attempt.model for attempt in attempts]
    if step.name in recipe.shown_system:
        columns[system_column(step.name)] = [attempt.system for attempt in attempts]
    if step.name in recipe.continued:
        columns[messages_column(step.name)] = [a.conversation if a.reply else None for a in attempts]
    if step.examples:
        columns[examples_column(step.name)] = [list(_texts(attempt.examples)) for attempt in attempts]
    if step.logprobs is not None:
        columns[logprob_column(step.name)] = [
            sum(reply.logprobs) / len(reply.logprobs) if reply.logprobs else None for reply in replies
        ]
    columns |= {name: [attempt.measures.get(name) for attempt in attempts] for name in measures}
    columns[raw_column(step.name)] = [
        reply.text or reply.reasoning if attempt.reason else None
        for attempt, reply in zip(attempts, replies, strict=True)
    ]
    columns[VERDICT] = [FAILED if attempt.failed else None for attempt in attempts]
    columns[REASON] = [attempt.reason for attempt in attempts]
    columns[REASON_AT] = [attempt.reason_at if attempt.reason else None for attempt in attempts]
    dtypes = {
        **step_columns(step, recipe),
        **measures,
        # One value, also where several become a list.
        step.name: parse.dtype(step.as_, step.schema_),
        reasoning_column(step.name): pl.String(),
        models_column(step.name): pl.String(),
        raw_column(step.name): pl.String(),
        **VERDICT_SCHEMA,
    }
    return pl.DataFrame([pl.Series(n, v, dtypes[n], strict=False) for n, v in columns.items()])


def _gather_replies(step: Generate, columns: pl.DataFrame) -> pl.DataFrame:
    """Turn the replies to each row into one row: those that passed are a list; one of them is enough."""
    if not step.makes_list:
        return columns
    name, passed = step.name, pl.col(REASON).is_null()
    lists = {c for c in (name, reasoning_column(name), models_column(name)) if c in columns.columns}
    sums = {c for c in (tokens_column(name), reasoning_tokens_column(name)) if c in columns.columns}
    gathered = {
        **{c: pl.col(c).filter(passed) for c in lists},
        **{c: pl.col(c).sum() for c in sums},
        logprob_column(name): pl.col(f"^{name}_logprob$").mean(),
        **{c: pl.when(~passed.any()).then(pl.col(c).first()).alias(c) for c in VERDICT_SCHEMA},
    }
    row = (pl.int_range(pl.len()) // step.replies).alias("_row")
    rest = pl.exclude("_row", *gathered).drop_nulls().first()
    replies = columns.with_columns(row).group_by("_row", maintain_order=True)
    return replies.agg(*gathered.values(), rest).select(columns.columns)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value made of mappings and lists."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)
