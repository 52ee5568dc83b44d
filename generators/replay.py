"""Answers from the `replies/` folder of a run and refuses what is not there: no model, no cost."""

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
    """Replies with what `*.jsonl` in the folder `replies` recorded under the request's key.

    Of several lines with one key the last that holds a text counts. A line that cannot be read, such as the
    half line that a killed run leaves, counts as not recorded. Only the lines' places are kept in memory.

    Raises:
        UsageError: no such folder, or no journal in it.
        RequestFailed: `not_recorded`, or the failure that was recorded.
    """
    places = _index(_journals(Path(replies)))

    async def generate(request: Request) -> Reply:
        place = places.get(request.key)
        if place is None:
            raise RequestFailed("not_recorded", f"no reply in {replies} has the key {request.key}")
        return _reply(_line(*place))

    yield generate


def _journals(folder: Path) -> list[Path]:
    journals = sorted(folder.glob("*.jsonl"))
    if not journals:
        found = "has no *.jsonl" if folder.is_dir() else "is no folder"
        raise UsageError(f"replay: replies={folder} {found}: give the `replies` folder of a run")
    return journals


def _index(journals: list[Path]) -> dict[str, tuple[Path, int]]:
    """Key -> file and byte offset of its line."""
    places: dict[str, tuple[Path, int]] = {}
    failed: set[str] = set()
    for path in journals:
        offset = 0
        with path.open("rb") as journal:
            for raw in journal:
                line = _read(raw)
                key = line.get("key")
                if isinstance(key, str):
                    if not line.get("failure"):
                        places[key] = (path, offset)
                        failed.discard(key)
                    elif key not in places or key in failed:
                        places[key] = (path, offset)
                        failed.add(key)
                offset += len(raw)
    return places


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
    if values.get("logprobs") is not None:
        values["logprobs"] = tuple(values["logprobs"])
    return Reply(**values)
