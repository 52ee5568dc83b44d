"""How the rows of a file are read: .parquet, .jsonl (or .json, an object a line), .csv and .txt.

A reader looks at a whole file once, for its schema and its rows, and cuts it into tables of at most ROWS
rows and about BYTES bytes, so that memory does not grow with the file. In .csv every cell is a text and an
empty one null; .txt has the column `text`, a line a row. Blank lines are no rows.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from glotmill.errors import UsageError

ROWS = 2_000
BYTES = 4_000_000

T = TypeVar("T")

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # JSON can spell half a character, which no file takes


@dataclass(frozen=True)
class Reader:
    """How one kind of file is read. A schema is a polars.Schema for .jsonl, else a pyarrow.Schema."""

    look: Callable[[Path], tuple[Any, int | None]]
    unify: Callable[[Sequence[Any]], Any]  # the schemas of some files -> the pyarrow.Schema of all
    cut: Callable[[Path, Any], Iterator[Any]]  # -> pyarrow.Tables


def nothing() -> Any:
    """Return the schema of a dataset of which nothing is known."""
    import pyarrow as pa

    return pa.schema([])


def _look_parquet(path: Path) -> tuple[Any, int | None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow.remove_metadata(), file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path}: not parquet: {_line(error)}") from None
    _refuse_twice(schema.names, path)
    return schema, rows


def _unify(schemas: Sequence[Any]) -> Any:
    import pyarrow as pa

    return pa.unify_schemas(schemas, promote_options="permissive")


def _cut_parquet(path: Path, schema: Any) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                group = file.metadata.row_group(number)
                size = int(BYTES / max(1, group.total_byte_size / max(1, group.num_rows)))
                for batch in file.iter_batches(max(1, min(ROWS, size)), row_groups=[number]):
                    yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path}: not parquet: {_line(error)}") from None


def _look_jsonl(path: Path) -> tuple[Any, int | None]:
    schema, rows = pl.Schema(), 0
    for number, lines in _blocks(path):
        there = sum(not line.isspace() for line in lines)
        rows += there
        if there:
            schema = _merged(schema, _objects(str(path), number, lines, _schema))
    return schema, rows


def _schema(data: io.BytesIO) -> pl.Schema:
    return pl.scan_ndjson(data, infer_schema_length=None).collect_schema()


def _unify_polars(schemas: Sequence[Any]) -> Any:
    whole = reduce(_merged, schemas)
    return _arrow(pl.DataFrame(schema={n: _storable(t) for n, t in whole.items()})).schema


def _cut_jsonl(path: Path, schema: Any) -> Iterator[Any]:
    names = pl.DataFrame(pl.from_arrow(schema.empty_table())).schema
    for number, lines in _blocks(path):
        if any(not line.isspace() for line in lines):
            yield _arrow(_objects(str(path), number, lines, lambda data: pl.read_ndjson(data, schema=names)))


def _blocks(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Lines, some at a time, and the number of the first."""
    with path.open("rb") as file:
        number = 1
        while lines := file.readlines(BYTES):
            if number == 1:
                lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
            for start in range(0, len(lines), ROWS):
                yield number + start, lines[start : start + ROWS]
            number += len(lines)


def _objects(place: str, number: int, lines: Sequence[bytes], read: Callable[[io.BytesIO], T]) -> T:
    data = b"".join(lines)
    if not _HALF.search(data):
        try:
            return read(io.BytesIO(data))
        except pl.exceptions.PolarsError:
            pass  # line by line, to say where, or to mend it
    mended = [_object(line, f"{place}:{number + n}") for n, line in enumerate(lines) if not line.isspace()]
    try:
        return read(io.BytesIO(b"\n".join(mended)))
    except pl.exceptions.PolarsError as error:
        last = number + len(lines) - 1
        raise UsageError(f"{place}: lines {number} to {last}: not rows: {_line(error)}") from None


