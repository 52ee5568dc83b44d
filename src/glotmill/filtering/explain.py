"""Tells of one row what each filter sees in it and finds, those behind the one that drops it too."""

import inspect
import sys
from pathlib import Path
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.errors import UsageError
from glotmill.filtering import judged_columns
from glotmill.filtering.pipeline import FilterJob, seen_before
from glotmill.filters._similar.history import Seen
from glotmill.filters._text.words import joined_series
from glotmill.io.rows import FileRows, RowSource
from glotmill.recipes.steps import Filter
from glotmill.runner import apply_filters
from glotmill.runner.folder import Run

_ID = "\x00id"  # no column is called so


def explain(data: RowSource, job: FilterJob, wanted: str) -> dict[str, Any]:
    """Judge one row by each filter by itself.

    wanted: its `id`; where the input has none, its number from 0. Of several rows with one id, the first.
    -> id, language, verdict, reason and reason_at (as `glotmill filter` would decide, but for what the rows
    before it decide), columns (what is judged, whole), filters: of each its column, its options, verdict,
    reason, measured (by name), and saw (the text, where a filter cleans it first) or, where a filter judges
    by the rows before it, like (a list with the id of the one that it is like). Such a filter is asked of
    every row before it, also of those that others drop; rows_before: how many it kept that share what it
    goes by.
    Raises UsageError if there is no such row.
    """
    row, number = _find(data, wanted)
    rows = judged_columns.frame(row, job.made_of, job.asked)
    told = [_alone(rows, each) for each in job.judges]
    told += _across(rows, number, data, job) if job.across else []
    language = rows[judged_columns.LANGUAGE][0] if job.asked else None
    lost = next((each for each in told if each["verdict"] == "dropped"), None)
    reason, at = (lost["reason"], f"{lost['of']}.{lost['filter']}") if lost else (None, None)
    if job.asked and language is None:
        reason, at = "unknown_language", job.asked.column
    return {
        "id": wanted,
        "language": language,
        "verdict": "dropped" if reason else "kept",
        "reason": reason,
        "reason_at": at,
        "columns": {name: _value(rows[name]) for name in job.made_of},
        "filters": told,
    }


def of_run(folder: Path) -> tuple[RowSource, list[dict[str, Any]]]:
    """Return all rows of a run, kept and dropped, and the filters of its recipe in the order of its steps."""
    recipe = Run(folder).info()["recipe"]
    filters: list[dict[str, Any]] = []
    for step in recipe["steps"]:
        own = {"of": step.get("generate", "")}
        filters += [step] if "filter" in step else [{**own, **each} for each in step.get("expect", ())]
    late = (Filter.model_validate(each) for each in recipe.get("finish", ()))
    filters += [each.model_dump() for each in late if apply_filters.streaming_rule(each)]
    files = sorted(folder.glob("rows/*.parquet"))
    if not files:
        raise UsageError(f"{folder}: no finished rows yet; run the same command again to go on")
    return FileRows(str(folder / "rows"), tuple(files)), filters


def _find(data: RowSource, wanted: str) -> tuple[Any, int]:
    """The row, as a table of one, and its number."""
    first = 0
    for table in data.tables():
        if (place := _ids(table, first).index_of(wanted)) is not None:
            return table.slice(place, 1), first + place
        first += table.num_rows
    kind = "with the id" if "id" in data.schema.names else f"among {first:,}, counted from 0, has the number"
    raise UsageError(f"{data.place}: no row {kind} {wanted!r}")


def _ids(table: Any, first: int) -> pl.Series:
    if "id" in table.column_names:
        return pl.Series(pl.from_arrow(table.column("id"))).cast(pl.String)
    return pl.Series(range(first, first + table.num_rows), dtype=pl.Int64).cast(pl.String)


def _alone(rows: pl.DataFrame, each: Filter) -> dict[str, Any]:
    found = apply_filters.apply_filters(rows, [each])
    prefix = f"{each.of.replace('.', '_')}_{each.filter.rpartition(':')[2]}_"
    measured = {n.removeprefix(prefix): _value(found[n]) for n in found.columns if n.startswith(prefix)}
    reason = found["reason"][0]
    told = {
        **_about(each),
        "verdict": "dropped" if reason else "kept",
        "reason": reason,
        "measured": measured,
    }
    clean = getattr(
        _module(each), "prose_series", None
    )  # filters that judge prose take out code and the like
    if clean is not None:
        told["saw"] = _value(clean(joined_series(rows.select(apply_filters.column(each.of)).to_series())))
    return told


def _across(rows: pl.DataFrame, number: int, data: RowSource, job: FilterJob) -> list[dict[str, Any]]:
    """What filters that judge by the rows before it find: all of these are put to them again."""
    all_of = list(zip(job.across, seen_before(job), strict=True))
    mine = [_keys(rows, each).explode().drop_nulls() for each in job.across]
    alike = [0] * len(all_of)
    first = 0
    for table in data.tables():
        some = table.slice(0, max(0, number - first))
        before, ids = judged_columns.frame(some, job.made_of, job.asked), _ids(some, first)
        for place, (each, seen) in enumerate(all_of):
            kept = seen.judge(before.with_columns(ids.alias(_ID)), id=_ID)["reason"].is_null()
            shares = _keys(before, each).list.eval(pl.element().is_in(mine[place].implode())).list.any()
            alike[place] += int((shares & kept).sum())
        first += table.num_rows
        if first >= number:
            break
    return [_told(rows, each, seen, n) for (each, seen), n in zip(all_of, alike, strict=True)]


def _told(rows: pl.DataFrame, each: Filter, seen: Seen, alike: int) -> dict[str, Any]:
    reason, like = seen.judge(rows).row(0)
    return {
        **_about(each),
        "verdict": "dropped" if reason else "kept",
        "reason": reason,
        "measured": {"rows_before": alike},
        "like": [like] if like else [],
    }


def _keys(rows: pl.DataFrame, each: Filter) -> pl.Series:
    made = apply_filters.row_keys(rows, [each])["keys_0"]
    return made.struct.field("keys") if isinstance(made.dtype, pl.Struct) else made


def _about(each: Filter) -> dict[str, Any]:
    known = plugins.options(plugins.find("filters", each.filter))
    usual = {n: p.default for n, p in known.items() if p.default is not inspect.Parameter.empty}
    return {"filter": each.filter, "of": each.of, "options": {**usual, **each.options}}


def _module(each: Filter) -> Any:
    return sys.modules[plugins.find("filters", each.filter).__module__]


def _value(column: pl.Series) -> Any:
    value = column[0]
    return value.to_list() if isinstance(value, pl.Series) else value
