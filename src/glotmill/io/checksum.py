"""A checksum of a parquet file in its own metadata: damage is known before any library reads the file.

`BLANK` goes into the metadata of a file as it is written; `sign` then puts the checksum in its place.
"""

import re
import zlib
from pathlib import Path

BLANK = "crc32:00000000"

_MARK = re.compile(rb"crc32:([0-9a-f]{8})")


def sign(path: Path) -> None:
    """Write the checksum of a file over the `BLANK` in its metadata."""
    data = path.read_bytes()
    mark = _last_mark(data)
    if mark is None or mark[0] != BLANK.encode():
        raise ValueError(f"{path}: was written without a blank checksum")
    with path.open("r+b") as file:
        file.seek(mark.start(1))
        file.write(b"%08x" % zlib.crc32(data))


def is_intact(path: Path) -> bool | None:
    """Return whether a file is as it was when it was signed; None if it holds no checksum."""
    data = path.read_bytes()
    mark = _last_mark(data)
    if mark is None:
        return None
    blank = b"".join((data[: mark.start()], BLANK.encode(), data[mark.end() :]))
    return zlib.crc32(blank) == int(mark[1], 16)


def _last_mark(data: bytes) -> re.Match[bytes] | None:
    start = data.rfind(b"crc32:")  # a file's metadata stands at its end
    return _MARK.match(data, start) if start >= 0 else None
