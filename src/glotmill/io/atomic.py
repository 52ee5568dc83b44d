"""A folder that appears whole or not at all, and takes the place only of what is known to be its own."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glotmill.errors import UsageError


@contextmanager
def draft(folder: Path, marker: str) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` in the end; after an error, nothing has changed.

    marker: a JSON file in it whose `files` lists all others. A folder that is there is replaced only if it
    has one, and nothing that is not listed. Raises UsageError for a folder that is taken, or being written.
    """
    folder = folder.resolve()
    _refuse_others(folder, marker)
    made = folder.with_name(f".{folder.name}.tmp")
    made.mkdir(parents=True, exist_ok=True)
    lock = os.open(made, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"{folder}: another process is writing it; wait, or name another folder"
            ) from None
        try:
            _clear(made)
            yield made
            _refuse_others(folder, marker)  # it may have come in the meantime
            old = folder.with_name(f".{folder.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            if folder.exists():
                folder.rename(old)
            made.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    finally:
        os.close(lock)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():  # of a process that was killed
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _refuse_others(folder: Path, marker: str) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: a file; name a folder")
    try:
        own = {marker, *json.loads((folder / marker).read_text(encoding="utf-8"))["files"]}
        there = {
            p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()
        }
    except (OSError, ValueError, KeyError, TypeError):  # no export: one look at the top of it is enough
        own, there = set(), {path.name for path in folder.iterdir()}
    if others := sorted(there - own):
        what = f"{others[0]} and {len(others) - 1} more" if len(others) > 1 else others[0]
        raise UsageError(f"{folder}: holds what is not of an export ({what}); name another folder")
