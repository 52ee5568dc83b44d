"""A publish that is stopped by Ctrl-C, SIGTERM or worse: nothing of it stays here, and it goes on."""

import os
import select
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from threading import Event

import pytest
from hub.client import Client
from hub.emulator import Emulator

from glotmill.runner.run_folder import Run

Make = Callable[..., Run]
TOLD = "glotmill: stopping; the same command resumes. Ctrl-C again quits at once\n"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands put what is for a while only."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def _loaders(process: "Popen[str]") -> list[int]:
    """Its own processes, each as a file that can be waited for."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
    return [os.pidfd_open(int(child)) for child in children.split()]


def _end(loaders: list[int]) -> None:
    assert loaders
    for file in loaders:
        assert select.select([file], [], [], 60)[0], "it goes on"
        os.close(file)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_loading(
    hub: Emulator, glotmill: Client, make: Make, name: str, temporary: Path, number: int
) -> None:
    run = make()
    fault = hub.fail(r"GET /datasets/.*\.parquet", hold=Event(), times=9)
    process = glotmill.start("publish", run.folder, "--repo", name)
    assert fault.hit.wait(60)
    loaders = _loaders(process)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    fault.times = 0
    fault.hold.set()
    assert process.returncode == 130
    assert (TOLD in said, said.endswith("glotmill: interrupted\n"), "Traceback" in said) == (
        True,
        True,
        False,
    )
    assert not list(temporary.iterdir())
    _end(loaders)
    assert glotmill("publish", run.folder, "--repo", name, "--json").plain["already"]
    assert len(hub.titles(name)) == 2


def test_killed_while_loading(
    hub: Emulator, glotmill: Client, make: Make, name: str, temporary: Path
) -> None:
    fault = hub.fail(r"GET /datasets/.*\.parquet", hold=Event(), times=9)
    process = glotmill.start("publish", make().folder, "--repo", name)
    assert fault.hit.wait(60)
    loaders = _loaders(process)
    process.kill()
    process.communicate()
    _end(loaders)
    fault.times = 0
    fault.hold.set()


@pytest.mark.parametrize("place", ["GET .*/tree/", "POST .*/commit/"])
def test_while_the_hub_is_silent(
    hub: Emulator, glotmill: Client, make: Make, name: str, temporary: Path, place: str
) -> None:
    run = make()
    glotmill("publish", make("before", begin=10).folder, "--repo", name)
    fault = hub.fail(place, hold=Event(), drop=True)
    process = glotmill.start("publish", run.folder, "--repo", name)
    assert fault.hit.wait(60)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    fault.hold.set()
    assert (process.returncode, TOLD in said, "Traceback" in said) == (130, True, False)
    assert not list(temporary.iterdir())
    assert glotmill("publish", run.folder, "--repo", name).code == 0
    assert len(hub.titles(name)) == 3


def test_twice_while_sending(hub: Emulator, glotmill: Client, make: Make, name: str, temporary: Path) -> None:
    """The client waits for what it is sending; whoever does not want to, need not."""
    fault = hub.fail("PUT /_storage", hold=Event(), drop=True, times=9)
    process = glotmill.start("publish", make().folder, "--repo", name)
    assert fault.hit.wait(60)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    said = process.stderr.readline()
    while said != TOLD:  # other libraries may have something to say
        assert said
        said = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert "Traceback" not in process.communicate(timeout=60)[1]
    assert process.returncode == 130
    fault.times = 0
    fault.hold.set()
    assert hub.titles(name) == ["initial commit"]
