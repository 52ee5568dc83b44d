"""A shard: some hundred rows of one language, taken through all steps; each step is table in, table out.

LanguagePlan   what all shards of one language share
Shard          one shard: its journal, its replies, the rows it set aside
run_shard      the loop over the steps
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b, sha256
from typing import NamedTuple

import polars as pl

from glotmill import plugins
from glotmill.columns import (
    DROPPED,
    FAILED,
    ID,
    IDENTITY,
    KEPT,
    LANGUAGE,
    LEFT_OUT,
    REASON,
    ROW,
    SEED_KEY,
    VERDICT,
    VERDICT_SCHEMA,
)
from glotmill.errors import RecipeError, RequestFailed, one_line
from glotmill.languages import Language
from glotmill.messages import Reply, Request
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.seeds import Row, frame
from glotmill.recipes.steps import Embed, Filter, Generate, Likelihood, Render, Score, Transform
from glotmill.recipes.template import Template
from glotmill.runner.filter_workers import FilterWorkers
from glotmill.runner.generate import generate
from glotmill.runner.measure import measure
from glotmill.runner.request_queue import Answer, RequestQueue
from glotmill.runner.run_folder import Journal

ROWS_FORM = "2"  # of rows/; 2 has seed_key. Shards of another form are rebuilt from their replies

# What a transform may raise when the table does not fit it.
_MISMATCHES = (
    pl.exceptions.PolarsError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
)


class ModelName(NamedTuple):
    """What a request says about the model that it is for."""

    alias: str  # its name in the recipe; empty: the model of the run
    model: str
    revision: str


@dataclass(frozen=True)
class LanguagePlan:
    """What all shards of one language share."""

    recipe: Recipe
    language: Language
    templates: Mapping[str, Template]
    examples: Mapping[str, Sequence[Row]]  # step -> few-shot rows
    model: str
    revision: str
    seed_schema: pl.Schema
    models: Mapping[str, ModelName] = field(default_factory=dict)  # those that are not the run's, by alias
    # alias -> tokens that the language needs for what English says in one
    token_factors: Mapping[str, float] = field(default_factory=dict)

    def model_named(self, name: str) -> ModelName:
        """Return the model that a step names; one that the run does not open apart is the run's."""
        return self.models.get(name) or ModelName("", self.model, self.revision)

    def digest(self, seeds: Sequence[tuple[int, str, Row]]) -> str:
        """Hash everything that a shard's rows depend on, except for the replies."""
        parts = [self._common, *(f"{number}:{seed}" for number, seed, _ in seeds)]
        return sha256("\0".join(parts).encode()).hexdigest()

    @cached_property
    def _common(self) -> str:
        parts = [
            ROWS_FORM,
            self.recipe.digest(),
            self.recipe.name,
            self.model,
            self.revision,
            self.language.tag,
        ]
        parts += ["=".join(name) for _, name in sorted(self.models.items())]
        parts += [f"{name}={template.digest}" for name, template in sorted(self.templates.items())]
        parts += [json.dumps(rows, sort_keys=True, default=str) for _, rows in sorted(self.examples.items())]
        parts += [f"{name}={dtype}" for name, dtype in self.seed_schema.items()]
        for step in self.recipe.live_steps:
            for plugin in step.expect if isinstance(step, Generate) else [step]:
                if isinstance(plugin, Filter):
                    parts.append(plugins.digest(plugins.find("filters", plugin.filter)))
                    parts += plugins.stamps(plugin.options)
                elif isinstance(plugin, Transform):
                    parts.append(plugins.digest(plugins.find("transforms", plugin.transform)))
        return "\0".join(parts)


