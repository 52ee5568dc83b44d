"""Reads one file, in the format that its suffix names.

A format surveys a file for its schema and reads it as tables of at most ROWS rows and about BYTES bytes, so
that memory does not grow with the file. Errors name file and line, counted from 1.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.errors import UsageError, one_line
from glotmill.io.rows import lines, objects
from glotmill.io.rows.arrow import from_polars, to_polars
from glotmill.io.rows.lines import file_suffix
from glotmill.io.rows.objects import Row

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".txt")


@dataclass(frozen=True)
class Format:
    """How files of one kind are read.

    survey: file -> its schema (polars.Schema for JSON, else pyarrow.Schema), and how many rows it has, where
    that costs nothing. unify: schemas of files -> the pyarrow.Schema of all their rows. tables: file, schema
    (None: that of the file) -> pyarrow.Tables, perhaps with more columns.
    """

    survey: Callable[[Path], tuple[Any, int | None]]
    unify: Callable[[Sequence[Any]], Any]
    tables: Callable[[Path, Any], Iterator[Any]]

    def rows(self, path: Path) -> Iterator[Row]:
        """Yield the rows of a file as dictionaries."""
        for table in self.tables(path, None):
            yield from to_polars(table).iter_rows(named=True)


@dataclass(frozen=True)
class JsonFormat(Format):
    """Rows of JSON keep what a table cannot: a key that is missing, a number among texts."""

    def rows(self, path: Path) -> Iterator[Row]:
        """Yield the objects of a file."""
        return objects.rows(path)


def file_format(path: Path) -> Format:
    """Return the format of a file, whose suffix is one of SUFFIXES, or of stdin."""
    match file_suffix(path):
        case ".parquet":
            return PARQUET
        case ".csv" | ".tsv":
            return CSV
        case ".jsonl" | ".ndjson" | ".json":
            return JSON
    return JSON if objects.holds_objects(path) else TEXT


def _unify(schemas: Sequence[Any]) -> Any:
    import pyarrow as pa

    return pa.unify_schemas(schemas, promote_options="permissive")


# Parquet


def _survey_parquet(path: Path) -> tuple[Any, int | None]:
    with _parquet(path) as file:
        schema, total = file.schema_arrow.remove_metadata(), file.metadata.num_rows
    return schema, total


def _parquet_tables(path: Path, schema: Any) -> Iterator[Any]:
    import pyarrow as pa

    with _parquet(path) as file:
        names = [name for name in file.schema_arrow.names if schema is None or name in schema.names]
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            size = int(lines.BYTES / max(1, group.total_byte_size / max(1, group.num_rows)))
            size = max(1, min(lines.ROWS, size))
            for batch in file.iter_batches(size, row_groups=[number], columns=names):
                yield pa.Table.from_batches([batch])


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _refuse_repeated(file.schema_arrow.names, str(path))
            yield file
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path}: not parquet: {one_line(error)}") from None


# Cells: every one is text, so that 007 stays 007; an empty one is null


def _survey_cells(path: Path) -> tuple[Any, int | None]:
    import pyarrow as pa

    with _cells(path) as (names, _):
        return pa.schema([(name, pa.large_string()) for name in names]), None


def _cell_tables(path: Path, schema: Any) -> Iterator[Any]:
    with _cells(path) as (names, rows):
        for batch in lines.batches(rows, lambda row: sum(map(len, row))):
            cells = [[cell or None for cell in column] for column in zip(*batch, strict=True)]
            columns = dict(zip(names, cells, strict=True))
            yield from_polars(pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String)))


@contextmanager
def _cells(path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """The header, and the rows."""
    csv.field_size_limit(2**31 - 1)  # a text may be long
    with lines.open_file(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True, delimiter="\t" if file_suffix(path) == ".tsv" else ",")
        try:
            names = next(filter(None, reader), [])
            _refuse_repeated(names, f"{path}:{reader.line_num}")
            yield names, _checked_cells(reader, len(names), path)
        except csv.Error as error:
            raise UsageError(f"{path}:{reader.line_num}: {error}") from None
        except UnicodeDecodeError:
            for number, line in lines.numbered_lines(path):
                lines.decode(line, f"{path}:{number}")
            raise


def _checked_cells(reader: Any, width: int, path: Path) -> Iterator[list[str]]:
    for row in filter(None, reader):
        if len(row) != width:
            raise UsageError(f"{path}:{reader.line_num}: the header has {width} cells, this row {len(row)}")
        yield row


def _refuse_repeated(names: Sequence[str], location: str) -> None:
    for name in names:
        if list(names).count(name) > 1:
            raise UsageError(f"{location}: two columns are named {name!r}; rename one")


# Lines of text


def _survey_text(path: Path) -> tuple[Any, int | None]:
    import pyarrow as pa

    return pa.schema([("text", pa.large_string())]), None


def _text_tables(path: Path, schema: Any) -> Iterator[Any]:
    for number, block in lines.blocks(path):
        texts = [lines.decode(line, f"{path}:{n}").strip() for n, line in enumerate(block, number)]
        yield from_polars(
            pl.DataFrame({"text": [text for text in texts if text]}, schema={"text": pl.String})
        )


PARQUET = Format(_survey_parquet, _unify, _parquet_tables)
CSV = Format(_survey_cells, _unify, _cell_tables)
TEXT = Format(_survey_text, _unify, _text_tables)
JSON = JsonFormat(objects.survey, objects.unify, objects.tables)
