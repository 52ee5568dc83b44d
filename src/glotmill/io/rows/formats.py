"""Reads one file, in the format that its suffix names.

A format surveys a file for its schema and reads it as tables of at most ROWS rows and about BYTES bytes, so
that memory does not grow with the file. Errors name file and line, counted from 1.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from glotmill.errors import UsageError, one_line
from glotmill.io.rows import text_blocks
from glotmill.io.rows.text_blocks import (
    Row,
    batches,
    decode,
    file_suffix,
    from_polars,
    line_blocks,
    numbered_lines,
    open_file,
    to_polars,
)
from glotmill.io.surrogates import replace_surrogates

T = TypeVar("T")

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
        return _json_rows(path)


def file_format(path: Path) -> Format:
    """Return the format of a file, whose suffix is one of SUFFIXES, or of stdin."""
    match file_suffix(path):
        case ".parquet":
            return PARQUET
        case ".csv" | ".tsv":
            return CSV
        case ".jsonl" | ".ndjson" | ".json":
            return JSON
    return JSON if _holds_objects(path) else TEXT


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
            size = int(text_blocks.BYTES / max(1, group.total_byte_size / max(1, group.num_rows)))
            size = max(1, min(text_blocks.ROWS, size))
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
        for batch in batches(rows, lambda row: sum(map(len, row))):
            cells = [[cell or None for cell in column] for column in zip(*batch, strict=True)]
            columns = dict(zip(names, cells, strict=True))
            yield from_polars(pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String)))


@contextmanager
def _cells(path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """The header, and the rows."""
    csv.field_size_limit(2**31 - 1)  # a text may be long
    with open_file(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True, delimiter="\t" if file_suffix(path) == ".tsv" else ",")
        try:
            names = next(filter(None, reader), [])
            _refuse_repeated(names, f"{path}:{reader.line_num}")
            yield names, _checked_cells(reader, len(names), path)
        except csv.Error as error:
            raise UsageError(f"{path}:{reader.line_num}: {error}") from None
        except UnicodeDecodeError:
            for number, line in numbered_lines(path):
                decode(line, f"{path}:{number}")
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
    for number, lines in line_blocks(path):
        texts = [decode(line, f"{path}:{n}").strip() for n, line in enumerate(lines, number)]
        yield from_polars(
            pl.DataFrame({"text": [text for text in texts if text]}, schema={"text": pl.String})
        )


# JSON: .jsonl and .ndjson with one object per line, .json with the same or one array of objects, which is
# held in memory as a whole. NaN is null in tables; lone surrogates become question marks.

_OBJECT = re.compile(rb'\s*\{\s*["}]')  # {{ begins no object, but a text
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # half a character, as JSON can spell it


def _holds_objects(path: Path) -> bool:
    """Return whether the first line of a file of text is a JSON object."""
    _, first = next(numbered_lines(path), (0, b""))
    return _OBJECT.match(first) is not None


def _json_rows(path: Path) -> Iterator[Row]:
    """Yield the objects as they are written. Raises UsageError, which names file and line."""
    if (items := _json_array(path)) is not None:
        yield from items
        return
    for number, line in numbered_lines(path):
        yield _object(line, f"{path}:{number}")


def _survey_json(path: Path) -> tuple[pl.Schema, int]:
    """Return the schema that holds all objects, and how many there are. Raises UsageError."""
    schema, total = pl.Schema(), 0
    for number, lines in _object_blocks(path):
        count = sum(not line.isspace() for line in lines)
        total += count
        if count:
            schema = _merged(schema, _parsed(path, number, lines, _infer))
    return schema, total


def _unify_json(schemas: Sequence[pl.Schema]) -> Any:
    """Return the pyarrow.Schema that holds the rows of files with these schemas."""
    schema = reduce(_merged, schemas)
    return from_polars(pl.DataFrame(schema={name: _storable(kind) for name, kind in schema.items()})).schema


def _json_tables(path: Path, schema: Any) -> Iterator[Any]:
    """Yield pyarrow.Tables with the columns of a schema. Raises UsageError."""
    read = partial(pl.read_ndjson, schema=to_polars(schema.empty_table()).schema)
    for number, lines in _object_blocks(path):
        if any(not line.isspace() for line in lines):
            yield from_polars(_parsed(path, number, lines, read))


def _json_array(path: Path) -> list[Row] | None:
    """The objects of a file that holds one array; None if it holds none."""
    _, first = next(numbered_lines(path), (0, b""))
    if file_suffix(path) != ".json" or not first.lstrip().startswith(b"["):
        return None
    with open_file(path) as file:
        data = file.read()
    try:
        items = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: not JSON at column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {one_line(error)}") from None
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise UsageError(
                f"{path}: item {number} is no object but {type(item).__name__}; write an array of objects"
            )
    array: list[Row] = replace_surrogates(items) if _SURROGATE.search(data) else items
    return array


def _object_blocks(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    if (items := _json_array(path)) is None:
        yield from line_blocks(path)
        return
    number = 1
    for lines in batches((json.dumps(item, ensure_ascii=False).encode() + b"\n" for item in items), len):
        yield number, lines
        number += len(lines)


def _infer(data: io.BytesIO) -> pl.Schema:
    return pl.scan_ndjson(data, infer_schema_length=None).collect_schema()


def _parsed(path: Path, number: int, lines: Sequence[bytes], read: Callable[[io.BytesIO], T]) -> T:
    """Read a block at once; if polars refuses it, read it line by line, to repair it or to name the line."""
    data = b"".join(lines)
    if not _SURROGATE.search(data):
        try:
            return read(io.BytesIO(data))
        except pl.exceptions.PolarsError:
            pass
    objects = [
        _object(line, f"{path}:{n}", parse_constant=lambda _: None)
        for n, line in enumerate(lines, number)
        if not line.isspace()
    ]
    try:
        return read(io.BytesIO(b"\n".join(json.dumps(row, ensure_ascii=False).encode() for row in objects)))
    except pl.exceptions.PolarsError as error:
        last = number + len(lines) - 1
        raise UsageError(f"{path}: lines {number} to {last}: not rows: {one_line(error)}") from None


def _object(line: bytes, location: str, **options: Any) -> Row:
    """The object of one line. options: of json.loads."""
    try:
        value = json.loads(decode(line, location), **options)
    except json.JSONDecodeError as error:
        problem = f"not JSON at character {error.pos}: {error.msg}"
    except (ValueError, RecursionError) as error:
        problem = f"not JSON: {one_line(error)}"
    else:
        if isinstance(value, dict):
            return replace_surrogates(value) if _SURROGATE.search(line) else value
        problem = f"a {type(value).__name__}"
    raise UsageError(f"{location}: {problem}; write one object a line")


def _merged(left: pl.Schema, right: pl.Schema) -> pl.Schema:
    """The types that hold the values of both; text where nothing else does."""
    try:
        frames = [pl.DataFrame(schema=left), pl.DataFrame(schema=right)]
        return pl.concat(frames, how="diagonal_relaxed").schema
    except pl.exceptions.PolarsError:
        both = {n: pl.String() if n in left and left[n] != kind else kind for n, kind in right.items()}
        return pl.Schema({**left, **both})


def _storable(kind: Any) -> Any:
    """The type as parquet has it: what is always empty, and an integer of over 64 bits, becomes text."""
    if isinstance(kind, pl.List):
        return pl.List(_storable(kind.inner))
    if isinstance(kind, pl.Struct) and kind.fields:
        return pl.Struct({field.name: _storable(field.dtype) for field in kind.fields})
    return pl.String() if kind in (pl.Null, pl.Int128) or isinstance(kind, pl.Struct) else kind


PARQUET = Format(_survey_parquet, _unify, _parquet_tables)
CSV = Format(_survey_cells, _unify, _cell_tables)
TEXT = Format(_survey_text, _unify, _text_tables)
JSON = JsonFormat(_survey_json, _unify_json, _json_tables)
