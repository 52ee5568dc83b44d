"""The funnel of a run, from what it took to what it gave, for each language.

requests ─► replies ─┐
seed rows ─► rows, with samples and views ─► answered ─► parsed ─► kept ─► accepted
"""

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
    UNFINISHED_THINKING,
    UNPARSED,
    VERDICT,
)
from glotmill.io.run_files import dataset_files, shard_files
from glotmill.runner.run_folder import Run, readable

# How the reasons begin of replies without a value.
_UNPARSED = (UNPARSED, TRUNCATED, EMPTY_REPLY, UNFINISHED_THINKING)


@dataclass(frozen=True)
class Funnel:
    """The counts of one language."""

    language: str
    wanted: int  # rows that the user asked for
    requests: int  # that the engine answered: all that was paid for, with second tries and rows not needed
    seed_rows: int  # of finished shards
    rows: int  # that came of these seed rows: each sample and each view is one
    answered: int  # rows that got a reply to every request
    parsed: int  # rows whose replies could all be parsed
    dropped: dict[str, int] = field(default_factory=dict)  # reason -> rows, most first; with failed rows
    kept: int = 0  # rows that passed all steps and filters
    accepted: int = 0  # of these, at most `wanted`: the rows of the dataset; so far, if it is not finished
    in_dataset: int = 0  # rows of the dataset as it is
    is_finished: bool = True  # whether these are the accepted ones; false for a run that was stopped

    @property
    def acceptance(self) -> float | None:
        """Kept rows per seed row; None without seed rows."""
        return self.kept / self.seed_rows if self.seed_rows else None

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        share = self.acceptance
        return {**values, "acceptance": None if share is None else round(share, 4)}


def funnel(run: Run) -> list[Funnel]:
    """Count a run's rows for each language. Raises UsageError if the folder holds no run."""
    info = run.info()
    columns = dict.fromkeys((LANGUAGE, VERDICT, REASON, REASON_AT), pl.String)
    files = shard_files(run.folder)
    rows = (
        pl.scan_parquet(files, schema=columns, extra_columns="ignore")
        if files
        else pl.LazyFrame(schema=columns)
    )
    by_filter = pl.col(REASON_AT).str.contains(".", literal=True).fill_null(False)  # as in answer.truncated
    with readable(run.folder / "rows"):
        counts = rows.group_by(LANGUAGE, VERDICT, REASON, by_filter=by_filter).agg(pl.len()).collect()
    return [
        _count(run, counts.filter(language=tag), tag, int(info["per_language"])) for tag in info["languages"]
    ]


def most_frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts from the highest to the lowest; equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _count(run: Run, counts: pl.DataFrame, tag: str, target: int) -> Funnel:
    reasons: dict[str, int] = {}
    total = failed = unparsed = kept = 0
    for row in counts.iter_rows(named=True):
        total += row["len"]
        if row[VERDICT] == KEPT:
            kept += row["len"]
            continue
        reasons[row[REASON]] = reasons.get(row[REASON], 0) + row["len"]
        if row[VERDICT] == FAILED:
            failed += row["len"]
        elif row[REASON].startswith(_UNPARSED) and not row["by_filter"]:
            unparsed += row["len"]
    dataset = run.folder / "dataset"  # a language without rows has no folder there
    files = dataset_files(run.folder, [tag])
    with readable(dataset):
        in_dataset = sum(pl.scan_parquet(file).select(pl.len()).collect().item() for file in files)
    return Funnel(
        tag,
        target,
        run.count_requests(tag),
        sum(run.seed_rows(path.stem) for path in shard_files(run.folder, [tag])),
        total,
        total - failed,
        total - failed - unparsed,
        most_frequent_first(reasons),
        kept,
        min(kept, target),
        in_dataset,
        dataset.is_dir() and in_dataset == min(kept, target),
    )
