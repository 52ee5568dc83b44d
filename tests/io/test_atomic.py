"""Files and folders that appear complete or not at all."""

from pathlib import Path

import pytest

from glotmill.io import atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_once_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.txt"
    atomic.write_text(file, "one\ud800")
    assert file.read_bytes() == b"one?"
    with atomic.draft_file(file) as draft:
        draft.write_text("two")
        assert file.read_bytes() == b"one?"
    assert (file.read_text(), names(file.parent)) == ("two", ["a.txt"])


def test_after_an_error_the_old_file_is_there_and_no_draft(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "a.txt", "one")

    def fail() -> None:
        with atomic.draft_file(tmp_path / "a.txt") as draft:
            draft.write_text("tw")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert ((tmp_path / "a.txt").read_text(), names(tmp_path)) == ("one", ["a.txt"])


def test_the_draft_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".a.tmp").mkdir()
    (tmp_path / ".a.tmp" / "half").write_text("")
    with atomic.draft_folder(tmp_path / "a") as draft:
        (draft / "b").write_text("")
    assert (names(tmp_path), names(tmp_path / "a")) == (["a"], ["b"])


def test_a_folder_that_stays_empty_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with atomic.draft_folder(tmp_path / "a"):
        pass
    assert not names(tmp_path)


def test_files_replace_those_of_their_kind_only(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "mine.md"):
        (folder / name).write_text("old")

    def own(where: Path) -> list[Path]:
        return sorted(where.glob("*.txt"))

    with atomic.draft_files(folder, own) as draft:
        (draft / "b.txt").write_text("new")
        (draft / "c.txt").write_text("new")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "b.txt": "new",
        "c.txt": "new",
        "mine.md": "old",
    }
    with atomic.draft_files(folder, own):
        pass
    assert names(folder) == ["mine.md"]
    (folder / "mine.md").unlink()
    with atomic.draft_files(folder, own):
        pass
    assert names(tmp_path) == []
