"""Takes in what the real Xet client stored in a folder.

For an address `local:///folder` the client cuts, deduplicates and stores files there instead of sending them.
A commit names a file by its sha256 alone; which Xet file that is stands in the shards that the client wrote.
"""

import os
import shutil
import struct
import tempfile
from pathlib import Path

RECORD = 48  # bytes, of the header too


def fetch(cas: str, sha256: str, to: Path) -> str | None:
    """Write the file with this hash, and return its Xet hash; None if it is not there."""
    import hf_xet

    folder = Path(cas.removeprefix("local://"))
    found = _files(folder).get(sha256)
    if found is None:
        return None
    xet, size = found
    with tempfile.TemporaryDirectory(dir=to.parent) as view:
        _view(folder, Path(view))
        with hf_xet.XetSession().new_file_download_group(
            endpoint=f"local://{view}", token="t", token_expiry_unix_secs=2**40
        ) as group:
            group.start_download_file(hf_xet.XetFileInfo(xet, size), str(to))
    return xet


def _files(folder: Path) -> dict[str, tuple[str, int]]:
    """Read of every file that was stored: sha256 -> Xet hash, size."""
    found = {}
    for shard in folder.rglob("shards/*.mdb"):
        content, place = shard.read_bytes(), RECORD
        while place + RECORD <= len(content) and content[place : place + 32] != b"\xff" * 32:
            xet = _hex(content[place : place + 32])
            flags, parts = struct.unpack_from("<II", content, place + 32)
            place += RECORD
            size = sum(struct.unpack_from("<I", content, place + RECORD * n + 36)[0] for n in range(parts))
            place += RECORD * parts * (2 if flags & 0x8000_0000 else 1)  # each part, and its check
            if flags & 0x4000_0000:
                found[_hex(content[place : place + 32])] = (xet, size)
                place += RECORD
    return found


def _hex(raw: bytes) -> str:
    """Four numbers, kept with the small end first, as people write them."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", raw))


def _view(folder: Path, view: Path) -> None:
    """Link a store's files: while it is written to, its small database is locked, and must be a copy."""
    for path in folder.rglob("*"):
        if path.is_file() and "shard-cache" not in path.parts:
            link = view / path.relative_to(folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".redb":
                shutil.copy2(path, link)
            else:
                os.link(path, link)