def _object(line: bytes, place: str) -> bytes:
    """One line as JSON that every reader takes: half characters become question marks, NaN null."""
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=lambda _: None)
    except UnicodeDecodeError as error:
        raise UsageError(f"{place}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{place}: not JSON at character {error.pos}: {error.msg}; write one object a line"
        ) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: not JSON: {_line(error)}; write one object a line") from None
    if not isinstance(value, dict):
        raise UsageError(f"{place}: a {type(value).__name__}; write one object a line")
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _merged(one: pl.Schema, other: pl.Schema) -> pl.Schema:
    """The types that hold what both hold; a text where nothing else does."""
    frames = [pl.DataFrame(schema=one), pl.DataFrame(schema=other)]
    try:
        return pl.concat(frames, how="diagonal_relaxed").schema
    except pl.exceptions.PolarsError:
        both = {n: pl.String() if n in one and one[n] != t else t for n, t in other.items()}
        return pl.Schema({**one, **both})


def _storable(kind: Any) -> Any:
    """The type as parquet has it: what is empty, or a number too long, is a text."""
    if isinstance(kind, pl.List):
        return pl.List(_storable(kind.inner))
    if isinstance(kind, pl.Struct) and kind.fields:
        return pl.Struct({field.name: _storable(field.dtype) for field in kind.fields})
    return pl.String() if kind in (pl.Null, pl.Int128) or isinstance(kind, pl.Struct) else kind


def _look_csv(path: Path) -> tuple[Any, int | None]:
    import pyarrow as pa

    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(_cells(file, path), [])
    _refuse_twice(names, path)
    return pa.schema([(name, pa.large_string()) for name in names]), None


def _cut_csv(path: Path, schema: Any) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = _cells(file, path)
        names = next(rows, [])
        for some in _some(rows, lambda row: sum(map(len, row))):
            cells = [[cell or None for cell in column] for column in zip(*some, strict=True)]
            yield _arrow(
                pl.DataFrame(dict(zip(names, cells, strict=True)), schema=dict.fromkeys(names, pl.String))
            )


def _cells(file: Any, path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(2**31 - 1)  # a text may be long
    rows = csv.reader(file, strict=True)
    width = 0
    try:
        for row in rows:
            if row and len(row) != (width := width or len(row)):
                raise UsageError(f"{path}:{rows.line_num}: {len(row)} cells, and the header has {width}")
            if row:
                yield row
    except csv.Error as error:
        raise UsageError(f"{path}:{rows.line_num}: {error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 after line {rows.line_num}: {error.reason}") from None


def _look_txt(path: Path) -> tuple[Any, int | None]:
    import pyarrow as pa

    return pa.schema([("text", pa.large_string())]), None


def _cut_txt(path: Path, schema: Any) -> Iterator[Any]:
    for number, lines in _blocks(path):
        texts = []
        for place, line in enumerate(lines, number):
            try:
                texts.append(line.decode("utf-8").strip())
            except UnicodeDecodeError as error:
                raise UsageError(f"{path}:{place}: not UTF-8: {error.reason}; save it as UTF-8") from None
        yield _arrow(pl.DataFrame({"text": [text for text in texts if text]}, schema={"text": pl.String}))


def _some(items: Iterator[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    held: list[T] = []
    total = 0
    for item in items:
        held.append(item)
        total += size(item)
        if len(held) >= ROWS or total >= BYTES:
            yield held
            held, total = [], 0
    if held:
        yield held


def _refuse_twice(names: Sequence[str], path: Path) -> None:
    if twice := [name for name in names if list(names).count(name) > 1]:
        raise UsageError(f"{path}: two columns are named {twice[0]!r}; rename one")


def _arrow(frame: pl.DataFrame) -> Any:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


_JSONL = Reader(_look_jsonl, _unify_polars, _cut_jsonl)
SUFFIXES = {
    ".parquet": Reader(_look_parquet, _unify, _cut_parquet),
    ".jsonl": _JSONL,
    ".json": _JSONL,
    ".csv": Reader(_look_csv, _unify, _cut_csv),
    ".txt": Reader(_look_txt, _unify, _cut_txt),
}
