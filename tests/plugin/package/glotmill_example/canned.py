"""Replies from a list, one after the other: an engine for demonstrations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from glotmill.errors import RequestFailed, UsageError
from glotmill.messages import Engine, Reply, Request


@asynccontextmanager
async def canned(model: str, *, file: str, revision: str | None = None) -> AsyncIterator[Engine]:
    """Reply with a line of `file`, chosen by the seed of the request.

    Raises:
        UsageError: the file is missing or empty.
        RequestFailed: `refused`, for a prompt that asks for nothing.
    """
    lines = _read(Path(file))

    async def generate(request: Request) -> Reply:
        if not request.messages[-1].content.strip():
            raise RequestFailed("refused", "the prompt is empty")
        return Reply(lines[request.seed % len(lines)])

    yield generate


def _read(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UsageError(f"{file}: no such file; write one reply per line") from None
    if not lines:
        raise UsageError(f"{file}: is empty; write one reply per line")
    return lines
