"""The `finish:` of a recipe, for one language: filters that see the rows of all its shards.

Two kinds of filter can be used here. A *streaming* filter, such as `duplicates`, compares a row with the rows
before it: it is applied to each shard as soon as all shards before it are settled, so a dropped row is
replaced at once. Any other filter needs all rows of the language, such as "the best half": it is applied when
enough rows are accepted, and if it leaves too few, more rows are made in another round.

    schedule.py ── finished shard ─► settle, in the order of numbers ─► all rows ─► dataset/
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

import polars as pl

from glotmill import plugins
from glotmill.columns import DROPPED, ID, KEPT, REASON, REASON_AT, ROW, VERDICT, VERDICT_SCHEMA
from glotmill.errors import ShortfallError
from glotmill.recipes.steps import Filter
from glotmill.runner import dataset
from glotmill.runner.apply_filters import expression, scatter, streaming_rule
from glotmill.runner.filter_workers import FilterWorkers
from glotmill.runner.forecast import cost_of_the_rest
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.run_folder import Run, ShardInfo

if TYPE_CHECKING:
    from glotmill.filters._similar.history import History

GO_ON = "To go on all the same, add --give-up 0 to the same command; no reply is paid for twice."
MAX_GROWTH = 4  # how many times as many rows the next round accepts, at most
ENOUGH_ROWS = 200  # accepted rows of which a filter that needs all rows leaves ...
MIN_SHARE = 0.02  # ... this share at least, or the floor if that is less


@dataclass
class LanguageFinish:
    """`finish:` of one language. Rows count in (shard, row) order, so that timing decides nothing."""

    quota: LanguageQuota
    run: Run

    def begin(self) -> None:
        """Read the earlier rows that filters compare with, which may take a while. Raises UsageError."""
        _ = self._streaming

    def take(self, number: int, info: ShardInfo, rows: pl.DataFrame | None = None) -> None:
        """Take a shard that went through all steps, and settle every shard whose turn has come.

        A shard before its turn waits on disk. rows: None if they are on disk already.
        """
        quota = self.quota
        if quota.is_finished:
            return
        quota.count_finished(number, info)
        if rows is not None and number != quota.settled:
            self.run.write_rows(quota.shard_name(number), rows, info)
            rows = None
        while (ready := quota.ready) is not None:
            self._settle(ready, rows)
            rows = None

    async def apply_to_all(self, filter_workers: FilterWorkers) -> bool:
        """Apply the filters that need all rows of the language. Return whether another round is needed.

        If not, rows/ holds the final verdicts, and `quota.remaining` is the number of rows that remain.
        """
        quota = self.quota
        if quota.remaining is not None:
            return False
        if not self._needing_all or not quota.accepted:
            quota.remaining = quota.accepted
            return False
        rows = self._all_rows()
        result = await filter_workers.apply(rows, self._needing_all)
        remaining = result[REASON].null_count()
        quota.rounds.append((quota.accepted, remaining))
        if remaining < quota.target and not quota.shortfall:
            quota.shortfall = self._why_no_round()
            if not quota.shortfall:
                growth = min(quota.target / remaining, MAX_GROWTH) if remaining else MAX_GROWTH
                quota.reopen(max(quota.accepted + quota.shard_size, ceil(quota.accepted * growth)))
                return True
        quota.remaining = remaining
        self._write_verdicts(result.drop(set(rows.columns) - {"_shard", "_index"}))
        return False

    @cached_property
    def _streaming(self) -> list[tuple[Filter, "History"]]:
        """The streaming filters, each with the rows it saw so far."""
        from glotmill.filters._similar.history import History

        steps = [step for step in self.quota.plan.recipe.finish if not step.skip]
        streaming = [(step, History(rule)) for step in steps if (rule := streaming_rule(step)) is not None]
        for _, history in streaming:
            history.begin(self.quota.tag)
        return streaming

    @cached_property
    def _needing_all(self) -> list[Filter]:
        """The filters that need all rows of the language."""
        steps = [step for step in self.quota.plan.recipe.finish if not step.skip]
        return [step for step in steps if streaming_rule(step) is None]

    def _settle(self, info: ShardInfo, rows: pl.DataFrame | None) -> None:
        """Decide about the rows of the shard whose turn it is."""
        name = self.quota.shard_name(self.quota.settled)
        before = self._state()
        steps = self.quota.plan.recipe.finish
        rows = self.run.read_rows(name) if rows is None else rows
        columns = [column for column in map(_first_column, steps) if column in rows.columns]
        rows = self._apply_streaming(_undo(rows, steps, columns))
        if info.before != before:  # a new shard, or an earlier one has changed since
            self.run.write_rows(name, rows, replace(info, before=before))
        kept = rows.filter(verdict=KEPT)
        self.quota.count_settled(kept.height, kept[ROW].n_unique(), rows[REASON].drop_nulls())

    def _apply_streaming(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Drop rows that the streaming filters drop.

        rows: the recipe's columns, verdict, reason, reason_at -> + `<column>_<filter>_first`, the id of the
        earlier row that a dropped one is like, where a filter knows it.
        """
        for step, history in self._streaming:
            kept = rows[VERDICT] == KEPT
            if not kept.any():  # such a shard may lack the columns of later steps
                break
            result = scatter(history.apply(rows.filter(kept), id=ID), kept)
            rows = _drop(rows, result[REASON], pl.lit(_reason_at(step)))
            if history.rule.limit == 1:
                name = _first_column(step)
                first = pl.col(name) if name in rows.columns else pl.lit(None, pl.String)
                rows = rows.with_columns(pl.coalesce(result["first"], first).alias(name))
        return rows

    def _state(self) -> str:
        """Summarize everything that the streaming filters' verdicts on the next shard depend on."""
        states = [
            f"{plugins.digest(plugins.find('filters', step.filter))}:{history.state}"
            for step, history in self._streaming
        ]
        return ",".join(states) or "-"

    def _all_rows(self) -> pl.DataFrame:
        """Read the rows for the filters that need all: _shard, _index (in the shard), and what they read."""
        inputs = {name for step in self._needing_all for name in expression(step).meta.root_names()}
        inputs |= {ID, *VERDICT_SCHEMA}
        tables = []
        for number in range(self.quota.settled):
            rows = pl.scan_parquet(self.run.rows_file(self.quota.shard_name(number)))
            columns = [name for name in rows.collect_schema().names() if name in inputs]
            table = _undo(rows.select(columns).collect(), self._needing_all).with_row_index("_index")
            table = table.with_columns(_shard=pl.lit(number)).filter(verdict=KEPT).drop(VERDICT_SCHEMA)
            if not table.is_empty():  # an empty one may lack columns
                tables.append(table)
        return pl.concat(tables, how="diagonal_relaxed")

    def _why_no_round(self) -> str:
        """Say why another round would not help; empty if it may."""
        accepted, remaining = self.quota.rounds[-1]
        names = " and ".join(dict.fromkeys(step.filter for step in self._needing_all))
        result = f"{names} left {remaining} of {accepted} rows"
        share = min(self.quota.plan.recipe.floor, MIN_SHARE)
        if accepted >= ENOUGH_ROWS and remaining < share * accepted:
            return f"{result}, under {100 * share:.3g}%"
        for earlier_accepted, earlier_remaining in self.quota.rounds:
            if remaining <= earlier_remaining and accepted >= 1.5 * earlier_accepted:
                return f"{result}, and {earlier_remaining} of {earlier_accepted}: more rows do not help"
        return ""

    def _write_verdicts(self, result: pl.DataFrame) -> None:
        """Write verdicts, and the columns that filters add, into the files of shards that they change.

        result: _shard, _index, reason, reason_at, columns of the filters.
        """
        for (number,), verdicts in result.partition_by("_shard", as_dict=True, include_key=False).items():
            name = self.quota.shard_name(number)
            written = self.run.read_rows(name)
            rows = _undo(written, self._needing_all).with_row_index("_index")
            columns = rows.select("_index").join(verdicts, "_index", how="left", maintain_order="left")
            reason_at = pl.format("finish.{}", columns[REASON_AT])
            rows = _drop(rows.drop("_index"), columns[REASON], reason_at)
            rows = rows.with_columns(columns.drop("_index", REASON, REASON_AT))
            if not rows.equals(written):
                self.run.write_rows(name, rows, self.run.shard_info(name))


