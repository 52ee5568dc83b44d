"""A run that has changed since it was published: what came since is added, what is there stays as it is."""

import io
import json
import shutil
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import yaml
from hub.client import Client, Done
from hub.emulator import Emulator

from glotmill.runner import dataset
from glotmill.runner.run_folder import Run

Make = Callable[..., Run]
BOTH = ("eng_Latn", "arb_Arab")


def rows(hub: Emulator, name: str, tag: str, column: str = "id") -> list[Any]:
    """The rows of a language, as they are on the Hub."""
    tree = sorted(hub.repo(name).at("main").tree)
    files = [hub.content(name, path) for path in tree if path.startswith(f"data/{tag}/")]
    return [value for file in files for value in pl.read_parquet(io.BytesIO(file))[column]]


def test_more_rows(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    first = glotmill("publish", make("run", BOTH, 4).folder, "--repo", name, "--json").plain
    before = dict(hub.repo(name).at("main").tree)
    grown = make("grown/run", (*BOTH, "hin_Deva"), 6)
    done = glotmill("publish", grown.folder, "--repo", name, "--json", look=True).plain
    id = first["run"]["id"]
    assert done["rows"] == {"all": 18, "arb_Arab": 6, "eng_Latn": 6, "hin_Deva": 6}
    assert {(file["path"], file["rows"]) for file in done["added"] if "rows" in file} == {
        (f"data/arb_Arab/train-{id}-00001.parquet", 2),
        (f"data/eng_Latn/train-{id}-00001.parquet", 2),
        (f"data/hin_Deva/train-{id}-00000.parquet", 6),
    }
    after = hub.repo(name).at("main").tree
    changed = {path for path in before if after[path].oid != before[path].oid}
    assert changed == {"README.md", "manifest.json", f"runs/{id}/report.html", f"runs/{id}/run.json"}
    for tag in BOTH:
        assert rows(hub, name, tag) == [f"{n:04d}" for n in range(6)]
    assert len(hub.titles(name)) == 3
    assert hub.titles(name)[0].startswith("Add 10 rows of the run run (")
    assert hub.repo(name).tags == {"run": first["commit"], done["tag"]: done["commit"]}
    manifest = json.loads(hub.content(name, "manifest.json"))
    assert [(each["id"], each["rows"]["eng_Latn"]) for each in manifest["runs"]] == [(id, 6)]
    assert {path for path in manifest["files"] if path.startswith("data/")} == set(
        manifest["runs"][0]["files"]
    )
    card = hub.content(name, "README.md").decode()
    assert card.count("<!-- glotmill:run end -->") == card.count(f"<!-- glotmill:run {id}") == 1
    assert f"`runs/{id}/run.json`" in card
    assert "| `eng_Latn` | 0 | 6 | 6 |" in card
    front = yaml.safe_load(card.split("---\n")[1])
    assert {of["config_name"]: of["splits"][0]["num_examples"] for of in front["dataset_info"]} == done[
        "rows"
    ]


def test_again_and_again(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """A run that grew twice; another one beside it; each published anew, of which nothing is sent."""
    glotmill("publish", make("other/run", ("eng_Latn",), 3, begin=100).folder, "--repo", name, "--tag", "v0")
    for count in (2, 5, 7):
        done = glotmill(
            "publish", make(f"{count}/run", ("eng_Latn",), count).folder, "--repo", name, "--json"
        )
    hub.store.requests.clear()
    again = glotmill("publish", make("same/run", ("eng_Latn",), 7).folder, "--repo", name, "--json").plain
    assert (again["already"], again["tag"]) == (True, done.plain["tag"])
    assert not [each for each in hub.asked(".parquet") if not each["range"]], "rows are not fetched"
    assert sorted(rows(hub, name, "eng_Latn")) == [f"{n:04d}" for n in (*range(7), 100, 101, 102)]
    assert len(hub.titles(name)) == 5


def test_nothing_new_without_manifest(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """What the manifest does not tell, the rows do."""
    glotmill("publish", make("2/run", ("eng_Latn",), 2).folder, "--repo", name)
    glotmill("publish", make("5/run", ("eng_Latn",), 5).folder, "--repo", name)
    repo = hub.repo(name)
    manifest = json.loads(hub.content(name, "manifest.json"))
    manifest["runs"][0]["state"] = "0" * 12
    entry = repo.at("main").tree["manifest.json"]
    hub.store.place(entry).write_text(json.dumps(manifest).ljust(entry.size))
    done = glotmill("publish", make("same/run", ("eng_Latn",), 5).folder, "--repo", name, "--json").plain
    assert done["already"]
    assert len(hub.titles(name)) == 3


def test_lost_answer(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    glotmill("publish", make("run", BOTH, 4).folder, "--repo", name)
    hub.fail("POST .*/commit/", drop=True, after=True)
    done = glotmill("publish", make("grown/run", BOTH, 6).folder, "--repo", name, "--json").plain
    assert (done["already"], len([file for file in done["added"] if "rows" in file])) == (False, 2)
    assert len(hub.titles(name)) == 3


def test_dry_run(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    glotmill("publish", make("run", BOTH, 4).folder, "--repo", name)
    grown = make("grown/run", BOTH, 6)
    found = glotmill("publish", grown.folder, "--repo", name, "--dry-run", "--json").plain
    assert found["configs"]["all"] == 12
    assert sum(file.get("rows", 0) for file in found["files"]) == 4
    assert len(hub.titles(name)) == 2


def _refused(glotmill: Client, run: Run, name: str) -> Done:
    done = glotmill("publish", run.folder, "--repo", name)
    assert done.code == 2, done.err
    assert "Published rows are never rewritten; publish to another name" in done.err
    return done


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"begin": 1}, "its row 0 is 0000, where the run has 0001"),
        ({"count": 3}, "its row 3 is 0003, where the run has no row"),
        ({"id": lambda n: f"{n + 5 * (n == 2):04d}"}, "its row 2 is 0002, where the run has 0007"),
        (
            {"topic": lambda n: f"topic {n}" if n < 3 else "x"},
            "'topic' of its row 3 (0003) differs in the run",
        ),
        ({"answer": "no"}, "'messages' of its row 0 (0000) differs in the run"),
    ],
)
def test_other_rows(
    hub: Emulator, glotmill: Client, make: Make, name: str, change: dict[str, Any], said: str
) -> None:
    glotmill("publish", make(tags=BOTH).folder, "--repo", name)
    done = _refused(glotmill, make("changed", **{"tags": BOTH, "count": 8, **change}), name)
    assert "data/eng_Latn/train-" in done.err
    assert said in done.err
    assert len(hub.titles(name)) == 2


def test_values_of_all_kinds(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """Not a number is what it was, and so is nothing in a column that had no value before."""
    first = make(tags=("eng_Latn",), score=lambda n: float("nan"), note=None)
    glotmill("publish", first.folder, "--repo", name)
    more = make(
        "more", ("eng_Latn",), 6, score=lambda n: float("nan"), note=lambda n: None if n < 4 else "good"
    )
    done = glotmill("publish", more.folder, "--repo", name, "--json").plain
    assert done["rows"]["all"] == 6
    assert rows(hub, name, "eng_Latn", "note") == [None, None, None, None, "good", "good"]


def test_what_is_told_anew(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """A file of the recipe that came since is sent; one that is gone, goes."""
    run = make()
    (run.folder / "recipe").mkdir()
    (run.folder / "recipe" / "answer.j2").write_text("old")
    first = glotmill("publish", run.folder, "--repo", name, "--json").plain
    (run.folder / "recipe" / "answer.j2").rename(run.folder / "recipe" / "other.j2")
    dry = glotmill("publish", run.folder, "--repo", name, "--dry-run").out
    assert f"no longer has them: runs/{first['run']['id']}/recipe/answer.j2\n" in dry
    done = glotmill("publish", run.folder, "--repo", name, "--json").plain
    place = f"runs/{first['run']['id']}"
    tree = hub.repo(name).at("main").tree
    assert {path for path in tree if path.startswith("runs/")} == {
        f"{place}/recipe/other.j2",
        f"{place}/report.html",
        f"{place}/run.json",
    }
    assert set(json.loads(hub.content(name, "manifest.json"))["files"]) == set(tree) - {
        ".gitattributes",
        "README.md",
        "manifest.json",
    }
    assert done["rows"] == first["rows"]
    assert hub.titles(name)[0] == f"Update the description of the run first ({first['run']['id']})"
    assert hub.repo(name).tags == {"first": first["commit"]}
    again = glotmill("publish", run.folder, "--repo", name, "--json")
    assert (again.plain["already"], "older than the rows" in again.err) == (True, False)


@pytest.mark.parametrize("fewer", [{"tags": BOTH, "count": 3}, {"tags": BOTH[:1], "count": 5}])
def test_fewer_rows(hub: Emulator, glotmill: Client, make: Make, name: str, fewer: dict[str, Any]) -> None:
    """An earlier state of what is there, or one without a language: it is not told as if it were all."""
    for count in (3, 5):
        glotmill("publish", make(f"{count}/run", BOTH, count).folder, "--repo", name)
    done = _refused(glotmill, make("fewer/run", **fewer), name)
    assert ".parquet has rows that" in done.err
    assert len(hub.titles(name)) == 3


def test_only_what_may_differ_is_fetched(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    first = glotmill("publish", make("run", BOTH, 4).folder, "--repo", name, "--json").plain
    grown = make("grown/run", BOTH, 4)
    dataset.write(grown.folder / "dataset", "arb_Arab", [make("more", BOTH, 6).frame("arb_Arab")])
    grown.write_rows("arb_Arab-00000", make("rows", BOTH, 6).rows("arb_Arab").collect())
    hub.store.requests.clear()
    done = glotmill("publish", grown.folder, "--repo", name, "--json").plain
    assert done["rows"] == {"all": 10, "arb_Arab": 6, "eng_Latn": 4}
    whole = [each["path"] for each in hub.asked("GET ") if "/data/" in each["path"] and not each["range"]]
    assert [path.rpartition("/data/")[2] for path in whole] == [
        f"arb_Arab/train-{first['run']['id']}-00000.parquet"
    ]


def test_files_of_equal_rows(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """A long language has several files; of those that are there, nothing is fetched but ends."""
    first, grown = make("run", ("eng_Latn",), 4), make("grown/run", ("eng_Latn",), 6)
    glotmill("publish", first.folder, "--repo", name)
    (old,) = first.folder.glob("dataset/*/*.parquet")
    folder = grown.folder / "dataset" / "eng_Latn"
    dataset.write(grown.folder / "dataset", "eng_Latn", [grown.frame()[4:]])
    (folder / "train-00000-of-00001.parquet").rename(folder / "train-00001-of-00002.parquet")
    shutil.copy(old, folder / "train-00000-of-00002.parquet")
    hub.store.requests.clear()
    assert glotmill("publish", grown.folder, "--repo", name, "--json").plain["rows"]["all"] == 6
    assert not [each for each in hub.asked("GET ") if "/data/" in each["path"] and not each["range"]]
    assert rows(hub, name, "eng_Latn") == [f"{n:04d}" for n in range(6)]


def test_file_that_is_not_to_be_replaced(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """The name of the next file is taken, by rows that the run has not any more."""
    glotmill("publish", make("2/run", ("eng_Latn",), 2).folder, "--repo", name)
    glotmill("publish", make("4/run", ("eng_Latn",), 4).folder, "--repo", name)
    moved = make("moved/run", ("eng_Latn",), 4, id=lambda n: f"{n + 5 * (n > 1):04d}")
    done = glotmill("publish", moved.folder, "--repo", name)
    assert (done.code, "-00001.parquet has rows that" in done.err) == (2, True)
    assert rows(hub, name, "eng_Latn") == [f"{n:04d}" for n in range(4)]
