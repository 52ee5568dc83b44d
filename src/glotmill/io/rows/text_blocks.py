"""Blocks of rows: files opened, decompressed and cut at the same places every time; tables of their rows.

pyarrow holds every type of a file, polars is what filters work with: `to_polars` and `from_polars` convert.
"""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import polars as pl

from glotmill.errors import UsageError, one_line

ROWS = 2_000  # of a block, at most
BYTES = 4_000_000  # of a block, about
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}  # as pyarrow calls them
STDIN = Path("/dev/stdin")

Row = dict[str, Any]
T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"


def file_suffix(path: Path) -> str:
    """Return `.jsonl` of `a.jsonl` and of `A.JSONL.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if len(suffixes) == 2 and suffixes[1] in COMPRESSED and suffixes[0] != ".parquet":
        return suffixes[0]
    return suffixes[-1] if suffixes else ""


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file, decompressed. Raises UsageError, also for a fault in what is read later."""
    try:
        if path == STDIN:
            yield io.BytesIO(_read_stdin(sys.stdin.buffer))
        elif compression := COMPRESSED.get(path.suffix.lower()):
            import pyarrow as pa

            with io.BufferedReader(pa.input_stream(str(path), compression=compression)) as file:
                yield file
        else:
            with path.open("rb") as file:
                yield file
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or one_line(error)}") from None


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, and their numbers from 1, without a byte order mark."""
    with open_file(path) as file:
        first = file.readline().removeprefix(_BOM)
        for number, line in enumerate(chain([first], file), 1):
            if line.strip():
                yield number, line


def line_blocks(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Yield lines in blocks, blank ones too, and the number of the first of each."""
    with open_file(path) as file:
        number = 1
        while lines := file.readlines(BYTES):
            if number == 1:
                lines[0] = lines[0].removeprefix(_BOM)
            for start in range(0, len(lines), ROWS):
                yield number + start, lines[start : start + ROWS]
            number += len(lines)


def batches(items: Iterator[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield items in lists of at most ROWS, which end where their sizes reach BYTES."""
    batch: list[T] = []
    total = 0
    for item in items:
        batch.append(item)
        total += size(item)
        if len(batch) >= ROWS or total >= BYTES:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def decode(line: bytes, location: str) -> str:
    """Return a line as text. Raises UsageError if it is not UTF-8."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{location}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def to_polars(table: Any) -> pl.DataFrame:
    """Return a pyarrow.Table or RecordBatch as a DataFrame; polars has no decimal256: text instead."""
    import pyarrow as pa

    schema = pa.schema([field.with_type(_without_decimal256(field.type)) for field in table.schema])
    return pl.DataFrame(pl.from_arrow(table if schema == table.schema else table.cast(schema)))


def from_polars(frame: pl.DataFrame) -> Any:
    """Return a DataFrame as a pyarrow.Table of types that older readers know too."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def select(schema: Any, names: Any) -> Any:
    """Return the part of a pyarrow.Schema with some names; all of it for None."""
    import pyarrow as pa

    return schema if names is None else pa.schema([field for field in schema if field.name in names])


def fit(table: Any, schema: Any, location: str) -> Any:
    """Return a table with the columns of a schema, in its order; missing ones are null. Raises UsageError."""
    import pyarrow as pa

    try:
        columns = [
            table.column(field.name).cast(field.type)
            if field.name in table.column_names
            else pa.nulls(len(table), field.type)
            for field in schema
        ]
    except (pa.ArrowException, KeyError) as error:
        raise UsageError(f"{location}: rows that differ from those before: {one_line(error)}") from None
    return pa.Table.from_arrays(columns, schema=schema)


@lru_cache(maxsize=1)
def _read_stdin(stream: Any) -> bytes:
    """Everything that is piped in: it comes only once, and is read as often as a file."""
    data: bytes = stream.read()
    return data


def _without_decimal256(kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_decimal256(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(_without_decimal256(kind.value_type), getattr(kind, "list_size", -1))
    if pa.types.is_large_list(kind):
        return pa.large_list(_without_decimal256(kind.value_type))
    if pa.types.is_map(kind):
        return pa.map_(kind.key_type, _without_decimal256(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_without_decimal256(field.type)) for field in kind])
    return kind