def write_datasets(run: Run, quotas: Sequence[LanguageQuota]) -> None:
    """Write the dataset of every language. Then raises ShortfallError if one has too few rows."""
    for quota in quotas:
        run.drop_rows(quota.tag, quota.settled)  # shards that turned out not to be needed
        dataset.write(run.folder / "dataset", quota.tag, _accepted_rows(run, quota))
    short = [quota for quota in quotas if (quota.remaining or 0) < quota.target]
    if short:
        lines = [
            f"{quota.tag}: {quota.remaining or 0} of {quota.target} rows: {_why_short(quota)}"
            for quota in short
        ]
        if any(quota.given_up for quota in short):
            lines.append(GO_ON)
        raise ShortfallError("\n".join(lines))


def _why_short(quota: LanguageQuota) -> str:
    cost = cost_of_the_rest(quota) if quota.given_up else ""
    return (quota.shortfall or "stopped") + (f"; {cost}" if cost else "")


def _accepted_rows(run: Run, quota: LanguageQuota) -> Iterator[pl.DataFrame]:
    """Yield the rows of a language's dataset: kept ones in order, no more than the user asks for."""
    missing = quota.target
    for number in range(quota.settled):
        if missing <= 0:
            return
        rows = run.read_rows(quota.shard_name(number)).filter(verdict=KEPT).head(missing)
        if not rows.is_empty():  # an empty table may lack columns
            missing -= rows.height
            yield dataset.shape(rows, quota.plan.recipe.output)


def _drop(rows: pl.DataFrame, reason: pl.Series, reason_at: pl.Expr) -> pl.DataFrame:
    """Drop the rows that have a reason."""
    lost = reason.is_not_null()
    return rows.with_columns(
        verdict=pl.when(lost).then(pl.lit(DROPPED)).otherwise(VERDICT),
        reason=pl.coalesce(reason, REASON),
        reason_at=pl.when(lost).then(reason_at).otherwise(REASON_AT),
    )


def _undo(rows: pl.DataFrame, filters: Sequence[Filter], columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return rows as they were before some filters of `finish:` dropped them; columns: texts they added."""
    dropped = pl.col(REASON_AT).is_in([_reason_at(step) for step in filters]).fill_null(False)
    null = pl.lit(None, pl.String)
    return rows.with_columns(
        verdict=pl.when(dropped).then(pl.lit(KEPT)).otherwise(VERDICT),
        **{name: pl.when(dropped).then(null).otherwise(name) for name in (REASON, REASON_AT, *columns)},
    )


def _reason_at(step: Filter) -> str:
    return f"finish.{step.of}.{step.filter}"


def _first_column(step: Filter) -> str:
    return f"{step.of.replace('.', '_')}_{step.filter.rpartition(':')[2]}_first"
