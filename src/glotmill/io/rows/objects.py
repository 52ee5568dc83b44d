"""Rows of JSON: .jsonl and .ndjson with one object per line, .json with the same or one array of objects.

An array is held in memory as a whole. NaN is null in tables; lone surrogates become question marks.
"""

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from glotmill.errors import UsageError, one_line
from glotmill.io.rows.arrow import from_polars, to_polars
from glotmill.io.rows.lines import batches, blocks, decode, file_suffix, numbered_lines, open_file
from glotmill.io.text import replace_surrogates

Row = dict[str, Any]
T = TypeVar("T")

_OBJECT = re.compile(rb'\s*\{\s*["}]')  # {{ begins no object, but a text
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # half a character, as JSON can spell it


def holds_objects(path: Path) -> bool:
    """Return whether the first line of a file of text is a JSON object."""
    _, first = next(numbered_lines(path), (0, b""))
    return _OBJECT.match(first) is not None


def rows(path: Path) -> Iterator[Row]:
    """Yield the objects as they are written. Raises UsageError, which names file and line."""
    if (items := _array(path)) is not None:
        yield from items
        return
    for number, line in numbered_lines(path):
        yield _object(line, f"{path}:{number}")


def survey(path: Path) -> tuple[pl.Schema, int]:
    """Return the schema that holds all objects, and how many there are. Raises UsageError."""
    schema, total = pl.Schema(), 0
    for number, lines in _blocks(path):
        count = sum(not line.isspace() for line in lines)
        total += count
        if count:
            schema = _merged(schema, _parsed(path, number, lines, _infer))
    return schema, total


def unify(schemas: Sequence[pl.Schema]) -> Any:
    """Return the pyarrow.Schema that holds the rows of files with these schemas."""
    schema = reduce(_merged, schemas)
    return from_polars(pl.DataFrame(schema={name: _storable(kind) for name, kind in schema.items()})).schema


def tables(path: Path, schema: Any) -> Iterator[Any]:
    """Yield pyarrow.Tables with the columns of a schema. Raises UsageError."""
    read = partial(pl.read_ndjson, schema=to_polars(schema.empty_table()).schema)
    for number, lines in _blocks(path):
        if any(not line.isspace() for line in lines):
            yield from_polars(_parsed(path, number, lines, read))


def _array(path: Path) -> list[Row] | None:
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


def _blocks(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    if (items := _array(path)) is None:
        yield from blocks(path)
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
