"""A run that is added to a dataset: what is there stays, and what is told of it is as it is."""

import io
import json
from collections.abc import Callable
from hashlib import sha512

import polars as pl
import pytest
import yaml
from hub.client import Client
from hub.emulated_store import Entry
from hub.emulator import TOKENS, Emulator

from glotmill.runner.run_folder import Run

Make = Callable[..., Run]


@pytest.mark.parametrize("storage", ["lfs", "xet"])
def test_append(hub: Emulator, glotmill: Client, make: Make, name: str, storage: str) -> None:
    first = glotmill("publish", make().folder, "--repo", name, "--json").plain
    before = dict(hub.repo(name).at("main").tree)
    hub.store.requests.clear()
    other = make("second", ("eng_Latn", "hin_Deva"), 3, begin=10)
    look = storage == "xet"  # of LFS another test looks
    done = glotmill("publish", other.folder, "--repo", name, "--tag", "v2", "--json", look=look).plain
    assert done["rows"] == {"all": 18, "arb_Arab": 4, "eng_Latn": 7, "hin_Deva": 3, "zho_Hans": 4}
    after = hub.repo(name).at("main").tree
    changed = {path for path in before if after[path].oid != before[path].oid}
    assert changed == {"README.md", "manifest.json"}
    front = yaml.safe_load(hub.content(name, "README.md").decode().split("---\n")[1])
    counts = {each["config_name"]: each["splits"][0]["num_examples"] for each in front["dataset_info"]}
    assert counts == done["rows"]
    manifest = json.loads(hub.content(name, "manifest.json"))
    assert [each["id"] for each in manifest["runs"]] == [first["run"]["id"], done["run"]["id"]]
    assert set(manifest["files"]) == set(after) - {".gitattributes", "README.md", "manifest.json"}
    assert hub.repo(name).tags == {"first": first["commit"], "v2": done["commit"]}
    assert len(hub.titles(name)) == 3


def test_footers_by_range(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    text = lambda number: "".join(sha512(b"%d %d" % (number, n)).hexdigest() for n in range(4))  # noqa: E731
    long = make(tags=("eng_Latn",), count=1000, answer=text)
    first = glotmill("publish", long.folder, "--repo", name, "--json").plain
    size = next(file["bytes"] for file in first["added"] if file["path"].startswith("data/"))
    hub.store.requests.clear()
    assert glotmill("publish", make("second", ("hin_Deva",), begin=9).folder, "--repo", name).code == 0
    fetched = hub.asked(f"GET /datasets/{name}/resolve/")
    ranges = [each["range"] for each in fetched if each["path"].endswith(".parquet")]
    assert ranges
    ends = [list(map(int, each.removeprefix("bytes=").split("-"))) for each in ranges]
    assert sum(end - start + 1 for start, end in ends) < size / 3


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"topic": lambda number: number}, ["topic: string there, int64 here"]),
        ({"score": 0.5}, ["score: missing there, float64 here"]),
        (
            {"topic": lambda number: [{"a": True}]},
            ["topic: string there, list<struct<a: bool>> here"],
        ),
    ],
)
def test_other_columns(
    hub: Emulator, glotmill: Client, make: Make, name: str, columns: dict[str, object], said: list[str]
) -> None:
    glotmill("publish", make().folder, "--repo", name)
    done = glotmill("publish", make("second", begin=10, **columns).folder, "--repo", name)
    assert done.code == 2
    for line in said:
        assert f"  {line}\n" in done.err
    assert len(hub.titles(name)) == 2
    assert glotmill("publish", "second", "--repo", name, "--dry-run").code == 2


