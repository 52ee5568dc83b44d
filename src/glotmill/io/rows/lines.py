"""Lines of bytes: files opened, decompressed, and cut into blocks at the same places every time."""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from glotmill.errors import UsageError, one_line

ROWS = 2_000  # of a block, at most
BYTES = 4_000_000  # of a block, about
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}  # as pyarrow calls them
STDIN = Path("/dev/stdin")

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


def blocks(path: Path) -> Iterator[tuple[int, list[bytes]]]:
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


@lru_cache(maxsize=1)
def _read_stdin(stream: Any) -> bytes:
    """Everything that is piped in: it comes only once, and is read as often as a file."""
    data: bytes = stream.read()
    return data
