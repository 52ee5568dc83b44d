"""Who may publish, and what is said to who may not; and what is wrong before anything is sent."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hub.client import Client
from hub.emulated_store import Entry
from hub.emulator import TOKENS, Emulator

from glotmill.runner.run_folder import Run

Make = Callable[..., Run]


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("hf_nobody", "401 Invalid credentials"),
        ("hf_read", "403 You don't have the rights to write"),
        ("hf_other", "403 You don't have the rights to write"),
        (None, "not logged in to the Hugging Face Hub; run `hf auth login`, or set HF_TOKEN"),
        ("hf_wrïte", "has characters that no token has"),
        ("hf wri te", "has characters that no token has"),
    ],
)
@pytest.mark.parametrize("there", [False, True])
def test_refused(
    hub: Emulator, glotmill: Client, make: Make, name: str, token: str | None, said: str, there: bool
) -> None:
    run = make()
    if there:
        glotmill("publish", make("before", begin=10).folder, "--repo", name)
        hub.store.requests.clear()
    done = glotmill("publish", run.folder, "--repo", name, token=token)
    assert done.code == 4
    assert said in done.err
    assert "Traceback" not in done.err
    done_there = [e["path"] for e in hub.store.requests if e["method"] != "GET" and e["status"] < 300]
    assert set(done_there) <= {"/api/validate-yaml"}


def test_dry_run_with_a_wrong_login(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """However the Hub says it, that is not told as if there were no such dataset."""
    run = make()
    done = glotmill("publish", run.folder, "--repo", name, "--dry-run", token="hf_nobody")
    assert (done.code, "401 Invalid credentials" in done.err) == (4, True)
    said = {"X-Error-Message": "Invalid username or password.", "X-Error-Code": "RepoNotFound"}
    hub.fail("GET /api/datasets/", status=401, headers=said)
    done = glotmill("publish", run.folder, "--repo", name, "--dry-run")
    assert (done.code, "401 Invalid username or password." in done.err) == (4, True)


def test_stored_login(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    stored = glotmill.home / "token"
    stored.write_text("hf_write")
    done = glotmill("publish", make().folder, "--repo", name, token=None)
    stored.unlink()
    assert done.code == 0, done.err


@pytest.mark.parametrize("how", ["--token", "--token=hf_secret"])
def test_no_token_on_the_command_line(glotmill: Client, make: Make, name: str, how: str) -> None:
    done = glotmill("publish", make().folder, "--repo", name, how, "hf_secret")
    assert done.code == 2
    assert "No such option" in done.err
    assert "hf_secret" not in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--repo", "alone"], "write it as org/name"),
        (["--repo", "a/b/c"], "write it as org/name"),
        (["--repo", "a/b--c"], "write it as org/name"),
        (["--repo", "a/b", "--tag", "a b"], "--tag a b"),
        (["--repo", "a/b-"], "write it as org/name"),
        (["--repo", "a/b.git"], "write it as org/name"),
        (["--repo", "ü/b"], "write it as org/name"),
        (["--repo", "a/b", "--tag", "v1", "--pr"], "--tag: a pull request cannot be tagged"),
        (["--repo", "a/b", "--tag", "v1", "--revision", "refs/pr/1"], "--tag: a pull request"),
        (["--repo", "a/b", "--revision", "my branch"], "--revision my branch: not a valid branch name"),
        (["--repo", "a/b", "--revision", "../main"], "--revision ../main"),
        (["--repo", "a/b", "--revision", "dev", "--pr"], "--pr and --revision"),
        (["--repo", "a/b", "--gated", "yes"], "--gated"),
        ([], "--repo"),
    ],
)
def test_usage(hub: Emulator, glotmill: Client, make: Make, arguments: list[str], said: str) -> None:
    done = glotmill("publish", make().folder, *arguments)
    assert (done.code, said in done.err) == (2, True)
    assert not hub.store.requests


def test_no_run(hub: Emulator, glotmill: Client, tmp_path: Path, make: Make) -> None:
    done = glotmill("publish", tmp_path / "none", "--repo", "acme/none")
    assert (done.code, "no run here" in done.err) == (2, True)
    assert not (tmp_path / "none").exists()
    run = make()
    (run.folder / "dataset" / "eng_Latn" / "train-00000-of-00001.parquet").unlink()
    done = glotmill("publish", run.folder, "--repo", "acme/none")
    assert (done.code, "not finished: eng_Latn has 0 rows" in done.err) == (2, True)
    assert not hub.store.requests


def test_export_is_no_run(glotmill: Client, tmp_path: Path, make: Make) -> None:
    assert glotmill("export", make().folder, "-o", tmp_path / "out").code == 0
    done = glotmill("publish", tmp_path / "out", "--repo", "acme/none")
    assert (done.code, "publish takes the folder of a run" in done.err) == (2, True)


def test_run_at_work(hub: Emulator, glotmill: Client, make: Make) -> None:
    run = make()
    with run.lock():
        done = glotmill("publish", run.folder, "--repo", "acme/none")
    assert (done.code, "another process" in done.err) == (2, True)


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize(
    "text", ["---\nlanguage: [no]\n---\n", "---\nlanguage: : [\n---\n", "---\nlanguage: English\n---\n"]
)
def test_bad_card(hub: Emulator, glotmill: Client, make: Make, name: str, text: str, checked: bool) -> None:
    """It is refused here before there is a repository, and were it not, by the Hub, before a file is sent."""
    done = glotmill("publish", make().folder, "--repo", name, bad_card=text, checked=checked)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert (name in hub.store.repos) != checked
    assert not hub.asked("PUT ")
    assert not hub.asked("/commit/")


def test_bad_card_there(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    repo = hub.store.create(name, TOKENS["hf_write"], private=False)
    tree = {**repo.at("main").tree, "README.md": Entry(hub.store.put(b"---\na: : [\n---\nMine."), 20)}
    repo.branches["main"] = hub.store.commit(repo, repo.branches["main"], tree, "mine", "tester").id
    done = glotmill("publish", make().folder, "--repo", name)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert hub.titles(name) == ["mine", "initial commit"]


def test_own_words_stay(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    repo = hub.store.create(name, TOKENS["hf_write"], private=False)
    mine = b"---\nlicense: mit\npretty_name: My data\n---\nMy own words, at gpu7.example.org.\n"
    tree = {**repo.at("main").tree, "README.md": Entry(hub.store.put(mine), len(mine))}
    repo.branches["main"] = hub.store.commit(repo, repo.branches["main"], tree, "mine", "tester").id
    run = make(answer="by gpu7.example.org")
    run.write_info({**run.info(), "engine_args": {"base_url": "http://gpu7.example.org:8000/v1"}})
    assert glotmill("publish", run.folder, "--repo", name).code == 0
    text = hub.content(name, "README.md").decode()
    assert text.count("gpu7.example.org") == 1
    for said in (
        "license: mit",
        "pretty_name: My data",
        "My own words, at gpu7.example.org.",
        "num_examples: 12",
    ):
        assert said in text


def test_what_does_not_load(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """What is on the Hub is not what was sent: that is said, with what to do."""
    text = "---\nconfigs:\n- config_name: eng_Latn\n  data_files: data/eng_Latn/*.parquet\n---\n"
    done = glotmill("publish", make().folder, "--repo", name, bad_card=text, checked=False, look=True)
    assert done.code == 1
    assert f"commit {hub.repo(name).branches['main'][:12]}, tag first is on the Hub" in done.err
    assert "  all: 12 rows were sent, but loading it gives" in done.err
    assert "  eng_Latn" not in done.err
    assert "Run the same command again" in done.err