def test_missing_column(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    glotmill("publish", make(score=1).folder, "--repo", name)
    done = glotmill("publish", make("second", begin=10).folder, "--repo", name)
    assert (done.code, "score: int64 there, missing here" in done.err) == (2, True)


def test_column_without_values(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    glotmill("publish", make(note=None).folder, "--repo", name)
    done = glotmill(
        "publish", make("second", begin=10, note="good").folder, "--repo", name, "--json", look=True
    )
    assert done.plain["rows"]["all"] == 24
    third = glotmill("publish", make("third", begin=20, note=7).folder, "--repo", name)
    assert (third.code, "note: string there, int64 here" in third.err) == (2, True)


def test_rows_of_others(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    repo = hub.store.create(name, TOKENS["hf_write"], private=False)
    table = io.BytesIO()
    pl.DataFrame({"x": [1]}).write_parquet(table)
    tree = {**repo.at("main").tree, "train.parquet": Entry(hub.store.put(table.getvalue()), 1)}
    repo.branches["main"] = hub.store.commit(repo, repo.branches["main"], tree, "mine", "tester").id
    done = glotmill("publish", make().folder, "--repo", name)
    assert done.code == 2
    assert "has rows that glotmill did not write, or no valid manifest.json (train.parquet)" in done.err


def test_dataset_without_rows(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    hub.store.create(name, TOKENS["hf_write"], private=False)
    assert glotmill("publish", make().folder, "--repo", name).code == 0
    assert not hub.asked("POST /api/repos/create")


def test_tag_is_there(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    first = glotmill("publish", make().folder, "--repo", name, "--tag", "v1", "--json").plain
    other = make("second", begin=10)
    refused = glotmill("publish", other.folder, "--repo", name, "--tag", "v1")
    assert refused.code == 2
    assert f"--tag v1: already exists at {first['commit'][:12]}" in refused.err
    assert len(hub.titles(name)) == 2
    hub.repo(name).tags["second"] = first["commit"]
    done = glotmill("publish", other.folder, "--repo", name, "--json").plain
    assert done["tag"] == done["run"]["id"]


def test_tag_that_was_not_given(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    run = make()
    glotmill("publish", run.folder, "--repo", name, "--tag", "v1")
    head = hub.repo(name).tags.pop("v1")
    done = glotmill("publish", run.folder, "--repo", name, "--tag", "v1", "--json").plain
    assert done["already"]
    assert hub.repo(name).tags == {"v1": head}


def test_license_afterwards(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    run = make()
    glotmill("publish", run.folder, "--repo", name)
    assert glotmill("publish", run.folder, "--repo", name, "--license", "cc0-1.0").code == 0
    assert "license: cc0-1.0" in hub.content(name, "README.md").decode()
    assert len(hub.titles(name)) == 3
    assert "already" in glotmill("publish", run.folder, "--repo", name, "--license", "cc0-1.0").out
    assert len(hub.titles(name)) == 3


def test_branch_that_is_a_tag(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    glotmill("publish", make().folder, "--repo", name, "--tag", "v1")
    done = glotmill("publish", make("second", begin=10).folder, "--repo", name, "--revision", "v1")
    assert (done.code, "--revision v1: is a tag; name a branch" in done.err) == (2, True)
    assert set(hub.repo(name).branches) == {"main"}


@pytest.mark.parametrize(
    "manifest",
    [
        b"[1]",
        b"{}",
        b"no",
        b"[" * 100_000,
        b'{"format": 1, "runs": [1], "files": {}}',
        b'{"format": 1, "runs": []}',
    ],
)
def test_manifest_that_was_edited(
    hub: Emulator, glotmill: Client, make: Make, name: str, manifest: bytes
) -> None:
    glotmill("publish", make().folder, "--repo", name)
    repo = hub.repo(name)
    tree = {**repo.at("main").tree, "manifest.json": Entry(hub.store.put(manifest), len(manifest))}
    repo.branches["main"] = hub.store.commit(repo, repo.branches["main"], tree, "mine", "tester").id
    done = glotmill("publish", make("second", begin=10).folder, "--repo", name)
    assert (done.code, "or no valid manifest.json" in done.err) == (2, True)


def test_proposals_of_others(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """What is proposed anew is not mistaken for another proposal, in which the run's rows are too."""
    run = make()
    glotmill("publish", run.folder, "--repo", name)
    glotmill("publish", make("second", begin=10).folder, "--repo", name, "--pr")
    for _ in range(2):
        done = glotmill("publish", run.folder, "--repo", name, "--license", "cc0-1.0", "--pr", "--json").plain
        assert done["url"].endswith("/discussions/2")
    assert len(hub.repo(name).proposals) == 2
