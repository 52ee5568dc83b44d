"""A generate step: rows become requests; replies are parsed and judged, and rows are asked again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import polars as pl

from glotmill.errors import RequestFailed
from glotmill.messages import Reply, Request
from glotmill.recipes.seeds import Row
from glotmill.recipes.steps import Filter, Generate
from glotmill.runner import parse
from glotmill.runner.filter_workers import beside
from glotmill.runner.plan import VERDICTS, LanguagePlan, Shard, split
from glotmill.runner.requests import Answer


def fan_out(step: Generate, rows: pl.DataFrame) -> pl.DataFrame:
    """Make `n` rows of each; their ids end in the number of the sample."""
    if step.n == 1:
        return rows
    samples = pl.DataFrame({"_sample": range(step.n)}, schema={"_sample": pl.Int64})
    rows = rows.join(samples, how="cross", maintain_order="left_right")
    return rows.with_columns(id=pl.format("{}-{}", "id", "_sample")).drop("_sample")


def made_by(step: Generate) -> dict[str, pl.DataType]:
    """Return the columns that a generate step adds, and their types."""
    logprob = {f"{step.name}_logprob": pl.Float64()} if step.logprobs is not None else {}
    value = parse.dtype(step.as_, step.schema_)
    return {
        step.name: value if step.trials == 1 else pl.List(value),
        f"{step.name}_prompt": pl.String(),  # what the user's message was
        f"{step.name}_tokens": pl.Int64(),  # of the reply
        **({f"{step.name}_examples": pl.List(pl.String())} if step.examples else {}),
        **logprob,
    }


@dataclass
class _Cell:
    """What one row of a generate step, or one trial of it, has come to."""

    value: Any = None
    prompt: str | None = None
    reply: Reply | None = None
    reason: str | None = None
    at: str | None = None
    failed: bool = False
    examples: Sequence[Row] = ()
    measured: dict[str, Any] = field(default_factory=dict)


async def generate(shard: Shard, place: int, step: Generate, rows: pl.DataFrame) -> pl.DataFrame:
    """Put rows to the model until their replies pass or the tries are spent; the others are set aside.

    place: the step's number. rows: what the template reads -> + the columns of `made_by`, and what `expect`
    measured. Raises EngineError.
    """
    rows = fan_out(step, rows)
    plain = [row for row in rows.iter_rows(named=True) for _ in range(step.trials)]
    cells = [_Cell(examples=_examples(shard.plan, step, row["id"])) for row in plain]
    parse_reply = parse.parser(step.as_, step.name, step.schema_)
    pending = list(range(len(plain)))
    measured: dict[str, pl.DataType] = {}
    for sample in range(step.tries):
        each = ((i, sample + step.tries * (i % step.trials)) for i in pending)
        asked = [(i, r) for i, n in each if (r := _request(shard.plan, step, plain[i], cells[i], n))]
        answers = await _ask(shard, place, step.name, [request for _, request in asked])
        for (i, _), answer in zip(asked, answers, strict=True):
            _take(cells[i], answer.reply, parse_reply, step.name)
            shard.transient += answer.transient
        measured |= await _expect(shard, step, rows, cells, pending)
        pending = [i for i in pending if cells[i].reason is not None and not cells[i].failed]
        if not pending:
            break
    made = _gathered(step, _columns(step, cells, measured))
    return split(shard, beside(rows, made)).drop(f"{step.name}_raw")


async def _ask(shard: Shard, place: int, step: str, requests: Sequence[Request]) -> list[Answer]:
    """Answer from the journal where it can; put the rest to the engine, and note each reply as it comes."""
    missing = [request for request in requests if request.key not in shard.replies]
    unique = list({request.key: request for request in missing}.values())

    def note(request: Request, answer: Answer) -> None:
        if not answer.transient:
            shard.journal.append(request, answer.reply, step)

    priority = (shard.number, -place)
    asked = await shard.window.ask(priority, unique, note) if unique else []
    found = {request.key: answer for request, answer in zip(unique, asked, strict=True)}
    return [found.get(r.key) or Answer(shard.replies[r.key], False) for r in requests]


def _request(
    plan: LanguagePlan, step: Generate, row: Mapping[str, Any], cell: _Cell, sample: int
) -> Request | None:
    """Render a row into a request; None, and the cell says why, if its values do not fit the template."""
    values = {**row, "language": plan.language, "examples": cell.examples, "feedback": cell.reason or ""}
    try:
        messages = plan.templates[step.name].render(values)
    except RequestFailed as error:
        cell.reason, cell.at, cell.failed = error.reason, step.name, True
        return None
    cell.prompt = next(m.content for m in reversed(messages) if m.role == "user")
    seed = (
        int.from_bytes(blake2b(f"{row['id']}\0{step.name}\0{sample}".encode(), digest_size=8).digest()) >> 1
    )
    return Request(messages, plan.model, plan.revision, step.sampling, seed, sample, step.schema_text)


def _take(cell: _Cell, reply: Reply, parse_reply: Any, name: str) -> None:
    cell.reply, cell.reason, cell.at, cell.value, cell.measured = reply, None, name, None, {}
    if reply.failure:
        cell.reason, cell.failed = reply.failure, True
        return
    try:
        cell.value = parse_reply(reply.text)
    except parse.Unparsed as error:
        cell.reason = str(error)
    if reply.finish_reason == "length":
        cell.reason = "truncated"


async def _expect(
    shard: Shard, step: Generate, rows: pl.DataFrame, cells: Sequence[_Cell], pending: Sequence[int]
) -> dict[str, pl.DataType]:
    """Judge the replies of a try by the step's own filters; return the types of what they measured."""
    judged = [i for i in pending if cells[i].reason is None]
    if not step.expect or not judged:
        return {}
    made = _columns(step, [cells[i] for i in judged], {}).drop("verdict", "reason", "reason_at")
    table = beside(rows[[i // step.trials for i in judged]], made).with_columns(
        prompt=pl.col(f"{step.name}_prompt")
    )
    found = await shard.judges.judge(table, expected(step))
    measured = {n: t for n, t in found.schema.items() if n not in table.columns and n not in VERDICTS}
    for i, row in zip(judged, found.iter_rows(named=True), strict=True):
        cells[i].reason, cells[i].at = row["reason"], row["reason_at"] or step.name
        cells[i].measured = {name: row[name] for name in measured}
    return measured


def _gathered(step: Generate, made: pl.DataFrame) -> pl.DataFrame:
    """Make one row of the trials of each: those that passed are a list. One that passed is enough."""
    if step.trials == 1:
        return made
    passed = pl.col("reason").is_null()
    other = {
        step.name: pl.col(step.name).filter(passed),
        f"{step.name}_tokens": pl.col(f"{step.name}_tokens").sum(),
        f"{step.name}_logprob": pl.col(f"^{step.name}_logprob$").mean(),
        **{name: pl.when(~passed.any()).then(pl.col(name).first()).alias(name) for name in VERDICTS},
    }
    rows = made.with_columns(_row=pl.int_range(pl.len()) // step.trials).group_by("_row", maintain_order=True)
    first = pl.exclude("_row", *other).drop_nulls().first()
    return rows.agg(*other.values(), first).select(made.columns)


def expected(step: Generate) -> list[Filter]:
    """Return the filters of `expect`, each with the column that it judges."""
    return [f if f.of else f.model_copy(update={"of": step.name}) for f in step.expect if not f.skip]


def _columns(step: Generate, cells: Sequence[_Cell], measured: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return what a step adds to the table, one row a cell."""
    replies = [c.reply or Reply("") for c in cells]
    made: dict[str, list[Any]] = {
        step.name: [c.value for c in cells],
        f"{step.name}_prompt": [c.prompt for c in cells],
        f"{step.name}_tokens": [r.completion_tokens for r in replies],
    }
    if step.examples:
        made[f"{step.name}_examples"] = [list(_texts(c.examples)) for c in cells]
    if step.logprobs is not None:
        made[f"{step.name}_logprob"] = [
            sum(r.logprobs) / len(r.logprobs) if r.logprobs else None for r in replies
        ]
    kinds = {
        **made_by(step),
        **measured,
        step.name: parse.dtype(step.as_, step.schema_),
        f"{step.name}_raw": pl.String(),
        **VERDICTS,
    }
    made |= {name: [c.measured.get(name) for c in cells] for name in measured}
    made[f"{step.name}_raw"] = [r.text if c.reason else None for c, r in zip(cells, replies, strict=True)]
    made["verdict"] = ["failed" if c.failed else None for c in cells]
    made["reason"] = [c.reason for c in cells]
    made["reason_at"] = [c.at if c.reason else None for c in cells]
    return pl.DataFrame([pl.Series(n, v, kinds[n], strict=False) for n, v in made.items()])


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value made of mappings and lists."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif value is not None:
        yield str(value)


def _examples(plan: LanguagePlan, step: Generate, row_id: str) -> Sequence[Row]:
    """Draw a row's few-shot examples: the same for the same row, whatever else runs."""
    if not step.examples:
        return ()
    pool = plan.examples[step.name]
    ranked = sorted(
        range(len(pool)), key=lambda i: blake2b(f"{row_id}\0{i}".encode(), digest_size=8).digest()
    )
    return [pool[i] for i in ranked[: step.examples.n]]
