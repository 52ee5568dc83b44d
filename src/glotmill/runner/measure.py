"""Steps that ask a model for numbers about a text: a vector, a score, a likelihood."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from glotmill.columns import EMPTY_PROMPT, FAILED, NO_VALUE, REASON, tokens_column
from glotmill.errors import RequestFailed
from glotmill.messages import EMBED, LIKELIHOOD, SCORE, Message, Reply, Request
from glotmill.recipes.steps import Embed, Likelihood, Score
from glotmill.runner.request_queue import Answer

if TYPE_CHECKING:
    from glotmill.runner.shard import LanguagePlan, Shard

Measure = Embed | Score | Likelihood


def measure_columns(step: Measure) -> dict[str, pl.DataType]:
    """Return the columns that a step adds, and their types."""
    match step:
        case Embed():
            return {step.name: pl.List(pl.Float32())}
        case Score():
            return {step.name: pl.Float64()}
        case Likelihood():
            return {step.name: pl.Float64(), tokens_column(step.name): pl.Int64()}


async def measure(shard: "Shard", number: int, step: Measure, rows: pl.DataFrame) -> pl.DataFrame:
    """Ask the engine for the number of each row; set the rows aside that get none.

    number: the step's position in the recipe. rows: the columns that the step or its template reads ->
    + `measure_columns`. Raises EngineError.
    """
    reasons: list[str | None] = [None] * rows.height
    requests: dict[int, Request] = {}
    for i, row in enumerate(rows.iter_rows(named=True)):
        try:
            requests[i] = _request(shard.plan, step, row)
        except RequestFailed as error:
            reasons[i] = error.reason
    replies: list[Reply | None] = [None] * rows.height
    answers = await shard.ask(number, step.name, list(requests.values()))
    for i, answer in zip(requests, answers, strict=True):
        replies[i], reasons[i] = _read(step, answer)
        shard.transient_failures += answer.transient
    values = [_values(step, reply) for reply in replies]
    columns = [pl.Series(n, [v[n] for v in values], t) for n, t in measure_columns(step).items()]
    rows = rows.with_columns(*columns, pl.Series(REASON, reasons, pl.String), reason_at=pl.lit(step.name))
    return shard.split(rows.with_columns(verdict=pl.when(pl.col(REASON).is_not_null()).then(pl.lit(FAILED))))


def _request(plan: "LanguagePlan", step: Measure, row: Mapping[str, Any]) -> Request:
    """Return the request for a row. Raises RequestFailed if its values do not fit the template."""
    messages: tuple[Message, ...] = ()
    if step.name in plan.templates:
        values = {**row, "language": plan.language, "examples": (), "feedback": ""}
        messages = plan.templates[step.name].render(values)
    match step:
        case Embed():
            messages, task = (_user(row, step.of),), EMBED
        case Score():
            task = SCORE
            messages = messages or tuple(_user(row, column) for column in step.of)
        case Likelihood():
            task = LIKELIHOOD
            role = "assistant" if messages else "user"
            messages = (*messages, Message(role, _user(row, step.of).content))
    name = plan.model_named(step.model)
    return Request(messages, name.model, name.revision, alias=name.alias, task=task)


def _user(row: Mapping[str, Any], column: str) -> Message:
    text = row[column]
    if not text or not text.strip():
        raise RequestFailed(EMPTY_PROMPT, f"{column} holds no text")
    return Message("user", text)


def _read(step: Measure, answer: Answer) -> tuple[Reply, str | None]:
    """Return the reply and, if it holds no number, the reason."""
    reply = answer.reply
    if reply.failure:
        return reply, reply.failure
    numbers = reply.logprobs if isinstance(step, Likelihood) else reply.values
    is_one = not isinstance(step, Score) or len(numbers or ()) == 1
    return reply, None if numbers and is_one else NO_VALUE


def _values(step: Measure, reply: Reply | None) -> dict[str, Any]:
    """Return the values of the step's columns; null where there is no number."""
    match step:
        case Embed():
            return {step.name: list(reply.values) if reply and reply.values else None}
        case Score():
            return {step.name: reply.values[0] if reply and reply.values else None}
        case Likelihood():
            logprobs = reply.logprobs if reply else None
            mean = sum(logprobs) / len(logprobs) if logprobs else None
            return {step.name: mean, tokens_column(step.name): len(logprobs) if logprobs else None}
