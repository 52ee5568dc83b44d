"""A generate step: rows become requests, replies become columns, and rows whose reply fails are asked again.

rows ── template ─► requests ── journal, or engine ─► replies ── parse, `expect` ─► columns and a verdict
             ▲                                                        │
             └──────────── the next try, with the reason as `feedback` ◄┘
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
    prompt_column,
    raw_column,
    tokens_column,
)
from glotmill.errors import RequestFailed
from glotmill.messages import Reply, Request
from glotmill.recipes.seeds import Row
from glotmill.recipes.steps import Filter, Generate
from glotmill.runner import parse
from glotmill.runner.apply_filters import with_columns
from glotmill.runner.request_queue import Answer

if TYPE_CHECKING:
    from glotmill.runner.shard import LanguagePlan, Shard


@dataclass
class _Attempt:
    """The latest try for one row of a generate step, or for one of the row's trials."""

    examples: Sequence[Row] = ()
    prompt: str | None = None
    reply: Reply | None = None
    value: Any = None
    reason: str | None = None
    reason_at: str | None = None
    failed: bool = False
    measures: dict[str, Any] = field(default_factory=dict)  # columns that the filters of `expect` add


def fan_out(step: Generate, rows: pl.DataFrame) -> pl.DataFrame:
    """Repeat each row for the step's `n` samples; ids then end in the number of the sample."""
    if step.n == 1:
        return rows
    samples = pl.DataFrame({"_sample": range(step.n)}, schema={"_sample": pl.Int64})
    rows = rows.join(samples, how="cross", maintain_order="left_right")
    return rows.with_columns(id=pl.format("{}-{}", "id", "_sample")).drop("_sample")


def step_columns(step: Generate) -> dict[str, pl.DataType]:
    """Return the columns that a generate step adds, and their types."""
    value = parse.dtype(step.as_, step.schema_)
    columns: dict[str, pl.DataType] = {
        step.name: value if step.trials == 1 else pl.List(value),
        prompt_column(step.name): pl.String(),  # the last message of the user
        tokens_column(step.name): pl.Int64(),  # tokens of the reply
    }
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
    inputs = [row for row in rows.iter_rows(named=True) for _ in range(step.trials)]
    attempts = [_Attempt(_draw_examples(shard.plan, step, row["id"])) for row in inputs]
    parse_reply = parse.parser(step.as_, step.name, step.schema_)
    pending = list(range(len(inputs)))
    measures: dict[str, pl.DataType] = {}
    for try_ in range(step.tries):
        requests: dict[int, Request] = {}
        for i in pending:
            sample = try_ + step.tries * (i % step.trials)
            if request := _render(shard.plan, step, inputs[i], attempts[i], sample):
                requests[i] = request
        answers = await _ask(shard, number, step.name, list(requests.values()))
        for i, answer in zip(requests, answers, strict=True):
            _parse(attempts[i], answer.reply, parse_reply, step.name)
            shard.transient_failures += answer.transient
        measures |= await _expect(shard, step, rows, attempts, pending)
        pending = [i for i in pending if attempts[i].reason is not None and not attempts[i].failed]
        if not pending:
            break
    columns = _gather_trials(step, _to_columns(step, attempts, measures))
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


def _render(
    plan: "LanguagePlan", step: Generate, row: Mapping[str, Any], attempt: _Attempt, sample: int
) -> Request | None:
    """Render a row into a request; None if its values do not fit the template, with the attempt failed."""
    values = {
        **row,
        "language": plan.language,
        "examples": attempt.examples,
        "feedback": attempt.reason or "",
    }
    try:
        messages = plan.templates[step.name].render(values)
    except RequestFailed as error:
        attempt.reason, attempt.reason_at, attempt.failed = error.reason, step.name, True
        return None
    attempt.prompt = next(m.content for m in reversed(messages) if m.role == "user")
    digest = blake2b(f"{row['id']}\0{step.name}\0{sample}".encode(), digest_size=8).digest()
    seed = int.from_bytes(digest) >> 1  # 63 bits: engines take a signed integer
    return Request(messages, plan.model, plan.revision, step.sampling, seed, sample, step.schema_text)


async def _ask(shard: "Shard", number: int, step: str, requests: Sequence[Request]) -> list[Answer]:
    """Answer requests from the journal where it holds the reply; ask the engine for the rest.

    Each new reply is in the journal before this returns, even if the shard is cancelled meanwhile. A failure
    that may pass is not written, so that a later run asks again.
    """
    missing = {request.key: request for request in requests if request.key not in shard.replies}

    def note(request: Request, answer: Answer) -> None:
        if not answer.transient:
            shard.journal.append(request, answer.reply, step)

    answers: dict[str, Answer] = {}
    if missing:
        priority = (shard.number, -number)
        new = await shard.request_queue.ask(priority, list(missing.values()), note)
        answers = dict(zip(missing, new, strict=True))
    return [answers.get(r.key) or Answer(shard.replies[r.key], False) for r in requests]


