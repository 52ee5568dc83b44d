"""The recorded replies of an earlier run, without a model."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from glotmill.errors import RequestFailed, UsageError
from glotmill.messages import Engine, Reply, Request

_FIELDS = frozenset(f.name for f in fields(Reply))


@asynccontextmanager
async def replay(model: str, *, replies: str, revision: str | None = None) -> AsyncIterator[Engine]:
    """Return the reply that a journal (`*.jsonl`) in the folder `replies` holds for the key of the request.

    If several lines have one key, the last one with a text counts. A line that cannot be read, such as the
    half line that a killed run leaves, is ignored. Only the byte offsets of lines are kept in memory.

    Raises:
        UsageError: the folder does not exist, or holds no journal.
        RequestFailed: `not_recorded`, or the recorded failure.
    """
    locations = _index(_journals(Path(replies)))

    async def generate(request: Request) -> Reply:
        location = locations.get(request.key)
        if location is None:
            raise RequestFailed("not_recorded", f"{replies} holds no reply with the key {request.key}")
        return _reply(_line(*location))

    yield generate


def _journals(folder: Path) -> list[Path]:
    journals = sorted(folder.glob("*.jsonl"))
    if not journals:
        problem = "has no *.jsonl" if folder.is_dir() else "is not a folder"
        raise UsageError(f"replay: replies={folder} {problem}; give the `replies` folder of a run")
    return journals


def _index(journals: list[Path]) -> dict[str, tuple[Path, int]]:
    """Return, for each key, the file and the byte offset of its line."""
    locations: dict[str, tuple[Path, int]] = {}
    failed: set[str] = set()
    for path in journals:
        offset = 0
        with path.open("rb") as journal:
            for raw in journal:
                line = _read(raw)
                key = line.get("key")
                if isinstance(key, str):
                    if not line.get("failure"):
                        locations[key] = (path, offset)
                        failed.discard(key)
                    elif key not in locations or key in failed:
                        locations[key] = (path, offset)
                        failed.add(key)
                offset += len(raw)
    return locations


def _line(path: Path, offset: int) -> dict[str, Any]:
    with path.open("rb") as journal:
        journal.seek(offset)
        return _read(journal.readline())


def _read(raw: bytes) -> dict[str, Any]:
    try:
        line = json.loads(raw)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _reply(line: dict[str, Any]) -> Reply:
    if line.get("failure"):
        raise RequestFailed(str(line["failure"]), str(line.get("detail", "")))
    values = {"text": "", **{k: v for k, v in line.items() if k in _FIELDS}}
    for name in ("logprobs", "values"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    return Reply(**values)
