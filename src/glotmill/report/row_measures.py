"""What the rows of one language measure: acceptance, lengths, detected languages, copies. Read in batches."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.columns import KEPT, MESSAGES, REASON, REASON_AT, VERDICT, VERDICT_SCHEMA, tokens_column
from glotmill.errors import UsageError
from glotmill.filters._text.words import joined
from glotmill.io.run_files import shard_files, shard_number
from glotmill.recipes.recipe import Recipe
from glotmill.recipes.steps import Filter, Generate
from glotmill.report.run_facts import ShardCounts
from glotmill.runner.run_folder import Run, readable

BATCH = 16  # shards in memory at a time
DETECTED = "_language_detected"  # how columns end that hold a detected language

_FIRST = "_first"  # how columns end that hold the id of the row that a copy is a copy of
_SPOKEN_FIELDS = ("content", "reasoning_content", "text")  # of a message or a document


def filters(recipe: Recipe) -> list[tuple[str, Filter]]:
    """Return all filters of a recipe in the order in which they apply, each with where it does.

    -> (`expect of STEP`, `steps` or `finish`; filter).
    """
    pairs: list[tuple[str, Filter]] = []
    for step in recipe.live_steps:
        if isinstance(step, Generate):
            expected = [f if f.of else f.model_copy(update={"of": step.name}) for f in step.expect]
            pairs += [(f"expect of {step.name}", f) for f in expected]
        elif isinstance(step, Filter):
            pairs.append(("steps", step))
    pairs += [("finish", f) for f in recipe.finish]
    return [(where, f) for where, f in pairs if not f.skip]


def stage_name(where: str, step: Filter) -> str:
    """Return what the rows that a filter drops have in the column `reason_at`. where: as `filters` has it."""
    name = f"{step.of}.{step.filter}"
    return f"finish.{name}" if where == "finish" else name


def declared(name: str, constant: str, default: Any = None, *, kind: str = "filters") -> Any:
    """Return what a plugin declares; `default` if it declares nothing or is not installed any more."""
    try:
        return plugins.declared(kind, name, constant, default)
    except UsageError:
        return default


@dataclass
class LanguageMeasures:
    """The measures of one language, summed up batch by batch."""

    shards: list[ShardCounts] = field(default_factory=list)  # in order
    characters: list[pl.Series] = field(default_factory=list)  # in each kept row; a series for each batch
    tokens: list[pl.Series] = field(default_factory=list)  # in the replies behind each kept row
    detected: dict[str, Counter[str]] = field(default_factory=dict)  # column -> detected language -> rows
    lost_at: dict[str, Counter[str]] = field(default_factory=dict)  # `reason_at` -> reason -> rows
    copies: Counter[str] = field(default_factory=Counter)  # reason -> rows
    originals: list[pl.Series] = field(
        default_factory=list
    )  # ids of the rows that dropped rows are copies of

    def clusters(self) -> dict[int, int]:
        """Return how many groups of copies there are of each size, the kept row counted in."""
        if not self.originals:
            return {}
        sizes = pl.concat(self.originals).value_counts()["count"] + 1
        return dict(sorted(Counter(sizes.to_list()).items()))

    def add(self, rows: pl.DataFrame, copy_reasons: Container[str]) -> None:
        """Count some more shards. rows: shard, verdict, reason, reason_at, and what `batches` adds."""
        by_shard = rows.group_by("shard").agg(rows=pl.len(), kept=(pl.col(VERDICT) == KEPT).sum())
        self.shards += [ShardCounts(**counts) for counts in by_shard.sort("shard").iter_rows(named=True)]
        for name in rows.columns:
            if name.endswith(DETECTED):
                counts = rows[name].drop_nulls().value_counts()
                column = name.removesuffix(DETECTED)
                self.detected.setdefault(column, Counter()).update(dict(counts.iter_rows()))
            elif name.endswith(_FIRST):
                self.originals.append(rows[name].drop_nulls().cast(pl.String).rename("first"))
        lost = rows.filter(pl.col(REASON).is_not_null()).group_by(REASON_AT, REASON).len()
        for reason_at, reason, count in lost.iter_rows():
            self.lost_at.setdefault(reason_at or "", Counter())[reason] += count
            if reason in copy_reasons:
                self.copies[reason] += count


def measure(run: Run, recipe: Recipe, tag: str) -> LanguageMeasures:
    """Return the measures of one language. In memory are a batch of rows, and the lengths of all rows."""
    texts = text_columns(recipe)
    tokens = [tokens_column(step.name) for step in recipe.live_steps if isinstance(step, Generate)]
    copy_reasons = {
        reason for _, step in filters(recipe) for reason in declared(step.filter, "COPY_REASONS", ())
    }
    measures = LanguageMeasures()
    for rows in batches(run, tag, [*texts, *tokens], (DETECTED, _FIRST)):
        measures.add(rows, copy_reasons)
        kept = rows.filter(verdict=KEPT)
        measures.characters.append(_sum_columns(kept, [_characters(kept.schema, name) for name in texts]))
        measures.tokens.append(_sum_columns(kept, [pl.col(name) for name in tokens if name in kept.columns]))
    return measures


def text_columns(recipe: Recipe) -> list[str]:
    """Return the columns that hold the text of a kept row: those of its messages, else of its output."""
    output = recipe.output
    if output.messages:
        return list(dict.fromkeys(output.messages.values()))
    return [MESSAGES] if MESSAGES in output.columns else list(output.columns)


def batches(run: Run, tag: str, columns: Sequence[str], endings: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """Yield the rows of a language, `BATCH` shards at a time.

    columns, endings: names and name suffixes of the columns to read with the verdict; those that a shard
    does not have are left out.
    -> shard (its number), verdict, reason, reason_at, + those columns.
    Raises UsageError for a file that cannot be read.
    """
    names = {*VERDICT_SCHEMA, *columns}
    files = shard_files(run.folder, [tag])
    for start in range(0, len(files), BATCH):
        tables = [pl.Schema({"shard": pl.Int64(), **VERDICT_SCHEMA}).to_frame()]
        tables += [_read(file, names, endings) for file in files[start : start + BATCH]]
        yield pl.concat(tables, how="diagonal_relaxed")


def _read(file: Path, names: Container[str], endings: tuple[str, ...]) -> pl.DataFrame:
    with readable(file):
        schema = pl.read_parquet_schema(file)
        columns = [name for name in schema if name in names or name.endswith(endings)]
        return pl.read_parquet(file, columns=columns).with_columns(shard=pl.lit(shard_number(file)))


def _sum_columns(rows: pl.DataFrame, columns: Sequence[pl.Expr]) -> pl.Series:
    return rows.select(pl.sum_horizontal(pl.lit(0), *columns).cast(pl.Int64).alias("n"))["n"]


def _characters(schema: pl.Schema, column: str) -> pl.Expr:
    """Return how many characters of text a column holds; 0 for numbers, other structures, and no column."""
    dtype: Any = schema.get(column)
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        fields = {member.name for member in dtype.inner.fields} & {*_SPOKEN_FIELDS}
        lengths = [pl.element().struct.field(name).str.len_chars().fill_null(0) for name in fields]
        return pl.col(column).list.eval(pl.sum_horizontal(pl.lit(0), *lengths)).list.sum()
    if dtype in (pl.String, pl.List(pl.String)):
        return joined(pl.col(column)).str.len_chars()
    return pl.lit(0)
