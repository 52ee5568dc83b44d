"""The folder that `glotmill filter` writes: parts of some thousand rows, each whole or not there.

kept/part-00000.parquet      the input's columns, `id` (the row's number from 0, if the input has none), and
                             what was measured: `<column>_<filter>_<field>`
rejects/part-00000.parquet   the same, and `reason` and `reason_at`, the filter that dropped the row
funnel.json                  where the rows of each language went
filter.json                  what was done, with what, to what
state/                       what a stopped work goes on from; gone when all is done
"""

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.errors import UsageError
from glotmill.io import atomic

FORMAT = 1  # of the folder
OWN = ("reason", "reason_at")
ROWS_PER_GROUP = 5_000
_BEGUN = ("lock", ".filter.json.tmp", "filter.json.new")  # left by a process that was killed at once

Counts = Counter[tuple[str, str]]  # (language, reason, empty if kept) -> rows


@dataclass(frozen=True)
class OutputPart:
    """Rows that are written together."""

    number: int
    first: int  # number of its first row
    tables: list[Any] = field(default_factory=list)  # pyarrow.Tables

    @property
    def rows(self) -> int:
        """How many."""
        return sum(table.num_rows for table in self.tables)

    @property
    def ids(self) -> pl.Series:
        """What its rows are called."""
        if self.tables and "id" in self.tables[0].column_names:
            return pl.concat([pl.Series(pl.from_arrow(t.column("id"))) for t in self.tables])
        return pl.Series("id", range(self.first, self.first + self.rows), pl.Int64)


@dataclass(frozen=True)
class Folder:
    """A folder that is being written, or that was."""

    path: Path

    def claim(self, about: Mapping[str, Any]) -> None:
        """Note what is to be done here. Raises UsageError if something else was begun here before."""
        file = self.path / "filter.json"
        if not file.is_file():
            if strange := sorted(p.name for p in self.path.iterdir() if p.name not in _BEGUN):
                raise UsageError(f"{self.path}: not empty, there is {strange[0]}; name a new folder with -o")
            self._write("filter.json", {"format": FORMAT, **about})
            return
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
            differ = [key for key in ("rows", "language", "filters") if before[key] != _plain(about[key])]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{file}: cannot be read ({error}); name a new folder with -o") from None
        if differ:
            what = {"rows": "another input", "filters": "other filters"}.get(differ[0], "another language")
            was, now = _difference(before[differ[0]], _plain(about[differ[0]]))
            raise UsageError(f"{self.path}: begun with {what}: {was}, now {now}; name a new folder with -o")

    def funnel(self) -> list[dict[str, Any]] | None:
        """Return what `end` wrote; None if the work is not done."""
        file = self.path / "funnel.json"
        if not file.is_file():
            return None
        found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def finished(self, part: OutputPart) -> Counts | None:
        """Return where the rows of a part went; None if it is not written."""
        names = [self._name(kind, part.number) for kind in ("kept", "rejects")]
        if not all(name.is_file() for name in names):
            return None
        try:
            about = json.loads(pl.read_parquet_metadata(names[1])["glotmill"])
        except (pl.exceptions.PolarsError, OSError, ValueError, KeyError):
            return None
        if (about["first"], about["rows"]) != (part.first, part.rows):
            return None
        return Counter({(language, reason): n for language, reason, n in about["counts"]})

    def write(self, part: OutputPart, found: pl.DataFrame, languages: pl.Series) -> Counts:
        """Write a part.

        found: reason, reason_at and what was measured. languages: of the rows, for the counts.
        """
        import pyarrow as pa

        table = pa.concat_tables(part.tables)
        if "id" not in table.column_names:
            table = table.add_column(0, "id", pa.array(part.ids.to_list(), pa.int64()))
        own, measured = found.select(OWN), found.drop(OWN)
        kept = own["reason"].is_null()
        counts: Counts = Counter(zip(languages.to_list(), own["reason"].fill_null("").to_list(), strict=True))
        listed = sorted([language, reason, n] for (language, reason), n in counts.items())
        about = {"first": part.first, "rows": part.rows, "counts": listed}
        table = _with(table, measured)
        free = table.rename_columns([f"input_{n}" if n in OWN else n for n in table.column_names])
        rejects = _with(free, own).filter((~kept).to_arrow())
        self._write_part(
            "rejects", part.number, rejects.replace_schema_metadata({"glotmill": json.dumps(about)})
        )
        self._write_part("kept", part.number, table.filter(kept.to_arrow()).replace_schema_metadata(None))
        return counts

    def keep_state(self, part: OutputPart, state: pl.DataFrame) -> None:
        """Keep what later parts are judged by; before the part itself."""
        path = self.path / "state" / f"part-{part.number:05d}.arrow"
        with atomic.draft_file(path) as draft:
            state.write_ipc(draft, compression="zstd")

    def state(self, part: OutputPart) -> pl.DataFrame | None:
        """Return what was kept; None if it is not there."""
        path = self.path / "state" / f"part-{part.number:05d}.arrow"
        return pl.read_ipc(path) if path.is_file() else None

    def end(self, funnel: list[dict[str, Any]]) -> None:
        """Note that all is done."""
        for path in self.path.glob("*/*.tmp"):
            path.unlink()
        self._write("funnel.json", funnel)
        shutil.rmtree(self.path / "state", ignore_errors=True)

    def _name(self, kind: str, number: int) -> Path:
        return self.path / kind / f"part-{number:05d}.parquet"

    def _write_part(self, kind: str, number: int, table: Any) -> None:
        import pyarrow.parquet as pq

        with (
            atomic.draft_file(self._name(kind, number)) as draft,
            pq.ParquetWriter(draft, table.schema, compression="zstd") as writer,
        ):
            if table.num_rows:  # `datasets` cannot read an empty group of rows
                writer.write_table(table, row_group_size=ROWS_PER_GROUP)

    def _write(self, name: str, plain: Any) -> None:
        atomic.write_text(self.path / name, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")


def _with(table: Any, columns: pl.DataFrame) -> Any:
    """The table with columns behind its own, in the place of those with the same name."""
    made = columns.to_arrow(compat_level=pl.CompatLevel.oldest())
    table = table.drop_columns([name for name in made.column_names if name in table.column_names])
    for name in made.column_names:
        table = table.append_column(name, made.column(name))
    return table


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _difference(was: Any, now: Any) -> tuple[str, str]:
    """What differs between two values, as short as can be."""
    if isinstance(was, list) and isinstance(now, list):
        pairs = [pair for pair in zip(was, now, strict=False) if pair[0] != pair[1]]
        return _difference(*pairs[0]) if pairs else _difference(was[len(now) :] or "", now[len(was) :] or "")
    if isinstance(was, dict) and isinstance(now, dict):
        keys = [key for key in {**was, **now} if key == "filter" or was.get(key) != now.get(key)]
        was, now = ({key: value.get(key) for key in keys} for value in (was, now))
    return json.dumps(was, ensure_ascii=False)[:300], json.dumps(now, ensure_ascii=False)[:300]
