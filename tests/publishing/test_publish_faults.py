"""What befalls a publish on its way: it is one commit all the same, or an error that says what to do."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from publishing.client import Client
from publishing.emulator import Emulator

from glotmill.store import Run

Make = Callable[..., Run]
BUSY = {"Retry-After": "7"}
PASSING: dict[str, tuple[dict[str, Any], list[float]]] = {
    "preupload busy": ({"pattern": "POST .*/preupload", "status": 429, "headers": BUSY}, []),
    "batch unavailable": ({"pattern": "POST .*/objects/batch", "status": 503}, []),
    "put unavailable": ({"pattern": "PUT /_storage", "status": 503, "times": 2}, []),
    "put dropped": ({"pattern": "PUT /_storage", "drop": True}, []),
    "put lost for long": ({"pattern": "PUT /_storage", "drop": True, "times": 20}, []),
    "create fails": ({"pattern": "POST /api/repos/create", "status": 500}, [1]),
    "create busy": ({"pattern": "POST /api/repos/create", "status": 429, "headers": BUSY}, [7]),
    "create dropped": ({"pattern": "POST /api/repos/create", "drop": True}, [1]),
    "create lost": ({"pattern": "POST /api/repos/create", "drop": True, "after": True}, [1]),
    "commit unavailable": ({"pattern": "POST .*/commit/", "status": 503, "times": 3}, [1, 2, 4]),
    "commit busy": ({"pattern": "POST .*/commit/", "status": 429, "headers": BUSY}, [7]),
    "commit busy at once": (
        {"pattern": "POST .*/commit/", "status": 429, "headers": {"Retry-After": "0"}},
        [0],
    ),
    "commit limited": (
        {"pattern": "POST .*/commit/", "status": 429, "headers": {"RateLimit": '"api";r=0;t=42'}},
        [42],
    ),
    "commit dropped": ({"pattern": "POST .*/commit/", "drop": True}, [1]),
    "commit lost": ({"pattern": "POST .*/commit/", "drop": True, "after": True}, [1]),
    "commit too slow": ({"pattern": "POST .*/commit/", "status": 504}, [1]),
    "lost race": ({"pattern": "POST .*/commit/", "status": 412}, [1]),
    "card busy": ({"pattern": "POST /api/validate-yaml", "status": 503}, [1]),
    "tag fails": ({"pattern": "POST .*/tag/", "status": 500}, [1]),
    "tag lost": ({"pattern": "POST .*/tag/", "drop": True, "after": True}, [1]),
    "look unavailable": ({"pattern": "GET /api/datasets/acme", "status": 502, "skip": 1}, []),
    "tree busy": ({"pattern": "GET .*/tree/", "status": 429, "headers": BUSY}, []),
}


@pytest.mark.parametrize("fault", PASSING)
def test_passing(hub: Emulator, glotmill: Client, make: Make, name: str, fault: str) -> None:
    how, waits = PASSING[fault]
    run = make(tags=("eng_Latn", "arb_Arab"))
    hub.fail(**how)
    done = glotmill("publish", run.folder, "--repo", name, "--tag", "v1", "--json")
    assert done.code == 0, done.err
    assert len(hub.titles(name)) == 2
    assert hub.repo(name).tags == {"v1": hub.repo(name).branches["main"]}
    assert [path.split("/")[1] for path in hub.repo(name).at("main").tree if path.startswith("data/")] == [
        "eng_Latn",
        "arb_Arab",
    ]
    if waits:
        assert done.waits == waits
        assert "again in" in done.err


@pytest.mark.parametrize("storage", ["xet"])
@pytest.mark.parametrize(
    "fault", [name for name in PASSING if not name.startswith(("put", "batch", "look", "tree"))]
)
def test_passing_with_xet(hub: Emulator, glotmill: Client, make: Make, name: str, fault: str) -> None:
    test_passing(hub, glotmill, make, name, fault)


def test_proposal_lost(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    glotmill("publish", make().folder, "--repo", name)
    hub.fail("POST .*/commit/", drop=True, after=True)
    done = glotmill("publish", make("second", begin=10).folder, "--repo", name, "--pr", "--json").plain
    assert done["url"].endswith("/discussions/1")
    assert len(hub.repo(name).proposals) == 1


def test_two_at_once(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """Another run is committed between look and commit: both are there, and the card tells of both."""
    glotmill("publish", make().folder, "--repo", name)
    repo = hub.repo(name)
    before = repo.branches["main"]
    glotmill("publish", make("other", ("hin_Deva",), begin=10).folder, "--repo", name)
    other, repo.branches["main"] = repo.branches["main"], before
    fault = hub.fail("POST .*/preupload", after=True, hold=Event())
    slow, done = make("slow", ("swh_Latn",), begin=20), []
    thread = Thread(target=lambda: done.append(glotmill("publish", slow.folder, "--repo", name, "--json")))
    thread.start()
    assert fault.hit.wait(60)
    repo.branches["main"] = other
    fault.hold.set()
    thread.join()
    assert done[0].plain["rows"] == {
        "all": 20,
        "arb_Arab": 4,
        "eng_Latn": 4,
        "hin_Deva": 4,
        "swh_Latn": 4,
        "zho_Hans": 4,
    }
    assert "A commit has happened since" in done[0].err
    assert repo.at("main").parent == other
    assert "num_examples: 20" in hub.content(name, "README.md").decode()


def test_never(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    hub.fail("POST .*/commit/", status=503, times=8)
    done = glotmill("publish", make().folder, "--repo", name)
    assert done.code == 4
    assert "given up at try 8" in done.err
    assert done.waits == [1, 2, 4, 8, 16, 32, 60]
    assert hub.titles(name) == ["initial commit"]


def test_too_long(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    hub.fail("POST .*/commit/", status=429, headers={"Retry-After": "3600"})
    done = glotmill("publish", make().folder, "--repo", name)
    assert (done.code, done.waits) == (4, [])
    assert "given up at try 1, 3,600 s before the next" in done.err


def test_no_hub(glotmill: Client, hub: Emulator, make: Make, name: str) -> None:
    hub.fail("GET /api/datasets", drop=True, times=500)
    done = glotmill("publish", make().folder, "--repo", name)
    hub.store.faults.clear()
    assert done.code == 4
    assert "looking at the dataset" in done.err
