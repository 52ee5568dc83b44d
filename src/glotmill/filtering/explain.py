"""`glotmill filter --explain`: what each filter finds in one row, even after one has dropped it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.errors import UsageError
from glotmill.filtering import filter_columns
from glotmill.filtering.process_parts import FilterJob, open_histories
from glotmill.filters._similar.history import History
from glotmill.filters._text.words import joined_series
from glotmill.io.rows import FileRows, RowSource
from glotmill.io.run_files import shard_files
from glotmill.recipes.steps import Filter
from glotmill.runner import apply_filters
from glotmill.runner.run_folder import Run

_ID = "\x00id"  # the name of no column


@dataclass(frozen=True)
class Finding:
    """What one filter finds in the row, applied by itself."""

    filter: str
    column: str
    options: Mapping[str, Any]  # with the defaults
    reason: str | None  # why it drops the row; None if it keeps it
    measured: Mapping[str, Any]  # the values that the filter adds, by name
    clean_text: Any = None  # what a filter reads that first removes code, markup and the like
    similar_ids: Sequence[Any] | None = None  # of a filter across rows: the earlier row that this one repeats

    @property
    def verdict(self) -> str:
        """Kept or dropped."""
        return "dropped" if self.reason else "kept"

    def to_json(self) -> dict[str, Any]:
        """The JSON that `--json` prints."""
        value: dict[str, Any] = {
            "filter": self.filter,
            "of": self.column,
            "options": dict(self.options),
            "verdict": self.verdict,
            "reason": self.reason,
            "measured": dict(self.measured),
        }
        if self.clean_text is not None:
            value["saw"] = self.clean_text
        if self.similar_ids is not None:
            value["like"] = [*self.similar_ids]
        return value


@dataclass(frozen=True)
class Explanation:
    """One row, the verdict of `glotmill filter` on it, and what each filter finds."""

    id: str
    language: str | None
    reason: str | None  # why the row is dropped; None if it is kept
    reason_at: str | None  # `<column>.<filter>`, or the language column
    columns: Mapping[str, Any]  # the columns that the filters read
    findings: Sequence[Finding]

    @property
    def verdict(self) -> str:
        """Kept or dropped."""
        return "dropped" if self.reason else "kept"

    def to_json(self) -> dict[str, Any]:
        """The JSON that `--json` prints."""
        return {
            "id": self.id,
            "language": self.language,
            "verdict": self.verdict,
            "reason": self.reason,
            "reason_at": self.reason_at,
            "columns": dict(self.columns),
            "filters": [finding.to_json() for finding in self.findings],
        }


def explain(data: RowSource, job: FilterJob, row_id: str) -> Explanation:
    """Apply each filter of a job to one row by itself.

    row_id: the row's `id` or, if the input has no such column, its number from 0. If several rows have the
    same id, the first one is explained.

    A filter across rows, such as `duplicates`, is first applied to all rows before this one, including
    those that other filters drop; its `rows_before` counts the rows it kept that share a key with this one.
    So its verdict can differ from that of `glotmill filter`, where it only sees the rows that the other
    filters keep.

    Raises UsageError if there is no such row.
    """
    row, number = _find_row(data, row_id)
    rows = filter_columns.frame(row, job.sources, job.language)
    findings = [_apply_alone(rows, step) for step in job.row_filters]
    if job.cross_filters:
        findings += _apply_across(rows, number, data, job)
    language = rows[filter_columns.LANGUAGE][0] if job.language else None
    reason = reason_at = None
    if job.language and language is None:
        reason, reason_at = "unknown_language", job.language.column
    elif first := next((finding for finding in findings if finding.reason), None):
        reason, reason_at = first.reason, f"{first.column}.{first.filter}"
    columns = {name: _first_value(rows[name]) for name in job.sources}
    return Explanation(row_id, language, reason, reason_at, columns, findings)


def read_run(folder: Path) -> tuple[RowSource, list[dict[str, Any]]]:
    """Return all rows of a run, kept and dropped, and the filters of its recipe in the order of the steps.

    Raises UsageError if the run has no finished rows.
    """
    recipe = Run(folder).info()["recipe"]
    filters: list[dict[str, Any]] = []
    for step in recipe["steps"]:
        if "filter" in step:
            filters.append(step)
        else:
            column = {"of": step.get("generate", "")}
            filters += [{**column, **expected} for expected in step.get("expect", ())]
    finish_steps = [Filter.model_validate(step) for step in recipe.get("finish", ())]
    filters += [step.model_dump() for step in finish_steps if apply_filters.streaming_rule(step)]
    files = shard_files(folder)
    if not files:
        raise UsageError(f"{folder}: no finished rows yet; run the same command again to resume the run")
    return FileRows(str(folder / "rows"), tuple(files)), filters


def _find_row(data: RowSource, row_id: str) -> tuple[Any, int]:
    """Return the row, as a table of one row, and its number."""
    first = 0
    for table in data.tables():
        if (index := _ids(table, first).index_of(row_id)) is not None:
            return table.slice(index, 1), first + index
        first += table.num_rows
    if "id" in data.schema.names:
        raise UsageError(f"{data.location}: no row has the id {row_id!r}")
    raise UsageError(f"{data.location}: no row {row_id!r}; its {first:,} rows are numbered from 0")


def _ids(table: Any, first: int) -> pl.Series:
    if "id" in table.column_names:
        return pl.Series(pl.from_arrow(table.column("id"))).cast(pl.String)
    return pl.Series(range(first, first + table.num_rows), dtype=pl.Int64).cast(pl.String)


def _apply_alone(rows: pl.DataFrame, step: Filter) -> Finding:
    result = apply_filters.apply_filters(rows, [step])
    prefix = f"{step.of.replace('.', '_')}_{step.filter.rpartition(':')[2]}_"
    names = [name for name in result.columns if name.startswith(prefix)]
    return Finding(
        step.filter,
        step.of,
        _all_options(step),
        result["reason"][0],
        {name.removeprefix(prefix): _first_value(result[name]) for name in names},
        clean_text=_clean_text(rows, step),
    )


def _clean_text(rows: pl.DataFrame, step: Filter) -> Any:
    """Return the text without code, markup and the like, if the filter reads it so."""
    module = sys.modules[plugins.find("filters", step.filter).__module__]
    clean = getattr(module, "prose_series", None)
    if clean is None:
        return None
    return _first_value(clean(joined_series(rows.select(apply_filters.column(step.of)).to_series())))


def _apply_across(rows: pl.DataFrame, number: int, data: RowSource, job: FilterJob) -> list[Finding]:
    """Apply each filter across rows to all rows before this one, then to this one."""
    histories = open_histories(job)
    row_keys = [_keys(rows, step).explode().drop_nulls() for step in job.cross_filters]
    similar_rows = [0] * len(histories)  # rows that the filter kept and that share a key with this one
    first = 0
    for table in data.tables():
        earlier = table.slice(0, max(0, number - first))
        frame = filter_columns.frame(earlier, job.sources, job.language)
        frame_with_ids = frame.with_columns(_ids(earlier, first).alias(_ID))
        for index, (step, history) in enumerate(zip(job.cross_filters, histories, strict=True)):
            is_kept = history.apply(frame_with_ids, id=_ID)["reason"].is_null()
            is_shared = pl.element().is_in(row_keys[index].implode())
            is_similar = _keys(frame, step).list.eval(is_shared).list.any()
            similar_rows[index] += int((is_similar & is_kept).sum())
        first += table.num_rows
        if first >= number:
            break
    steps = zip(job.cross_filters, histories, similar_rows, strict=True)
    return [_find_across(rows, step, history, count) for step, history, count in steps]


def _find_across(rows: pl.DataFrame, step: Filter, history: History, similar_rows: int) -> Finding:
    reason, similar_id = history.apply(rows).row(0)
    return Finding(
        step.filter,
        step.of,
        _all_options(step),
        reason,
        {"rows_before": similar_rows},
        similar_ids=[similar_id] if similar_id else [],
    )


def _keys(rows: pl.DataFrame, step: Filter) -> pl.Series:
    keys = apply_filters.row_keys(rows, [step])["keys_0"]
    return keys.struct.field("keys") if isinstance(keys.dtype, pl.Struct) else keys


def _all_options(step: Filter) -> dict[str, Any]:
    return {**plugins.defaults(plugins.find("filters", step.filter)), **step.options}


def _first_value(column: pl.Series) -> Any:
    value = column[0]
    return value.to_list() if isinstance(value, pl.Series) else value
