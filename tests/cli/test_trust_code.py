"""What a recipe or a run names as `module:function` runs only with `--trust-code`."""

import subprocess
import sys
from pathlib import Path

import pytest

import glotmill
from glotmill.cli import main
from glotmill.errors import RecipeError
from glotmill.runner.run import RunOptions

RECIPE = """
about: Sayings.
languages: [fra_Latn]
seeds: {rows: [{topic: rain}, {topic: snow}]}
steps:
  - generate: saying
  - %s
output: {columns: [saying]}
"""
CODE = """
from pathlib import Path
import polars as pl
Path("ran").touch()
def keep(column):
    return pl.lit(None, pl.String)
def same(table):
    return table
def detect(texts):
    raise ValueError
"""
STEPS = [
    "{filter: 'stranger:keep', of: saying}",
    "{transform: 'stranger:same'}",
    "{filter: language, of: saying, detectors: ['stranger:detect']}",
]
RUN = ["run", ".", "-n", "1", "--engine", "echo", "-o", "made"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a recipe, a module, and nothing trusted."""
    monkeypatch.setenv("GLOTMILL_TRUST_CODE", "")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.delitem(sys.modules, "stranger", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saying.j2").write_text("Say it: {{ topic }}")
    (tmp_path / "stranger.py").write_text(CODE)
    (tmp_path / "recipe.yaml").write_text(RECIPE % STEPS[0])
    (tmp_path / "rows.jsonl").write_text('{"text": "It rains."}\n')
    (tmp_path / "filters.yaml").write_text("- {filter: 'stranger:keep', of: text}\n")
    return tmp_path


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("command", [["check", "."], ["preview", "."], RUN])
def test_code_of_a_recipe_is_refused(
    command: list[str], step: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "recipe.yaml").write_text(RECIPE % step)
    assert main(command) == 2
    assert "is Python code" in (text := capsys.readouterr().err)
    assert "--trust-code" in text
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("command", [["check", "."], ["preview", "."], RUN])
def test_code_that_the_user_trusts_runs(command: list[str], folder: Path) -> None:
    assert main([*command, "--trust-code"]) == 0
    assert (folder / "ran").exists()
    assert main(["check", "."]) == 2  # trusted by that command alone


def test_code_of_a_run_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--trust-code"]) == 0
    (folder / "ran").unlink()
    sys.modules.pop("stranger")
    capsys.readouterr()
    assert main(["report", "made"]) == 0
    assert main(["show", "made"]) == 0
    row = glotmill.Run(Path("made")).frame()["id"][0]
    assert main(["filter", "made", "--explain", row, "-l", "fra"]) == 2
    assert "--trust-code" in capsys.readouterr().err
    assert not (folder / "ran").exists()


def test_code_in_a_file_of_filters_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["filter", "rows.jsonl", "-o", "kept", "-l", "eng", "--filters"]
    assert main([*command, "filters.yaml"]) == 2
    assert "--trust-code" in capsys.readouterr().err
    assert not (folder / "ran").exists()
    assert main([*command, "filters.yaml", "--trust-code"]) == 0


@pytest.mark.parametrize(
    "command",
    [
        ["filter", "rows.jsonl", "-o", "kept", "-l", "eng", "--filters", "stranger:keep"],
        ["show", "stranger:keep"],
    ],
)
def test_code_that_the_command_line_names_runs(command: list[str], folder: Path) -> None:
    assert main(command) == 0
    assert (folder / "ran").exists()


def test_the_library_refuses_code_too(folder: Path) -> None:
    options: RunOptions = {"engine": "echo", "per_language": 1, "folder": "made"}
    with pytest.raises(RecipeError, match="--trust-code"):
        glotmill.run(folder, **options)
    assert not (folder / "ran").exists()
    assert glotmill.run(folder, **options, trust_code=True).frame().height == 1


def test_no_module_of_the_working_folder_is_imported(folder: Path) -> None:
    for name in ("random", "fasttext", "lingua", "yaml"):
        (folder / f"{name}.py").write_text("raise SystemExit('imported')")
    (folder / "recipe.yaml").write_text(RECIPE % "{filter: length, of: saying}")
    command = [sys.executable, "-m", "glotmill", *RUN]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "imported" not in result.stderr
    assert result.returncode == 0, result.stderr
