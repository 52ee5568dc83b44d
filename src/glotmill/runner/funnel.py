"""Where the rows of a run went: asked, answered, parsed, dropped by which reason, kept."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from glotmill.columns import FAILED, KEPT, REASON, REASON_AT, VERDICT
from glotmill.runner.folder import Run


@dataclass(frozen=True)
class Funnel:
    """The counts of one language."""

    language: str
    wanted: int
    asked: int  # rows that were begun, with the samples and views made of them
    answered: int  # rows whose every request got a reply
    parsed: int  # rows whose every reply had the form asked for
    dropped: dict[str, int] = field(default_factory=dict)  # reason -> rows, most first; failures too
    kept: int = 0  # rows that passed everything
    accepted: int = 0  # rows in the dataset: never more than wanted

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def funnel(run: Run) -> list[Funnel]:
    """Count a run's rows for each language. Raises UsageError if the folder holds no run."""
    info = run.info()
    columns = dict.fromkeys(("language", VERDICT, REASON, REASON_AT), pl.String)
    files = sorted(run.folder.glob("rows/*.parquet"))
    rows = (
        pl.scan_parquet(files, schema=columns, extra_columns="ignore")
        if files
        else pl.LazyFrame(schema=columns)
    )
    by_filter = pl.col(REASON_AT).str.contains(".", literal=True).fill_null(False)  # as in answer.truncated
    counts = rows.group_by("language", VERDICT, REASON, by_filter=by_filter).agg(pl.len()).collect()
    return [
        _of(run, counts.filter(language=tag), tag, int(info["per_language"])) for tag in info["languages"]
    ]


def _of(run: Run, counts: pl.DataFrame, tag: str, wanted: int) -> Funnel:
    reasons: dict[str, int] = {}
    asked = failed = unparsed = kept = 0
    for row in counts.iter_rows(named=True):
        asked += row["len"]
        if row[VERDICT] == KEPT:
            kept += row["len"]
            continue
        reasons[row[REASON]] = reasons.get(row[REASON], 0) + row["len"]
        failed += row["len"] * (row[VERDICT] == FAILED)
        formless = row[REASON].startswith(("unparsed_", "truncated", "empty_reply"))
        unparsed += row["len"] * (formless and not row["by_filter"])
    reasons = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    files = run.folder.glob(f"dataset/{tag}/train-*.parquet")
    accepted = sum(pl.scan_parquet(file).select(pl.len()).collect().item() for file in files)
    return Funnel(tag, wanted, asked, asked - failed, asked - failed - unparsed, reasons, kept, accepted)
