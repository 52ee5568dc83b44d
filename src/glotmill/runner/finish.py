"""What only all rows of a language can decide: filters of finish that see every row that was kept."""

from collections.abc import Sequence
from math import ceil

import polars as pl

from glotmill.columns import VERDICT_SCHEMA
from glotmill.recipes.steps import Filter
from glotmill.runner.apply_filters import expression, streaming_rule
from glotmill.runner.filter_workers import FilterWorkers
from glotmill.runner.quota import FLOOR_ROWS, LanguageQuota, dropped, undone

MOST = 4  # times as many rows as in one round are asked for in the next


async def select(quota: LanguageQuota, judges: FilterWorkers) -> bool:
    """Judge all rows of a language that were kept. Return whether it must go on with more rows.

    If not, rows/ holds the verdicts, and `quota.left` tells how many rows there are.
    """
    late = [j for j in quota.plan.recipe.finish if not j.skip and streaming_rule(j) is None]
    if quota.left is not None or not late or not quota.accepted:
        quota.left = quota.accepted if quota.left is None else quota.left
        return False
    rows = _rows(quota, late)
    judged = await judges.apply(rows, late)
    left = judged["reason"].null_count()
    quota.rounds.append((quota.accepted, left))
    if left < quota.wanted and not quota.short:
        if not (why := _why_not(quota, late)):
            quota.go_on(_needed(quota, left))
            return True
        quota.short = why
    quota.left = left
    _write(quota, late, judged.drop(set(rows.columns) - {"_shard", "_place"}))
    return False


def _rows(quota: LanguageQuota, late: Sequence[Filter]) -> pl.DataFrame:
    """Rows that came to these filters: where each stands, and the columns that are read."""
    wanted = {name for judge in late for name in expression(judge).meta.root_names()} | {
        "id",
        *VERDICT_SCHEMA,
    }
    tables = []
    for number in range(quota.settled):
        rows = pl.scan_parquet(quota.store.folder / "rows" / f"{quota.name(number)}.parquet")
        there = [name for name in rows.collect_schema().names() if name in wanted]
        table = undone(rows.select(there).collect(), _places(late)).with_row_index("_place")
        tables.append(table.with_columns(_shard=pl.lit(number)).filter(verdict="kept").drop(VERDICT_SCHEMA))
    some = [table for table in tables if not table.is_empty()]  # an empty one may lack columns
    return pl.concat(some, how="diagonal_relaxed")


def _why_not(quota: LanguageQuota, late: Sequence[Filter]) -> str:
    """Why another round would not help; empty if it may."""
    accepted, left = quota.rounds[-1]
    names = " and ".join(dict.fromkeys(judge.filter for judge in late))
    told = f"{names} left {left} of {accepted} rows"
    floor = quota.plan.recipe.floor
    if accepted >= FLOOR_ROWS and left < floor * accepted:
        return f"{told}, under the floor of {floor:.0%}"
    for fewer, before in quota.rounds:
        if left <= before and accepted >= 1.5 * fewer:
            return f"{told}, and {before} of {fewer}: more rows do not help"
    return ""


def _needed(quota: LanguageQuota, left: int) -> int:
    """How many rows must be accepted so that as many as are wanted will likely be left."""
    times = min(quota.wanted / left, MOST) if left else MOST
    return max(quota.accepted + quota.shard_size, ceil(quota.accepted * times))


def _write(quota: LanguageQuota, late: Sequence[Filter], judged: pl.DataFrame) -> None:
    """Bring verdicts, and what filters measured, into the files of those shards that are not as they say."""
    for (number,), said in judged.partition_by("_shard", as_dict=True, include_key=False).items():
        name = quota.name(number)
        there = quota.store.read_rows(name)
        rows = undone(there, _places(late)).with_row_index("_place")
        found = rows.select("_place").join(said, "_place", how="left", maintain_order="left")
        rows = dropped(rows.drop("_place"), found["reason"], pl.format("finish.{}", found["reason_at"]))
        rows = rows.with_columns(found.drop("_place", "reason", "reason_at"))
        if not rows.equals(there):
            quota.store.write_rows(name, rows, quota.store.about_rows(name))


def _places(late: Sequence[Filter]) -> list[str]:
    return [f"finish.{judge.of}.{judge.filter}" for judge in late]
