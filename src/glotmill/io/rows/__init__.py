"""The one reader of rows: for seeds, `glotmill filter`, and the datasets that filters compare with.

A location is a file, a folder of files, a pattern such as `data/*.parquet`, the folder of a run or of
`glotmill filter`, a dataset of the Hub (`hf://owner/name[@revision][/config]`; without `hf://` where no such
path exists), or `-` for stdin. `open_rows(location)` returns a source with two views of the same rows:

- `rows()` yields dictionaries with the values as they are written, and reads little further than it is asked.
- `tables()` yields pyarrow tables of at most ROWS rows and about BYTES bytes, cut at the same places every
  time. All have one schema that fits every row; finding it takes a first pass over the files.

.jsonl and .ndjson hold an object a line, .json that or one array of objects; .csv and .tsv have a header, all
cells are text and empty ones null; .txt and stdin hold a text a line, in the column `text`, or an object a
line if the first is one. All but .parquet may be compressed (.gz, .zst) and begin with a byte order mark.
Blank lines are no rows.

Read `files.py` first (which files a location stands for, and how they become one dataset), then `formats.py`
with `objects.py` (how one file is read), `lines.py` (where it is cut), `arrow.py`, and `hub.py`.
"""

import sys
from dataclasses import replace
from pathlib import Path

from glotmill.errors import UsageError
from glotmill.io.hub_names import parse_hub_path
from glotmill.io.rows.files import LOCATIONS, FileRows, list_files
from glotmill.io.rows.formats import SUFFIXES
from glotmill.io.rows.hub import HubRows
from glotmill.io.rows.lines import STDIN, file_suffix
from glotmill.io.rows.objects import Row

__all__ = ["LOCATIONS", "FileRows", "HubRows", "Row", "RowSource", "is_file_name", "open_rows"]

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
