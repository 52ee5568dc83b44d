"""The files of rows that a run wrote, known by their names: a user may keep other files beside them.

Those of languages that the run does not have any more are left out.
"""

import json
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_TAG = r"[a-z]{3}_[A-Z][a-z]{3}"
_SHARD = re.compile(rf"(?P<tag>{_TAG})-(?P<number>\d{{5,}})\.parquet")
_PART = re.compile(r"train-\d{5}-of-\d{5}\.parquet")


def shard_files(run: Path, tags: Collection[str] | None = None) -> list[Path]:
    """Return the files in `rows/`, by language and number. tags: by default the languages of the run."""
    tags = _languages(run) if tags is None else tags
    found = [(name["tag"], int(name["number"]), path) for path, name in _matches(run / "rows", _SHARD)]
    return [path for tag, _, path in sorted(found) if tags is None or tag in tags]


def shard_number(path: Path) -> int:
    """Return the number in the name of a file that `shard_files` returns."""
    return int(path.stem.rpartition("-")[2])


def dataset_files(run: Path, tags: Collection[str] | None = None) -> list[Path]:
    """Return the files in `dataset/`, sorted. tags: by default the languages of the run."""
    tags = _languages(run) if tags is None else tags
    folders = [path for path, _ in _matches(run / "dataset", re.compile(_TAG))]
    chosen = [folder for folder in folders if tags is None or folder.name in tags]
    return [path for folder in chosen for path in rows_of_language(folder)]


def rows_of_language(folder: Path) -> list[Path]:
    """Return the files in the folder of a language in `dataset/`, sorted."""
    return [path for path, _ in _matches(folder, _PART)]


def remove_dataset(run: Path, keep: Collection[str] = ()) -> list[str]:
    """Remove the files in `dataset/`, but for some languages, and say whose there were."""
    removed = []
    for folder, _ in _matches(run / "dataset", re.compile(_TAG)):
        files = rows_of_language(folder)
        if folder.name in keep or not files:
            continue
        for path in files:
            path.unlink()
        with suppress(OSError):  # the user keeps something there
            folder.rmdir()
        removed.append(folder.name)
    return removed


def _matches(folder: Path, pattern: re.Pattern[str]) -> list[tuple[Path, re.Match[str]]]:
    if not folder.is_dir():
        return []
    pairs = ((path, pattern.fullmatch(path.name)) for path in sorted(folder.iterdir()))
    return [(path, match) for path, match in pairs if match]


def _languages(run: Path) -> list[str] | None:
    """Return the languages of a run; None where run.json does not say."""
    try:
        languages = json.loads((run / "run.json").read_text(encoding="utf-8"))["languages"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return languages if isinstance(languages, list) else None
