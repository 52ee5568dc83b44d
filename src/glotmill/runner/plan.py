"""What a shard carries through its steps: the plan of its language, its journal, its rows set aside."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b, sha256

import polars as pl

from glotmill import plugins
from glotmill.languages import Language
from glotmill.messages import Reply
from glotmill.recipes.model import Recipe
from glotmill.recipes.seeds import Row, frame
from glotmill.recipes.steps import Filter, Generate, Transform
from glotmill.recipes.template import Template
from glotmill.runner.filter_workers import FilterWorkers
from glotmill.runner.folder import Journal
from glotmill.runner.requests import RequestQueue

MADE = ("id", "row", "language")  # columns that every table has
SEED_KEY = "seed_key"  # a column of rows/ alone: the same for all that was made of equal seed rows
ROWS_FORM = "2"  # of rows/; 2 has seed_key. Shards of another form are made again from their replies
VERDICTS = {"verdict": pl.String(), "reason": pl.String(), "reason_at": pl.String()}


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

    def digest(self, seeds: Sequence[tuple[int, str, Row]]) -> str:
        """Hash of all that decides about a shard's rows, but for the replies."""
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
        parts += [f"{name}={template.digest}" for name, template in sorted(self.templates.items())]
        parts += [json.dumps(rows, sort_keys=True, default=str) for _, rows in sorted(self.examples.items())]
        parts += [f"{name}={kind}" for name, kind in self.seed_schema.items()]
        for step in self.recipe.live_steps:
            for unit in step.expect if isinstance(step, Generate) else [step]:
                if isinstance(unit, Filter):
                    parts.append(plugins.digest(plugins.find("filters", unit.filter)))
                    parts += plugins.stamps(unit.options)
                elif isinstance(unit, Transform):
                    parts.append(plugins.digest(plugins.find("transforms", unit.transform)))
        return "\0".join(parts)


@dataclass
class Shard:
    """One shard on its way."""

    plan: LanguagePlan
    number: int  # in order of opening: the oldest leaves first
    journal: Journal
    replies: dict[str, Reply]  # of earlier runs, by key
    window: RequestQueue
    judges: FilterWorkers
    transient: int = 0  # failures that may pass
    done: list[pl.DataFrame] = field(default_factory=list)  # rows that were dropped or failed


def seed_table(plan: LanguagePlan, seeds: Sequence[tuple[int, str, Row]]) -> pl.DataFrame:
    """Return the table that the first step sees: id, row, language and the seeds' columns."""
    table = frame([row for _, _, row in seeds], plan.seed_schema)
    made = {
        "id": pl.Series([_row_id(plan, seed, number) for number, seed, _ in seeds], dtype=pl.String),
        "row": pl.Series(range(len(seeds)), dtype=pl.Int64),
        "language": pl.Series([plan.language.tag] * len(seeds), dtype=pl.String),
    }
    return pl.DataFrame(made).hstack(table)


def seed_key(row: Row) -> str:
    """Return a hash of what a seed row says, 24 hexadecimal digits: the same whoever asks, and however often.

    Equal rows have one key, in whatever language, pass, sample or view: what they become is kept on one side
    of a split.
    """
    text = json.dumps(row, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=12).hexdigest()


def split(shard: Shard, rows: pl.DataFrame) -> pl.DataFrame:
    """Set the rows that got a reason aside; the rest go on."""
    lost = rows.filter(pl.col("reason").is_not_null())
    if not lost.is_empty():
        verdict = (
            pl.coalesce("verdict", pl.lit("dropped")) if "verdict" in lost.columns else pl.lit("dropped")
        )
        shard.done.append(lost.with_columns(verdict.alias("verdict")))
    return rows.filter(pl.col("reason").is_null()).drop(list(VERDICTS), strict=False)


def _row_id(plan: LanguagePlan, seed: str, number: int) -> str:
    text = f"{plan.recipe.name}\0{seed}\0{plan.language.tag}\0{number}"
    return blake2b(text.encode(), digest_size=8).hexdigest()
