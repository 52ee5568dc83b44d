"""Files and folders that appear complete or not at all, whenever the process is killed.

Each is written as a hidden draft in the same folder and then renamed. A draft that a killed process left
has the same name as the next one, which replaces it.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from glotmill.errors import UsageError


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8; lone surrogates become question marks."""
    write_bytes(path, text.encode("utf-8", "replace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file."""
    with draft_file(path) as draft:
        draft.write_bytes(content)


@contextmanager
def draft_file(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, which becomes `path` in the end; after an error it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft_of(path)
    try:
        yield draft
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


@contextmanager
def draft_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces `folder` in the end; if it is still empty, `folder` is removed."""
    draft = _draft_of(folder)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        shutil.rmtree(folder, ignore_errors=True)
        if any(draft.iterdir()):
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def draft_files(folder: Path, own: Callable[[Path], Sequence[Path]]) -> Iterator[Path]:
    """Yield an empty folder whose files replace, in the end, those that `own` finds in `folder`.

    Other files in `folder` stay; if none are left in it, it is removed.
    """
    draft = _draft_of(folder)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        folder.mkdir(exist_ok=True)
        written = sorted(draft.iterdir())
        names = {path.name for path in written}
        for path in own(folder):
            if path.name not in names:
                path.unlink()
        for path in written:
            path.replace(folder / path.name)
        if not written:
            with suppress(OSError):
                folder.rmdir()
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def draft_output(folder: Path, marker: str) -> Iterator[Path]:
    """Yield an empty folder that replaces a user's `folder` in the end; after an error, nothing has changed.

    marker: a JSON file in it whose `files` lists all others. An existing folder is replaced only if it has a
    marker and holds nothing that is not listed. Raises UsageError for any other folder, and for one that
    another process is writing.
    """
    folder = folder.resolve()
    _refuse_others(folder, marker)
    draft = _draft_of(folder)
    draft.mkdir(parents=True, exist_ok=True)
    lock = os.open(draft, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"{folder}: another process is writing it; wait, or name another folder"
            ) from None
        try:
            _clear(draft)
            yield draft
            _refuse_others(folder, marker)  # it may have changed meanwhile
            old = folder.with_name(f".{folder.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            if folder.exists():
                folder.rename(old)
            draft.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    finally:
        os.close(lock)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _clear(folder: Path) -> None:
    """Remove what a killed process left."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _refuse_others(folder: Path, marker: str) -> None:
    """Raise UsageError if a folder exists and holds anything but an export."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: a file; name a folder")
    try:
        own = {marker, *json.loads((folder / marker).read_text(encoding="utf-8"))["files"]}
        files = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
        names = {path.relative_to(folder).as_posix() for path in files}
    except (OSError, ValueError, KeyError, TypeError):  # not an export: its top level is enough
        own, names = set(), {path.name for path in folder.iterdir()}
    if others := sorted(names - own):
        shown = f"{others[0]} and {len(others) - 1} more" if len(others) > 1 else others[0]
        raise UsageError(f"{folder}: holds what is not of an export ({shown}); name another folder")
