"""What a location stands for: `open_rows`, and files as one dataset with one schema."""

import hashlib
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from glotmill.columns import KEPT, VERDICT
from glotmill.errors import UsageError, one_line
from glotmill.io import run_files
from glotmill.io.hub_names import parse_hub_path
from glotmill.io.rows.formats import SUFFIXES, TEXT, Format, file_format
from glotmill.io.rows.hub import HubRows
from glotmill.io.rows.text_blocks import STDIN, Row, file_suffix, fit, select

LOCATIONS = f"a file ({', '.join(SUFFIXES)}, or a text with .gz or .zst), a folder, a run, or hf://owner/name"


@dataclass(frozen=True)
class FileRows:
    """The rows of files of one format, in order."""

    location: str
    files: tuple[Path, ...]
    kept_only: bool = False  # in rows/ of a run folder, skip the dropped rows

    def rows(self) -> Iterator[Row]:
        """Yield the rows as dictionaries. Raises UsageError, which names file and line."""
        for path in self.files:
            for row in self._format.rows(path):
                if not self._with_dropped(path) or row[VERDICT] == KEPT:
                    yield row

    def tables(self, columns: Collection[str] | None = None) -> Iterator[Any]:
        """Yield the rows as pyarrow.Tables. columns: skip all others. Raises UsageError."""
        import pyarrow.compute as pc

        schema = select(self.schema, columns)
        for path in self.files:
            with_dropped = self._with_dropped(path)
            needed = select(self.schema, {*schema.names, VERDICT}) if with_dropped else schema
            for table in self._format.tables(path, needed):
                chosen = table.filter(pc.equal(table[VERDICT], KEPT)) if with_dropped else table
                if chosen.num_rows:
                    yield fit(chosen, schema, str(path))

    @cached_property
    def schema(self) -> Any:
        """The pyarrow.Schema of all rows. Raises UsageError, which names file and line."""
        import pyarrow as pa

        try:
            return self._format.unify([schema for schema, _ in self._surveys])
        except pa.ArrowException as error:
            raise UsageError(f"{self.location}: its files do not fit each other: {one_line(error)}") from None

    @cached_property
    def total(self) -> int | None:
        """How many rows there are; None where only reading them would tell."""
        counts = [count for _, count in self._surveys]
        return None if None in counts else sum(count or 0 for count in counts)

    @cached_property
    def fingerprint(self) -> str:
        """A hash, equal for the same bytes in the same order."""
        digest = hashlib.sha256()
        for path in self.files:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    @property
    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Times and sizes of the files, to notice that one has changed."""
        return tuple((stat.st_mtime_ns, stat.st_size) for stat in (path.stat() for path in self.files))

    @property
    def plain_text(self) -> bool:
        """Whether rows are lines of text, in the column `text`."""
        return self._format is TEXT

    @cached_property
    def _surveys(self) -> list[tuple[Any, int | None]]:
        return [self._format.survey(path) for path in self.files]

    @cached_property
    def _format(self) -> Format:
        formats = {file_format(path) for path in self.files}
        if len(formats) > 1:
            suffixes = sorted({file_suffix(path) for path in self.files})
            pattern = Path(self.location, "**", f"*{suffixes[-1]}")
            raise UsageError(
                f"{self.location}: holds {' and '.join(suffixes)}; name one kind, as in '{pattern}'"
            )
        return formats.pop()

    def _with_dropped(self, path: Path) -> bool:
        return self.kept_only and path.parent.name == "rows" and (path.parent.parent / "run.json").is_file()


RowSource = FileRows | HubRows


def open_rows(
    location: str,
    *,
    base: Path = Path(),
    config: str | None = None,
    split: str = "train",
    run_rows: bool = False,
    stdin: bool = False,
) -> RowSource:
    """Open the rows at a location; nothing is read yet.

    Options:
        base: folder that paths are relative to.
        config, split: which part of a Hub dataset.
        run_rows: for the folder of a run, read its kept rows with all columns instead of its dataset.
        stdin: whether `-` is allowed.
    Raises UsageError if there is nothing to read.
    """
    if location == "-":
        if not stdin:
            raise UsageError("-: rows from a pipe cannot be read again; write them to a .jsonl file")
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("-: nothing is piped in")
        return FileRows("stdin", (STDIN,))
    on_hub = location.startswith("hf://")
    files = [] if on_hub else list_files(base / location, run_rows)
    dataset = parse_hub_path(location)
    if dataset and (on_hub or not (files or (base / location).exists() or is_file_name(location))):
        if config and dataset.config not in (None, config):
            raise UsageError(
                f"{location}: names the config {dataset.config}, and --config {config}; give one"
            )
        return HubRows(replace(dataset, config=config or dataset.config), split)
    if on_hub:
        raise UsageError(f"{location}: write hf://owner/name, with @revision or /config after it if needed")
    if config:
        raise UsageError(f"{location}: --config is for datasets of the Hub, and this is none")
    if not files:
        problem = "holds no rows" if (base / location).exists() else "no such file or folder"
        raise UsageError(f"{base / location}: {problem}; give {LOCATIONS}")
    return FileRows(str(base / location), tuple(files), kept_only=run_rows)


def is_file_name(location: str) -> bool:
    """Return whether a location ends like a file that can be read, as in `data/rows.jsonl.gz`."""
    return file_suffix(Path(location)) in SUFFIXES


def list_files(path: Path, run_rows: bool = False) -> list[Path]:
    """Return the files that a path stands for, sorted; none if there are none.

    For a run, these are its dataset (run_rows: its rows), for a folder that `glotmill filter` wrote, the
    kept rows. Raises UsageError for a file of an unknown kind.
    """
    if path.is_dir():
        if (path / "filter.json").is_file():
            path /= "kept"
        elif (path / "run.json").is_file():
            return run_files.shard_files(path) if run_rows else run_files.dataset_files(path)
        files = [p for p in path.rglob("*") if file_suffix(p) in SUFFIXES and p.is_file()]
        files = [p for p in files if not any(part[0] in "._" for part in p.relative_to(path).parts)]
        return sorted(files)
    found = [path] if path.exists() else Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    files = sorted(file for file in found if not file.is_dir())
    for file in files:
        if file_suffix(file) not in SUFFIXES:
            raise UsageError(f"{file}: unknown kind of file {file.suffix!r}; give {LOCATIONS}")
    return files
