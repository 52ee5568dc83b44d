"""Addresses of object storage are refused before anything is done, and the message says what to do."""

from pathlib import Path

import pytest

from glotmill.cli import main
from glotmill.errors import UsageError
from glotmill.io.local_paths import local_path


@pytest.mark.parametrize("path", ["runs/a", "/tmp/hf", "a:b", "C:/runs", Path("x"), "hf", ""])
def test_paths_of_this_machine_are_taken(path: str | Path) -> None:
    assert local_path(path) == Path(path)


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("s3://bucket/run", "aws s3 sync FOLDER s3://bucket/run"),
        ("gs://bucket/run", "gcloud storage rsync -r FOLDER gs://bucket/run"),
        ("hf://datasets/me/data", "hf upload me/data FOLDER --repo-type dataset"),
        ("hf://me/data/more", "hf upload me/data FOLDER --repo-type dataset"),
        ("hf://buckets/me/store/run", "hf sync FOLDER hf://buckets/me/store/run"),
        ("azure://bucket/run", "rclone copy FOLDER REMOTE:bucket/run"),
        (Path("s3://bucket/run"), "aws s3 sync FOLDER s3://bucket/run"),
    ],
)
def test_what_to_do_instead(path: str | Path, command: str) -> None:
    with pytest.raises(UsageError) as error:
        local_path(path)
    message = str(error.value)
    assert message.endswith(f"then: {command}")
    assert "cannot be appended to, locked or renamed" in message


def test_a_name_with_a_nul_byte_is_none() -> None:
    with pytest.raises(UsageError, match=r"'a\\x00b': holds a NUL byte, which no name of a folder can"):
        local_path("a\0b")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["run", "instruction", "--engine", "echo"], "glotmill publish FOLDER --repo me/data"),
        (["filter", "nothing.jsonl", "--filters", "length"], "hf upload me/data FOLDER --repo-type dataset"),
        (["export", "nothing"], "hf upload me/data FOLDER --repo-type dataset"),
        (["report", "nothing"], "hf upload me/data FILE --repo-type dataset"),
    ],
)
def test_every_command_refuses_before_it_does_anything(
    arguments: list[str],
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "-o", "hf://datasets/me/data"]) == 2
    assert f"then: {command}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