def _parse(attempt: _Attempt, reply: Reply, parse_reply: Callable[[str], Any], name: str) -> None:
    """Take a reply into an attempt: its value, or the reason why it has none."""
    attempt.reply, attempt.value, attempt.measures = reply, None, {}
    attempt.reason, attempt.reason_at = None, name
    if reply.failure:
        attempt.reason, attempt.failed = reply.failure, True
        return
    try:
        attempt.value = parse_reply(reply.text)
    except parse.Unparsed as error:
        attempt.reason = str(error)
    if reply.finish_reason == "length":
        attempt.reason = "truncated"


async def _expect(
    shard: "Shard", step: Generate, rows: pl.DataFrame, attempts: Sequence[_Attempt], pending: Sequence[int]
) -> dict[str, pl.DataType]:
    """Apply the filters of `expect` to the replies of a try. Return the columns they add, and their types."""
    parsed = [i for i in pending if attempts[i].reason is None]
    if not step.expect or not parsed:
        return {}
    columns = _to_columns(step, [attempts[i] for i in parsed], {}).drop(VERDICT, REASON, REASON_AT)
    table = with_columns(rows[[i // step.trials for i in parsed]], columns).with_columns(
        prompt=pl.col(prompt_column(step.name))
    )
    result = await shard.filter_workers.apply(table, expect_filters(step))
    measures = {n: t for n, t in result.schema.items() if n not in table.columns and n not in VERDICT_SCHEMA}
    for i, row in zip(parsed, result.iter_rows(named=True), strict=True):
        attempts[i].reason, attempts[i].reason_at = row[REASON], row[REASON_AT] or step.name
        attempts[i].measures = {name: row[name] for name in measures}
    return measures


def _to_columns(
    step: Generate, attempts: Sequence[_Attempt], measures: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """Return the columns that a step adds to the table, with a row for each attempt."""
    replies = [attempt.reply or Reply("") for attempt in attempts]
    columns: dict[str, list[Any]] = {
        step.name: [attempt.value for attempt in attempts],
        prompt_column(step.name): [attempt.prompt for attempt in attempts],
        tokens_column(step.name): [reply.completion_tokens for reply in replies],
    }
    if step.examples:
        columns[examples_column(step.name)] = [list(_texts(attempt.examples)) for attempt in attempts]
    if step.logprobs is not None:
        columns[logprob_column(step.name)] = [
            sum(reply.logprobs) / len(reply.logprobs) if reply.logprobs else None for reply in replies
        ]
    columns |= {name: [attempt.measures.get(name) for attempt in attempts] for name in measures}
    columns[raw_column(step.name)] = [
        reply.text if attempt.reason else None for attempt, reply in zip(attempts, replies, strict=True)
    ]
    columns[VERDICT] = [FAILED if attempt.failed else None for attempt in attempts]
    columns[REASON] = [attempt.reason for attempt in attempts]
    columns[REASON_AT] = [attempt.reason_at if attempt.reason else None for attempt in attempts]
    dtypes = {
        **step_columns(step),
        **measures,
        step.name: parse.dtype(step.as_, step.schema_),  # one value, also where trials become a list
        raw_column(step.name): pl.String(),
        **VERDICT_SCHEMA,
    }
    return pl.DataFrame([pl.Series(n, v, dtypes[n], strict=False) for n, v in columns.items()])


def _gather_trials(step: Generate, columns: pl.DataFrame) -> pl.DataFrame:
    """Turn the trials of each row into one row: the values that passed are a list; one of them is enough."""
    if step.trials == 1:
        return columns
    passed = pl.col(REASON).is_null()
    gathered = {
        step.name: pl.col(step.name).filter(passed),
        tokens_column(step.name): pl.col(tokens_column(step.name)).sum(),
        logprob_column(step.name): pl.col(f"^{step.name}_logprob$").mean(),
        **{name: pl.when(~passed.any()).then(pl.col(name).first()).alias(name) for name in VERDICT_SCHEMA},
    }
    row = (pl.int_range(pl.len()) // step.trials).alias("_row")
    rest = pl.exclude("_row", *gathered).drop_nulls().first()
    trials = columns.with_columns(row).group_by("_row", maintain_order=True)
    return trials.agg(*gathered.values(), rest).select(columns.columns)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value made of mappings and lists."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)
