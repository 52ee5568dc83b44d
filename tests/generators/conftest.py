"""The model that ships, and small servers for the engine openai."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from asking import Ask, opened
from faulty import KEY, Server, served

import glotmill.generators
from glotmill.generators.openai import openai


@pytest.fixture(scope="session")
def nano() -> Path:
    """The folder of the model that ships."""
    return Path(glotmill.generators.__file__).parent / "nano"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Ask]]:
    """Opens the engine openai on one or several servers."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with ExitStack() as stack:

        def start(*servers: Server, model: str = "m", path: str = "/v1", **options: Any) -> Ask:
            urls = [stack.enter_context(served(server)) + path for server in servers]
            return stack.enter_context(opened(openai(model, base_url=urls, **options)))

        yield start


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the engine openai wanted to make; none is made."""
    wanted: list[float] = []
    sleep = asyncio.sleep

    async def no_sleep(seconds: float) -> None:
        if seconds > 0:
            wanted.append(seconds)
        await sleep(0)

    monkeypatch.setattr("glotmill.generators._server.client.asyncio.sleep", no_sleep)
    return wanted
