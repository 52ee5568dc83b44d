"""The recipe that `glotmill new` writes."""

import json
from pathlib import Path

import pytest
from commands import ECHO

from glotmill.cli import main
from glotmill.runner.run_folder import Run


def test_new_writes_a_working_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "my first recipe"]) == 0
    out, err = capsys.readouterr()
    assert "my first recipe/recipe.yaml" in out.splitlines()
    assert "glotmill check 'my first recipe'" in err
    assert main(["check", "my first recipe"]) == 0
    assert main(["run", "my first recipe", "-n", "5", "-l", "eng", *ECHO]) == 0
    assert Run(tmp_path / "runs" / "my-first-recipe-echo").frame("eng_Latn").height == 5
    capsys.readouterr()
    assert main(["preview", "my first recipe", "-l", "spa", "--json"]) == 0
    user = json.loads(capsys.readouterr().out)["rows"][0]["asked"][-1]["content"]
    assert user.startswith("¿Me explicas")
    assert user == user.strip()
    assert "\n" not in user
    assert "'./my first recipe'" in (tmp_path / "my first recipe" / "README.md").read_text()
    assert "Unreviewed" in (tmp_path / "my first recipe" / "answer.spa_Latn.j2").read_text()


def test_new_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "a" / "b")]) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "a" / "b").iterdir()}
    assert main(["new", str(tmp_path / "a" / "b")]) == 2
    assert "not empty" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "a" / "b").iterdir()} == before
    (tmp_path / "file").write_text("mine")
    assert main(["new", str(tmp_path / "file")]) == 2
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert main(["new", str(tmp_path / "empty")]) == 0
    assert len((tmp_path / "empty" / "seeds.jsonl").read_text().splitlines()) == 5


def test_new_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "mine"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["folder"] == str(tmp_path / "mine")
    assert str(tmp_path / "mine" / "recipe.yaml") in result["files"]
