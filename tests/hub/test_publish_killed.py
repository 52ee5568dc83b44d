"""A publish that was killed half-way goes on, and sends nothing twice."""

from collections.abc import Callable
from threading import Event

import pytest
from hub.client import Client
from hub.emulator import Emulator

from glotmill.runner.run_folder import Run

Make = Callable[..., Run]
TAGS = ("arb_Arab", "eng_Latn", "hin_Deva", "spa_Latn", "swh_Latn", "zho_Hans")


def test_while_sending(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    run = make(tags=TAGS)
    fault = hub.fail("PUT /_storage", skip=3, times=9, hold=Event(), drop=True)
    process = glotmill.start("publish", run.folder, "--repo", name)
    assert fault.hit.wait(60)
    process.kill()
    process.communicate()
    fault.times = 0
    fault.hold.set()
    assert hub.titles(name) == ["initial commit"]
    sent = {each["path"] for each in hub.asked("PUT /_storage") if each["status"] == 200}
    assert len(sent) == 3
    hub.store.requests.clear()
    assert glotmill("publish", run.folder, "--repo", name, "--json").plain["rows"]["all"] == 24
    again = {each["path"] for each in hub.asked("PUT /_storage")}
    assert len(again) == 3
    assert not again & sent
    assert len(hub.titles(name)) == 2


@pytest.mark.parametrize("storage", ["lfs", "xet"])
def test_while_committing(hub: Emulator, glotmill: Client, make: Make, name: str, storage: str) -> None:
    """Killed when all is sent and before the answer comes: whether it was done or not, it is done once."""
    run = make(tags=TAGS)
    for number, done in enumerate((False, True)):
        repo = f"{name}-{number}"
        fault = hub.fail("POST .*/commit/", hold=Event(), drop=True, after=done)
        process = glotmill.start("publish", run.folder, "--repo", repo)
        assert fault.hit.wait(60)
        process.kill()
        process.communicate()
        fault.hold.set()
        stored = _stored(hub)
        hub.store.requests.clear()
        found = glotmill("publish", run.folder, "--repo", repo, "--json").plain
        assert found["rows"]["all"] == 24
        assert len(hub.titles(repo)) == 2
        assert hub.repo(repo).tags == {"first": found["commit"]}
        assert not hub.asked("PUT /_storage")
        assert _stored(hub) == stored


def _stored(hub: Emulator) -> int:
    """Bytes of content that the Xet client has stored."""
    folder = (hub.store.cas or "local://nowhere").removeprefix("local://")
    from pathlib import Path

    return sum(path.stat().st_size for path in Path(folder).rglob("xorbs/xorbs/**/*") if path.is_file())
