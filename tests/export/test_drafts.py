"""A folder that appears whole or not at all, and in the place only of its own."""

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
from exported import all_languages, ids
from finished import SAID

from glotmill.errors import UsageError
from glotmill.export.export import export
from glotmill.runner import dataset


def test_an_export_takes_the_place_of_an_export(tmp_path: Path) -> None:
    made = all_languages(tmp_path, 10)
    export(made, tmp_path / "out", split="train=0.5,test=0.5")
    export(made, tmp_path / "out", "openai-chat")
    names = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert names == {"README.md", "export.json", *(f"{tag}/train.jsonl" for tag in SAID)}
    assert {p.name for p in tmp_path.iterdir()} >= {"out", "run"}
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".out")]


@pytest.mark.parametrize("name", ["checkpoint.bin", "eng_Latn/notes.txt"])
def test_what_is_not_of_an_export_is_never_replaced(tmp_path: Path, name: str) -> None:
    made = all_languages(tmp_path, 10)
    export(made, tmp_path / "out")
    before = ids(tmp_path / "out")
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(
        UsageError, match=rf"out: holds what is not of an export \({name}\); name another folder"
    ):
        export(made, tmp_path / "out", "openai-chat")
    assert (tmp_path / "out" / name).read_text() == "mine"
    assert ids(tmp_path / "out") == before
    with pytest.raises(UsageError, match=r"run: holds what is not of an export \(dataset and \d+ more\)"):
        export(made, made.folder)
    with pytest.raises(UsageError, match=r"own_formats\.py: a file; name a folder"):
        export(made, tmp_path / "own_formats.py")


def test_an_empty_folder_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export(all_languages(tmp_path, 10), tmp_path / "out")
    assert len(ids(tmp_path / "out")) == 10 * len(SAID)


def test_an_export_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = all_languages(tmp_path, 10)
    export(made, tmp_path / "out")
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    monkeypatch.setattr(
        dataset, "write_files", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(OSError, match="No space left"):
        export(made, tmp_path / "out", split="train=0.5,test=0.5")
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".out")]


def test_what_came_into_the_folder_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, real = all_languages(tmp_path, 10), dataset.write_files

    def slow(*given: Any) -> int:
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / "checkpoint.bin").write_text("mine")
        return real(*given)

    monkeypatch.setattr(dataset, "write_files", slow)
    with pytest.raises(UsageError, match=r"out: holds what is not of an export \(checkpoint\.bin\)"):
        export(made, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["checkpoint.bin"]


def test_what_a_killed_export_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".out.tmp" / "eng_Latn").mkdir(parents=True)
    (tmp_path / ".out.tmp" / "eng_Latn" / "old-00000-of-00001.parquet").write_text("half")
    export(all_languages(tmp_path, 10), tmp_path / "out")
    assert not list((tmp_path / "out").rglob("old-*"))


def test_two_do_not_write_one_folder(tmp_path: Path) -> None:
    made = all_languages(tmp_path, 10)
    (tmp_path / ".out.tmp").mkdir()
    other = os.open(tmp_path / ".out.tmp", os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(UsageError, match=r"out: another process is writing it"):
        export(made, tmp_path / "out")
    assert (tmp_path / ".out.tmp").exists()
    os.close(other)
    export(made, tmp_path / "out")


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    made = all_languages(tmp_path, 10)
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    for _ in range(2):
        export(made, tmp_path / "out")
    assert (tmp_path / "out").is_symlink()
    assert len(ids(tmp_path / "disk")) == 10 * len(SAID)


def test_a_link_in_an_export_is_not_of_it(tmp_path: Path) -> None:
    made = all_languages(tmp_path, 10)
    export(made, tmp_path / "out")
    (tmp_path / "out" / "mine").symlink_to(made.folder)
    with pytest.raises(UsageError, match=r"out: holds what is not of an export \(mine\)"):
        export(made, tmp_path / "out")
    assert (tmp_path / "out" / "mine").is_symlink()


def test_no_disk_is_searched_for_what_is_not_of_an_export(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^/: holds what is not of an export"):
        export(all_languages(tmp_path, 10), Path("/"))
