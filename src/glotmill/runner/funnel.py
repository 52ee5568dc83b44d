"""The funnel of a run: how many rows were asked for, answered, parsed, dropped (and why), kept, accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from glotmill.columns import (
    EMPTY_REPLY,
    FAILED,
    KEPT,
    LANGUAGE,
    REASON,
    REASON_AT,
    TRUNCATED,
    UNPARSED,
    VERDICT,
)
from glotmill.runner.run_folder import Run


@dataclass(frozen=True)
class Funnel:
    """The counts of one language."""

    language: str
    wanted: int  # rows that the user asked for
    asked: int  # rows that steps began, with their samples and views
    answered: int  # rows that got a reply to every request
    parsed: int  # rows whose replies could all be parsed
    dropped: dict[str, int] = field(default_factory=dict)  # reason -> rows, most first; with failed rows
    kept: int = 0  # rows that passed all steps and filters
    accepted: int = 0  # rows in the dataset, at most `wanted`

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def funnel(run: Run) -> list[Funnel]:
    """Count a run's rows for each language. Raises UsageError if the folder holds no run."""
    info = run.info()
    columns = dict.fromkeys((LANGUAGE, VERDICT, REASON, REASON_AT), pl.String)
    files = sorted(run.folder.glob("rows/*.parquet"))
    rows = (
        pl.scan_parquet(files, schema=columns, extra_columns="ignore")
        if files
        else pl.LazyFrame(schema=columns)
    )
    by_filter = pl.col(REASON_AT).str.contains(".", literal=True).fill_null(False)  # as in answer.truncated
    counts = rows.group_by(LANGUAGE, VERDICT, REASON, by_filter=by_filter).agg(pl.len()).collect()
    return [
        _count(run, counts.filter(language=tag), tag, int(info["per_language"])) for tag in info["languages"]
    ]


def most_frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts from the highest to the lowest; equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _count(run: Run, counts: pl.DataFrame, tag: str, target: int) -> Funnel:
    reasons: dict[str, int] = {}
    asked = failed = unparsed = kept = 0
    for row in counts.iter_rows(named=True):
        asked += row["len"]
        if row[VERDICT] == KEPT:
            kept += row["len"]
            continue
        reasons[row[REASON]] = reasons.get(row[REASON], 0) + row["len"]
        if row[VERDICT] == FAILED:
            failed += row["len"]
        elif row[REASON].startswith((UNPARSED, TRUNCATED, EMPTY_REPLY)) and not row["by_filter"]:
            unparsed += row["len"]
    files = run.folder.glob(f"dataset/{tag}/train-*.parquet")
    accepted = sum(pl.scan_parquet(file).select(pl.len()).collect().item() for file in files)
    return Funnel(
        tag,
        target,
        asked,
        asked - failed,
        asked - failed - unparsed,
        most_frequent_first(reasons),
        kept,
        accepted,
    )