@dataclass
class Shard:
    """One shard on its way through the steps."""

    plan: LanguagePlan
    number: int  # in order of opening: requests of the oldest shard leave first
    journal: Journal
    replies: dict[str, Reply]  # of earlier runs, by key
    request_queue: RequestQueue
    filter_workers: FilterWorkers
    requests: int = 0  # answered so far, by the engine or by the journal
    transient_failures: int = 0  # replies that a later run may get
    set_aside: list[pl.DataFrame] = field(default_factory=list)  # rows that were dropped or failed

    async def ask(self, number: int, step: str, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests of a step from the journal where it holds the reply; ask the engine for the rest.

        number: the step's position in the recipe. Each new reply is in the journal before this returns, even
        if the shard is cancelled meanwhile. A failure that may pass is not written, so that a later run asks
        again. Raises EngineError.
        """
        missing = {request.key: request for request in requests if request.key not in self.replies}
        self.requests += len(requests) - len(missing)

        def note(request: Request, answer: Answer) -> None:
            self.requests += 1
            if not answer.transient:
                self.journal.append(request, answer.reply, step)

        answers: dict[str, Answer] = {}
        if missing:
            new = await self.request_queue.ask((self.number, -number), list(missing.values()), note)
            answers = dict(zip(missing, new, strict=True))
        return [answers.get(r.key) or Answer(self.replies[r.key], False) for r in requests]

    def split(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Set aside the rows that have a reason, and return the rest without columns for verdicts."""
        lost = rows.filter(pl.col(REASON).is_not_null())
        if not lost.is_empty():
            verdict = pl.lit(DROPPED)
            if VERDICT in lost.columns:
                verdict = pl.coalesce(VERDICT, verdict)
            self.set_aside.append(lost.with_columns(verdict.alias(VERDICT)))
        return rows.filter(pl.col(REASON).is_null()).drop(list(VERDICT_SCHEMA), strict=False)


async def run_shard(shard: Shard, seeds: Sequence[tuple[int, str, Row]]) -> pl.DataFrame:
    """Take seed rows through all steps.

    rows: seeds -> + id, row, language, seed_key, the columns of the steps, verdict (kept, dropped, failed),
    reason, reason_at.
    Raises EngineError, and RecipeError where the recipe does not fit the replies.
    """
    rows = seed_table(shard.plan, seeds)
    for number, step in enumerate(shard.plan.recipe.live_steps):
        match step:
            case Generate():
                rows = await generate(shard, number, step, rows)
            case Render():
                rows = _render(shard, step, rows)
            case Transform():
                rows = _transform(shard, step, rows)
            case Embed() | Score() | Likelihood():
                rows = await measure(shard, number, step, rows)
            case Filter():
                rows = shard.split(await shard.filter_workers.apply(rows, [step]))
    kept = rows.with_columns(
        verdict=pl.lit(KEPT), reason=pl.lit(None, pl.String), reason_at=pl.lit(None, pl.String)
    )
    try:
        table = pl.concat([kept, *shard.set_aside], how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise RecipeError(f"a transform changed the type of a column; make a new one: {error}") from None
    keys = pl.Series([seed_key(row) for _, _, row in seeds], dtype=pl.String)
    table = table.with_columns(keys.gather(table[ROW]).alias(SEED_KEY))
    first = (*IDENTITY, SEED_KEY)
    return table.sort(ROW, ID).select(*first, pl.all().exclude(*first, *VERDICT_SCHEMA), *VERDICT_SCHEMA)


def seed_table(plan: LanguagePlan, seeds: Sequence[tuple[int, str, Row]]) -> pl.DataFrame:
    """Return the table that the first step gets: id, row, language and the seeds' columns."""
    table = frame([row for _, _, row in seeds], plan.seed_schema)
    ids = pl.DataFrame(
        {
            ID: pl.Series([_row_id(plan, seed, number) for number, seed, _ in seeds], dtype=pl.String),
            ROW: pl.Series(range(len(seeds)), dtype=pl.Int64),
            LANGUAGE: pl.Series([plan.language.tag] * len(seeds), dtype=pl.String),
        }
    )
    return ids.hstack(table)


def seed_key(row: Row) -> str:
    """Return a hash of a seed row's content, 24 hexadecimal digits.

    Equal rows have one key, in every language, pass, sample or view: an export keeps everything that comes
    from them on one side of a split.
    """
    text = json.dumps(row, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=12).hexdigest()


def transform(step: Transform, rows: pl.DataFrame) -> pl.DataFrame:
    """Apply a transform. Raises RecipeError if the table does not fit it, or its result is invalid.

    rows: the columns that the transform reads -> the columns it returns, which include id, row and language.
    """
    function = plugins.find("transforms", step.transform)
    label = f"transform {step.transform}"
    plugins.check_options(function, step.options, label)
    try:
        result = function(rows, **step.options)
    except _MISMATCHES as error:
        raise RecipeError(f"{label}: {one_line(error)}; the columns are {', '.join(rows.columns)}") from None
    if not isinstance(result, pl.DataFrame) or not set(IDENTITY) <= set(result.columns):
        raise RecipeError(f"{label}: must return a table that keeps {', '.join(IDENTITY)}")
    if result[ID].n_unique() != result.height:
        raise RecipeError(f"{label}: returned two rows with the same id; add a suffix to each row's id")
    return result


def _transform(shard: Shard, step: Transform, rows: pl.DataFrame) -> pl.DataFrame:
    """Apply a transform; a row that it leaves out without a reason is dropped as `left_out`."""
    result = transform(step, rows)
    reason = REASON if REASON in result.columns else pl.lit(None, pl.String)
    remaining = shard.split(result.with_columns(reason=reason, reason_at=pl.lit(step.transform)))
    left_out = rows.filter(~pl.col(ID).is_in(list(_source_ids(result[ID]))))
    shard.split(left_out.with_columns(reason=pl.lit(LEFT_OUT), reason_at=pl.lit(step.transform)))
    return remaining


def _source_ids(ids: Iterable[str]) -> set[str]:
    """Return ids and all ids that they may derive from: a-0-1 derives from a-0, which derives from a."""
    sources: set[str] = set()
    for row_id in ids:
        source = row_id
        while source not in sources:
            sources.add(source)
            source = source.rpartition("-")[0] or source
    return sources


def _render(shard: Shard, step: Render, rows: pl.DataFrame) -> pl.DataFrame:
    """Render a template for each row, without a model; rows that do not fit it fail."""
    template = shard.plan.templates[step.name]
    texts: list[str | None] = []
    reasons: list[str | None] = []
    for row in rows.iter_rows(named=True):
        values = {**row, "language": shard.plan.language, "examples": (), "feedback": ""}
        try:
            messages = template.render(values)
            texts.append("\n\n".join(message.content for message in messages))
            reasons.append(None)
        except RequestFailed as error:
            texts.append(None)
            reasons.append(error.reason)
    rows = rows.with_columns(
        pl.Series(step.name, texts, pl.String),
        pl.Series(REASON, reasons, pl.String),
        reason_at=pl.lit(step.name),
    )
    failed = pl.when(pl.col(REASON).is_not_null()).then(pl.lit(FAILED))
    return shard.split(rows.with_columns(verdict=failed))


def _row_id(plan: LanguagePlan, seed: str, number: int) -> str:
    text = f"{plan.recipe.name}\0{seed}\0{plan.language.tag}\0{number}"
    return blake2b(text.encode(), digest_size=8).hexdigest()
