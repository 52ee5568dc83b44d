"""What the rows of one language measure: acceptance, lengths, detected languages, copies. Read in batches."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.columns import KEPT, REASON, REASON_AT, VERDICT, tokens_column
from glotmill.errors import UsageError
from glotmill.filters._text.words import joined
from glotmill.recipes.model import Recipe
from glotmill.recipes.steps import Filter, Generate
from glotmill.runner.folder import Run

BATCH = 16  # shards in memory at a time

_DETECTED, _FIRST = "_language_detected", "_first"
_ALWAYS = {VERDICT: pl.String, REASON: pl.String, REASON_AT: pl.String}


def filters(recipe: Recipe) -> list[tuple[str, Filter]]:
    """Return place and filter of every filter of a recipe, in the order in which they judge."""
    placed: list[tuple[str, Filter]] = []
    for step in recipe.live_steps:
        if isinstance(step, Generate):
            checks = [f if f.of else f.model_copy(update={"of": step.name}) for f in step.expect]
            placed += [(f"expect of {step.name}", f) for f in checks]
        elif isinstance(step, Filter):
            placed.append(("steps", step))
    placed += [("finish", f) for f in recipe.finish]
    return [(place, f) for place, f in placed if not f.skip]


def declared(name: str, constant: str, default: Any = None, *, kind: str = "filters") -> Any:
    """Return what a plugin declares; `default` if it does not, or is not installed any more."""
    try:
        return plugins.declared(kind, name, constant, default)
    except UsageError:
        return default


@dataclass
class Measured:
    """What was found in one language."""

    shards: list[dict[str, int]] = field(default_factory=list)  # in order: number, rows, kept
    characters: list[pl.Series] = field(default_factory=list)  # of kept rows
    tokens: list[pl.Series] = field(default_factory=list)  # of the replies that kept rows are made of
    detected: dict[str, Counter[str]] = field(default_factory=dict)  # judged column -> language -> rows
    lost: dict[str, Counter[str]] = field(default_factory=dict)  # place -> reason -> rows
    copies: Counter[str] = field(default_factory=Counter)  # reason -> rows
    firsts: list[pl.Series] = field(default_factory=list)  # what dropped copies are copies of

    def clusters(self) -> dict[int, int]:
        """Count the sets of alike rows of each size, the kept row among them."""
        if not self.firsts:
            return {}
        sizes = pl.concat(self.firsts).value_counts()["count"] + 1
        return dict(sorted(Counter(sizes.to_list()).items()))


def measure(run: Run, recipe: Recipe, tag: str) -> Measured:
    """Go through the rows of one language. Of a row no more than its columns' numbers is held."""
    texts = said(recipe)
    made = [step.name for step in recipe.live_steps if isinstance(step, Generate)]
    tokens = [tokens_column(name) for name in made]
    copy_reasons = {r for _, f in filters(recipe) for r in declared(f.filter, "COPY_REASONS", ())}
    found = Measured()
    for rows in batches(run, tag, [*texts, *tokens], (_DETECTED, _FIRST)):
        _count(found, rows, copy_reasons)
        kept = rows.filter(verdict=KEPT)
        found.characters.append(_characters(kept, texts))
        there = [name for name in tokens if name in kept.columns]
        found.tokens.append(kept.select(pl.sum_horizontal(pl.lit(0), *there).alias("n"))["n"])
    return found


def said(recipe: Recipe) -> list[str]:
    """Return the columns that hold what a kept row says: those of its messages, or else of its output."""
    output = recipe.output
    if output.messages:
        return list(dict.fromkeys(output.messages.values()))
    return ["messages"] if "messages" in output.columns else list(output.columns)


def batches(run: Run, tag: str, columns: Sequence[str], endings: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """Yield the rows of a language, some shards at a time.

    columns, endings: which columns are read beside the verdict, where they are there.
    -> + shard: its number. Raises UsageError for a file that cannot be read.
    """
    named = {*_ALWAYS, *columns}
    files = sorted(run.folder.glob(f"rows/{tag}-*.parquet"), key=_number)
    for start in range(0, len(files), BATCH):
        tables = [pl.Schema({"shard": pl.Int64, **_ALWAYS}).to_frame()]
        tables += [_read(file, named, endings) for file in files[start : start + BATCH]]
        yield pl.concat(tables, how="diagonal_relaxed")


def _read(file: Path, named: Container[str], endings: tuple[str, ...]) -> pl.DataFrame:
    try:
        there = pl.read_parquet_schema(file)
        wanted = [name for name in there if name in named or name.endswith(endings)]
        return pl.read_parquet(file, columns=wanted).with_columns(shard=pl.lit(_number(file)))
    except pl.exceptions.PolarsError as error:
        raise UsageError(
            f"{file}: cannot be read: {str(error).splitlines()[0]}; remove it and run the same "
            "`glotmill run` command again: its rows are made of the replies that are kept"
        ) from None


def _number(file: Path) -> int:
    return int(file.stem.rpartition("-")[2])


def _count(found: Measured, rows: pl.DataFrame, copy_reasons: Container[str]) -> None:
    by_shard = rows.group_by("shard").agg(rows=pl.len(), kept=(pl.col(VERDICT) == KEPT).sum())
    found.shards += by_shard.sort("shard").to_dicts()
    for name in rows.columns:
        if name.endswith(_DETECTED):
            column = name.removesuffix(_DETECTED)
            counts = rows[name].drop_nulls().value_counts()
            found.detected.setdefault(column, Counter()).update(dict(counts.iter_rows()))
        elif name.endswith(_FIRST):
            found.firsts.append(rows[name].drop_nulls().cast(pl.String).rename("first"))
    lost = rows.filter(pl.col(REASON).is_not_null()).group_by(REASON_AT, REASON).len()
    for place, reason, count in lost.iter_rows():
        found.lost.setdefault(place or "", Counter())[reason] += count
        if reason in copy_reasons:
            found.copies[reason] += count


def _characters(rows: pl.DataFrame, texts: Sequence[str]) -> pl.Series:
    there = [_length(rows, name) for name in texts if name in rows.columns]
    return rows.select(pl.sum_horizontal(pl.lit(0), *there).cast(pl.Int64).alias("n"))["n"]


def _length(rows: pl.DataFrame, name: str) -> pl.Expr:
    kind: Any = rows.schema[name]
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
        fields = {f.name for f in kind.inner.fields}
        told = [f for f in ("content", "reasoning_content", "text") if f in fields]
        parts = [pl.element().struct.field(f).str.len_chars().fill_null(0) for f in told]
        return pl.col(name).list.eval(pl.sum_horizontal(pl.lit(0), *parts)).list.sum()
    if kind == pl.String or kind == pl.List(pl.String):
        return joined(pl.col(name)).str.len_chars()
    return pl.lit(0)  # numbers and other structures say nothing
