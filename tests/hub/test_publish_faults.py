"""What befalls a publish on its way: it is one commit all the same, or an error that says what to do."""

from collections.abc import Callable
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from hub.client import Client, Done
from hub.emulator import TOKENS, Emulator

from glotmill.hub import retry
from glotmill.runner.run_folder import Run

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
    second = make("second", begin=10).folder
    for already in (False, True):
        done = glotmill("publish", second, "--repo", name, "--pr", "--json").plain
        assert done["url"].endswith("/discussions/1")
        assert (done["already"], done["added"] == []) == (already, already)
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
    assert "gave up after 8 tries" in done.err
    assert done.waits == [1, 2, 4, 8, 16, 32, 60]
    assert hub.titles(name) == ["initial commit"]


LONG = {
    "3,600": {"status": 429, "headers": {"Retry-After": "3600"}},
    "1,000,000,000": {"status": 503, "headers": {"Retry-After": "1000000000"}},
    "99,999,999": {"status": 429, "headers": {"RateLimit": '"api";r=0;t=99999999'}},
}


@pytest.mark.parametrize("place", ["GET /api/datasets/.*/refs", "POST .*/preupload", "POST .*/commit/"])
@pytest.mark.parametrize("seconds", LONG)
def test_too_long(hub: Emulator, glotmill: Client, make: Make, name: str, place: str, seconds: str) -> None:
    """Nobody waits for years: neither we, nor the client by itself."""
    hub.store.create(name, TOKENS["hf_write"], private=False)
    hub.fail(place, **LONG[seconds])
    done = glotmill("publish", make().folder, "--repo", name)
    assert (done.code, done.waits) == (4, [])
    assert f"gave up after 1 try; the next would be in {seconds} s" in done.err


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"Retry-After": "Thu, 01 Jan 99999999999999999999 00:00:00 GMT"}, 4),
        ({"Retry-After": "-5"}, 4),
        ({"Retry-After": "٣"}, 4),
        ({"Retry-After": "soon"}, 4),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "", "RateLimit": '"api";r=0;t=7'}, 7),
        ({"Retry-After": "9" * 400}, float("inf")),
        ({}, 4),
    ],
)
def test_seconds(said: dict[str, str], seconds: float) -> None:
    error = OSError()
    error.response = SimpleNamespace(headers=said, status_code=429)  # type: ignore[attr-defined]
    assert retry.seconds_to_wait(error, 3) == seconds


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_no_hub(glotmill: Client, hub: Emulator, make: Make, name: str, options: tuple[str, ...]) -> None:
    hub.fail("GET /api/datasets", drop=True, times=500)
    done = glotmill("publish", make().folder, "--repo", name, *options)
    hub.store.faults.clear()
    assert done.code == 4
    assert "trying again in" in done.err  # meanwhile
    assert "looking at the dataset" in done.err


@pytest.mark.parametrize(
    "place", ["GET /api/datasets/[^/]*/[^/]*$", "GET .*/tree/", "GET .*/refs", "POST .*/commit/"]
)
def test_answers_of_another_form(hub: Emulator, glotmill: Client, make: Make, name: str, place: str) -> None:
    hub.store.create(name, TOKENS["hf_write"], private=False)
    hub.fail(place, status=200)
    done = glotmill("publish", make().folder, "--repo", name)
    assert (done.code, done.waits) == (1, [])
    assert "unexpected answer from the Hub (" in done.err


def test_tag_is_taken_meanwhile(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    for wishes, code, said in ((), 0, ""), (("--tag", "v1"), 2, "meanwhile its tag v1 was created elsewhere"):
        repo, run = f"{name}-{code}", make(f"{code}/run")
        fault = hub.fail("POST .*/commit/", after=True, hold=Event())
        done: list[Done] = []
        thread = Thread(target=lambda: done.append(glotmill("publish", run.folder, "--repo", repo, *wishes)))  # noqa: B023
        thread.start()
        assert fault.hit.wait(60)
        first = min(hub.repo(repo).commits.values(), key=lambda commit: commit.parent or "").id
        hub.repo(repo).tags = {"run": first, "v1": first}
        fault.hold.set()
        thread.join()
        assert done[0].code == code
        assert said in done[0].err
        given = {tag: commit for tag, commit in hub.repo(repo).tags.items() if tag not in ("run", "v1")}
        assert list(given.values()) == [hub.repo(repo).branches["main"]] * (code == 0)


def test_made_by_another_meanwhile(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """A dataset that is public by now is private before a row is there."""
    run, done = make(), list[Done]()
    fault = hub.fail("POST /api/repos/create", hold=Event(), drop=True)
    thread = Thread(target=lambda: done.append(glotmill("publish", run.folder, "--repo", name, "--private")))
    thread.start()
    assert fault.hit.wait(60)
    hub.store.create(name, TOKENS["hf_write"], private=False)
    fault.hold.set()
    thread.join()
    assert done[0].code == 0
    assert hub.repo(name).private
    places = [f"{each['method']} {each['path']}" for each in hub.store.requests]
    settings = next(n for n, place in enumerate(places) if place.endswith("/settings"))
    assert settings < next(n for n, place in enumerate(places) if "/preupload/" in place)
