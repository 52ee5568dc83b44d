"""A first publish: what is on the Hub afterwards, and that it loads."""

import json
from collections.abc import Callable
from hashlib import sha256

import pytest
import yaml
from hub.client import Client
from hub.emulator import Emulator

from glotmill.runner.run_folder import Run

Make = Callable[..., Run]


@pytest.mark.parametrize("storage", ["lfs", "xet"])
def test_first(hub: Emulator, glotmill: Client, make: Make, name: str, storage: str) -> None:
    run = make()
    done = glotmill("publish", run.folder, "--repo", name, "--json", look=True).plain
    assert done["rows"] == {"all": 12, "arb_Arab": 4, "eng_Latn": 4, "zho_Hans": 4}
    assert hub.titles(name) == [f"Add 12 rows of the run first ({done['run']['id']})", "initial commit"]
    repo = hub.repo(name)
    assert repo.tags == {"first": done["commit"]}
    assert (repo.private, repo.gated) == (False, False)
    made = run.folder / "dataset" / "eng_Latn" / "train-00000-of-00001.parquet"
    path = f"data/eng_Latn/train-{done['run']['id']}-00000.parquet"
    assert hub.content(name, path) == made.read_bytes()
    assert bool(repo.at("main").tree[path].xet) == (storage == "xet")
    assert len(hub.asked("POST /api/repos/create")) == len(hub.asked("/commit/main")) == 1


def test_manifest(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    done = glotmill("publish", make().folder, "--repo", name, "--tag", "v1", "--json").plain
    manifest = json.loads(hub.content(name, "manifest.json"))
    paths = set(hub.repo(name).at("v1").tree)
    assert set(manifest["files"]) == paths - {".gitattributes", "README.md", "manifest.json"}
    for path, about in manifest["files"].items():
        content = hub.content(name, path)
        assert about["sha256"] == sha256(content).hexdigest()
        assert about["bytes"] == len(content)
    assert [each["rows"] for each in manifest["runs"]] == [
        dict.fromkeys(("arb_Arab", "eng_Latn", "zho_Hans"), 4)
    ]
    assert manifest["files"][f"data/zho_Hans/train-{done['run']['id']}-00000.parquet"]["rows"] == 4


def test_card_has_configs(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    assert glotmill("publish", make().folder, "--repo", name, "--license", "cc-by-4.0").code == 0
    text = hub.content(name, "README.md").decode()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license"] == "cc-by-4.0"
    assert [each["config_name"] for each in front["configs"]] == ["all", "arb_Arab", "eng_Latn", "zho_Hans"]
    assert [each.get("default", False) for each in front["configs"]] == [True, False, False, False]
    counts = {each["config_name"]: each["splits"][0]["num_examples"] for each in front["dataset_info"]}
    assert counts == {"all": 12, "arb_Arab": 4, "eng_Latn": 4, "zho_Hans": 4}


def test_again_is_nothing(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    run = make()
    first = glotmill("publish", run.folder, "--repo", name, "--tag", "v1", "--json").plain
    hub.store.requests.clear()
    again = glotmill("publish", run.folder, "--repo", name)
    assert again.code == 0
    assert "already has this run" in again.out
    assert "tag v1" in again.out
    assert len(hub.titles(name)) == 2
    assert hub.repo(name).tags == {"v1": first["commit"]}
    assert not [each for each in hub.store.requests if each["method"] not in ("GET", "HEAD")][
        1:
    ]  # paths-info


def test_dry_run(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    run = make()
    found = glotmill("publish", run.folder, "--repo", name, "--dry-run", "--json").plain
    assert found["remote"] is None
    assert found["configs"] == {"all": 12, "arb_Arab": 4, "eng_Latn": 4, "zho_Hans": 4}
    assert name not in hub.store.repos
    assert {each["method"] for each in hub.store.requests} == {"GET"}
    glotmill("publish", run.folder, "--repo", name)
    sent = {path for path in hub.repo(name).at("main").tree if path != ".gitattributes"}
    assert {file["path"] for file in found["files"]} == sent
    assert found["card"].encode() == hub.content(name, "README.md")
    other = make("second", ("hin_Deva",), begin=10)
    text = glotmill("publish", other.folder, "--repo", name, "--dry-run", token=None)
    assert text.code == 0
    for said in (
        "12 rows of other runs",
        "tags first",
        "hin_Deva",
        "Hindi",
        "num_examples: 16",
        "Nothing was sent",
    ):
        assert said in text.out
    assert "You are not logged in" in text.out
    assert len(hub.titles(name)) == 2


def test_many_languages(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    from glotmill.languages import table

    tags = tuple(language.tag for language in table()[:200])
    done = glotmill("publish", make(tags=tags, count=1).folder, "--repo", name, "--json").plain
    assert done["rows"]["all"] == 200
    assert len(done["rows"]) == 201
    assert len(hub.asked("/commit/main")) == 1
    hub.store.requests.clear()
    more = glotmill("publish", make("more", tags, 1, begin=10).folder, "--repo", name, "--json").plain
    assert more["rows"] == {"all": 400, **dict.fromkeys(sorted(tags), 2)}
    assert (
        len([each for each in hub.store.requests if each["method"] == "GET"]) < 620
    )  # three for each old file


def test_proposal(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    glotmill("publish", make().folder, "--repo", name)
    other = make("second", begin=10)
    done = glotmill("publish", other.folder, "--repo", name, "--pr", "--json", look=True).plain
    assert done["url"].endswith(f"{name}/discussions/1")
    assert done["tag"] is None
    assert done["rows"]["all"] == 24
    assert len(hub.titles(name)) == 2
    again = glotmill("publish", other.folder, "--repo", name, "--pr", "--json").plain
    assert (again["url"], len(hub.repo(name).proposals)) == (done["url"], 1)


def test_branch(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    glotmill("publish", make().folder, "--repo", name)
    done = glotmill(
        "publish", make("second", begin=10).folder, "--repo", name, "--revision", "dev", "--json"
    ).plain
    repo = hub.repo(name)
    assert repo.branches["dev"] == repo.tags["second"] == done["commit"]
    assert repo.branches["main"] == repo.tags["first"]


def test_private_and_gated(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    run = make()
    wishes = ("--private", "--gated", "manual", "--json")
    assert glotmill("publish", run.folder, "--repo", name, *wishes, look=True).code == 0
    assert (hub.repo(name).private, hub.repo(name).gated) == (True, "manual")
    places = [f"{each['method']} {each['path']}" for each in hub.store.requests]
    settings = next(n for n, place in enumerate(places) if place.endswith("/settings"))
    assert settings < next(n for n, place in enumerate(places) if "/commit/" in place)
    stranger = glotmill("publish", run.folder, "--repo", name, "--dry-run", "--json", token="hf_other").plain
    assert stranger["remote"] is None


def test_private_afterwards(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    run = make()
    glotmill("publish", run.folder, "--repo", name)
    glotmill("publish", run.folder, "--repo", name, "--private", "--gated", "auto")
    assert (hub.repo(name).private, hub.repo(name).gated) == (True, "auto")
    assert len(hub.titles(name)) == 2
