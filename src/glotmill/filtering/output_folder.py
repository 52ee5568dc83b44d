"""The folder that `glotmill filter` writes: parts of some thousand rows, each written completely or not at
all.

kept/part-00000.parquet      the input's columns, `id` (the row's number from 0, if the input has none), and
the columns that the filters add: `<column>_<filter>_<field>` rejects/part-00000.parquet   the same, with
`reason` and with `reason_at`, the filter that dropped the row funnel.json                  rows, kept rows
and dropped rows by reason, for each language filter.json                  the input, the filters with their
options, and the versions state/                       keys of earlier rows, to resume a stopped job;
deleted at the end
"""

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.columns import REASON, REASON_AT
from glotmill.errors import UsageError
from glotmill.io import atomic

FORMAT = 1  # of the folder
OWN = (REASON, REASON_AT)
ROWS_PER_GROUP = 5_000
_STALE = ("lock", ".filter.json.tmp", "filter.json.new")  # left by a process that was killed early

Counts = Counter[tuple[str, str]]  # (language, reason, empty if kept) -> rows


@dataclass(frozen=True)
class OutputPart:
    """Rows that are written together, as one file of kept rows and one of rejects."""

    number: int
    first: int  # number of its first row
    tables: list[Any] = field(default_factory=list)  # pyarrow.Tables

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(table.num_rows for table in self.tables)

    @property
    def ids(self) -> pl.Series:
        """The ids of the rows, their numbers if the input has none."""
        if self.tables and "id" in self.tables[0].column_names:
            return pl.concat([pl.Series(pl.from_arrow(t.column("id"))) for t in self.tables])
        return pl.Series("id", range(self.first, self.first + self.rows), pl.Int64)


@dataclass(frozen=True)
class Folder:
    """The output folder of a job."""

    path: Path

    def claim(self, description: Mapping[str, Any]) -> None:
        """Write the description of the job. Raises UsageError if the folder holds another job or other
        files."""
        file = self.path / "filter.json"
        if not file.is_file():
            if names := sorted(path.name for path in self.path.iterdir() if path.name not in _STALE):
                raise UsageError(f"{self.path}: not empty, it holds {names[0]}; choose a new folder with -o")
            self._write("filter.json", {"format": FORMAT, **description})
            return
        new = json.loads(json.dumps(description))
        try:
            old = json.loads(file.read_text(encoding="utf-8"))
            changed = [key for key in ("rows", "language", "filters") if old[key] != new[key]]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{file}: cannot be read ({error}); choose a new folder with -o") from None
        if changed:
            subject = {"rows": "another input", "filters": "other filters"}.get(
                changed[0], "another language"
            )
            before, now = _difference(old[changed[0]], new[changed[0]])
            raise UsageError(
                f"{self.path}: begun with {subject}: {before}, now {now}; choose a new folder with -o"
            )

    def funnel(self) -> list[dict[str, Any]] | None:
        """Return what `end` wrote; None if the job is not finished."""
        file = self.path / "funnel.json"
        if not file.is_file():
            return None
        funnel: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        return funnel

    def finished(self, part: OutputPart) -> Counts | None:
        """Return the counts of a part; None if it is not written."""
        kept, rejects = (self._file(kind, part.number) for kind in ("kept", "rejects"))
        if not kept.is_file() or not rejects.is_file():
            return None
        try:
            metadata = json.loads(pl.read_parquet_metadata(rejects)["glotmill"])
        except (pl.exceptions.PolarsError, OSError, ValueError, KeyError):
            return None
        if (metadata["first"], metadata["rows"]) != (part.first, part.rows):
            return None
        return Counter({(language, reason): n for language, reason, n in metadata["counts"]})

    def write(self, part: OutputPart, verdicts: pl.DataFrame, languages: pl.Series) -> Counts:
        """Write a part, and return its counts.

        verdicts: reason, reason_at and the columns that the filters add. languages: of the rows.
        """
        import pyarrow as pa

        table = pa.concat_tables(part.tables)
        if "id" not in table.column_names:
            table = table.add_column(0, "id", pa.array(part.ids.to_list(), pa.int64()))
        reasons = verdicts.select(OWN)
        is_kept = reasons[REASON].is_null()
        reason_list = reasons[REASON].fill_null("").to_list()
        counts: Counts = Counter(zip(languages.to_list(), reason_list, strict=True))
        count_list = sorted([language, reason, n] for (language, reason), n in counts.items())
        metadata = {"first": part.first, "rows": part.rows, "counts": count_list}
        table = _with_columns(table, verdicts.drop(OWN))
        names = [f"input_{name}" if name in OWN else name for name in table.column_names]
        rejects = _with_columns(table.rename_columns(names), reasons).filter((~is_kept).to_arrow())
        rejects = rejects.replace_schema_metadata({"glotmill": json.dumps(metadata)})
        self._write_part("rejects", part.number, rejects)
        self._write_part("kept", part.number, table.filter(is_kept.to_arrow()).replace_schema_metadata(None))
        return counts

    def keep_state(self, part: OutputPart, state: pl.DataFrame) -> None:
        """Write the keys that later parts are compared with, before the part itself."""
        path = self.path / "state" / f"part-{part.number:05d}.arrow"
        with atomic.draft_file(path) as draft:
            state.write_ipc(draft, compression="zstd")

    def state(self, part: OutputPart) -> pl.DataFrame | None:
        """Return the keys of a part; None if they are not written."""
        path = self.path / "state" / f"part-{part.number:05d}.arrow"
        return pl.read_ipc(path) if path.is_file() else None

    def end(self, funnel: list[dict[str, Any]]) -> None:
        """Finish the job: write the counts, delete the state."""
        for path in self.path.glob("*/*.tmp"):
            path.unlink()
        self._write("funnel.json", funnel)
        shutil.rmtree(self.path / "state", ignore_errors=True)

    def _file(self, kind: str, number: int) -> Path:
        return self.path / kind / f"part-{number:05d}.parquet"

    def _write_part(self, kind: str, number: int, table: Any) -> None:
        import pyarrow.parquet as pq

        with (
            atomic.draft_file(self._file(kind, number)) as draft,
            pq.ParquetWriter(draft, table.schema, compression="zstd") as writer,
        ):
            if table.num_rows:  # `datasets` cannot read an empty row group
                writer.write_table(table, row_group_size=ROWS_PER_GROUP)

    def _write(self, name: str, value: Any) -> None:
        atomic.write_text(self.path / name, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def _with_columns(table: Any, columns: pl.DataFrame) -> Any:
    """Return the table with columns after its own, which replace those of the same name."""
    new = columns.to_arrow(compat_level=pl.CompatLevel.oldest())
    table = table.drop_columns([name for name in new.column_names if name in table.column_names])
    for name in new.column_names:
        table = table.append_column(name, new.column(name))
    return table


def _difference(old: Any, new: Any) -> tuple[str, str]:
    """Return the first difference between two JSON values, as short as possible."""
    if isinstance(old, list) and isinstance(new, list):
        pairs = [pair for pair in zip(old, new, strict=False) if pair[0] != pair[1]]
        return _difference(*pairs[0]) if pairs else _difference(old[len(new) :] or "", new[len(old) :] or "")
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if key == "filter" or old.get(key) != new.get(key)]
        old, new = ({key: value.get(key) for key in keys} for value in (old, new))
    return json.dumps(old, ensure_ascii=False)[:300], json.dumps(new, ensure_ascii=False)[:300]
