"""The emulated Hub, and a user's process that knows only it: once with LFS, once with the real Xet client."""

import re
from binascii import crc32
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from finished import finished, rows
from hub.client import ABOUT, RECIPE, Client
from hub.emulator import Emulator

from glotmill.runner.run_folder import Run

TAGS = ("eng_Latn", "arb_Arab", "zho_Hans")


@pytest.fixture(scope="session")
def _lfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Emulator, Client]]:
    yield from _pair(tmp_path_factory.mktemp("lfs"), xet=False)


@pytest.fixture(scope="session")
def _xet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Emulator, Client]]:
    yield from _pair(tmp_path_factory.mktemp("xet"), xet=True)


def _pair(home: Path, *, xet: bool) -> Iterator[tuple[Emulator, Client]]:
    with Emulator(home / "cas" if xet else None) as emulator:
        client = Client(emulator.endpoint, home, xet=xet)
        yield emulator, client
        client.close()


@pytest.fixture
def storage() -> str:
    """How files are sent; a test may ask for `xet`, or for both."""
    return "lfs"


@pytest.fixture
def hub(storage: str, request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """The emulated Hub. Every fault that a test asks for must have come."""
    emulator: Emulator = request.getfixturevalue(f"_{storage}")[0]
    emulator.store.faults.clear()
    for file in (emulator.root / "large").iterdir():  # no test finds what another one sent
        file.unlink()
    emulator.store.requests.clear()
    yield emulator
    assert not [fault for fault in emulator.store.faults if fault.times > 0]


@pytest.fixture
def glotmill(storage: str, request: pytest.FixtureRequest) -> Client:
    """Carries out a command."""
    client: Client = request.getfixturevalue(f"_{storage}")[1]
    return client


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A dataset that no other test has."""
    said = re.sub(r"\W+", "-", request.node.name)[:80].strip("-").replace("--", "-")
    return f"acme/{said}-{crc32(request.node.nodeid.encode()):08x}"


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Run]:
    """Make a finished run."""

    def made(
        folder: str = "first", tags: tuple[str, ...] = TAGS, count: int = 4, begin: int = 0, **columns: Any
    ) -> Run:
        said = {"id": lambda number: f"{number + begin:04d}", **columns}
        output = {
            "messages": {"user": "question", "assistant": "answer"},
            "columns": ["topic", *(set(columns) - {"topic", "question", "answer", "id"})],
        }
        run = finished(tmp_path / folder, {tag: rows(tag, count, **said) for tag in tags}, output)
        info = run.info()
        info["recipe"] |= RECIPE
        run.write_info({**info, **ABOUT})
        return run

    return made
