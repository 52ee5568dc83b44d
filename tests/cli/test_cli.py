"""The command line as a user meets it: help, lists, errors as text and exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ECHO, ENVIRONMENT, command, start

from glotmill.cli import COMMANDS, main


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["filter", "--help"], ["--version"]])
def test_help_is_fast_and_imports_little(arguments: list[str]) -> None:
    """The limit is 0.3 s of CPU; 0.05 s is usual, so that a slow machine has room."""
    code = (
        "import os, sys\nfrom glotmill.cli import main\n"
        f"code = main({arguments!r})\n"
        "heavy = {'polars', 'pydantic', 'rich', 'yaml', 'jinja2', 'torch', 'asyncio'} & set(sys.modules)\n"
        "spent = os.times()\n"
        "print(code, sorted(heavy), spent.user + spent.system, file=sys.stderr)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    output, _, seconds = process.stderr.rpartition(" ")
    assert output == "0 []"
    assert float(seconds) < 0.3


@pytest.mark.parametrize("name", [name for names in COMMANDS.values() for name in names])
def test_every_command_has_help_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"glotmill {name}" in text
    assert "--json" in text


def test_help_lists_exit_codes_and_completion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {code} " in text for code in (0, 1, 2, 3, 4, 130))
    assert "_GLOTMILL_COMPLETE=bash_source" in text


def test_completion(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "_GLOTMILL_COMPLETE": "bash_complete"}
    environment |= {"COMP_WORDS": "glotmill p", "COMP_CWORD": "1"}
    process = subprocess.run(command(), env=environment, capture_output=True, text=True, check=False)
    assert process.stdout.split() == ["plain,preview", "plain,publish"], process.stderr


@pytest.mark.parametrize(
    ("name", "former"),
    [("run", "--folder"), ("filter", "--folder"), ("export", "--folder"), ("calibrate", "--out")],
)
def test_the_former_name_of_output_works_and_is_hidden(
    name: str, former: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert "-o, --output F" in text
    assert f"{former} " not in text
    arguments = {
        "run": ["nosuch"],
        "filter": [str(tmp_path / "nosuch.txt"), "-l", "fra"],
        "export": [str(tmp_path)],
        "calibrate": ["--reference", str(tmp_path / "nosuch")],
    }
    for option in (former, "--output", "-o"):
        assert main([name, *arguments[name], option, str(tmp_path / "out")]) == 2
        err = capsys.readouterr().err
        assert "nosuch" in err or "no run" in err


@pytest.mark.parametrize(("options", "variable"), [(["--debug"], ""), ([], "1")])
def test_debug_prints_the_traceback_and_its_causes(
    options: list[str], variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if variable:
        monkeypatch.setenv("GLOTMILL_DEBUG", variable)
    assert main([*options, "show", "nosuch:thing"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert any(line.startswith("ModuleNotFoundError") for line in lines), "the cause"
    assert lines[-1].startswith("glotmill: ")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("recipes", "instruction"),
        ("filters", "length"),
        ("transforms", "views"),
        ("engines", "echo"),
        ("detectors", "py3langid"),
        ("languages", "swh_Latn"),
    ],
)
def test_list_prints_every_kind(kind: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    assert any(line.startswith(name) for line in capsys.readouterr().out.splitlines())
    assert main(["list", kind, "--json"]) == 0
    items = json.loads(capsys.readouterr().out)
    assert name in [item.get("name") for item in items] + [item.get("tag") for item in items]


def test_list_shows_the_options_of_a_filter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "filters", "--json"]) == 0
    result = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert result["length"]["options"].items() >= {"min_chars": 1, "max_chars": 20_000}.items()
    assert result["at_least"]["needed"] == ["value"]


def test_list_languages_with_all_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "languages", "--json"]) == 0
    result = {item["tag"]: item for item in json.loads(capsys.readouterr().out)}
    assert result["arb_Arab"]["endonym"] == "العربية"
    assert result["arb_Arab"]["direction"] == "rtl"


def test_list_of_an_unknown_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "filter"]) == 2
    assert "did you mean 'filters'" in capsys.readouterr().err


def test_show_a_recipe_gives_its_templates(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(recipe)]) == 0
    assert "generate: question" in (text := capsys.readouterr().out)
    assert "Answer: {{ question }}" in text
    assert main(["show", str(recipe), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["templates"]) == {"question.j2", "answer.j2"}


def test_show_a_run(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(recipe), "-n", "4", "-l", "eng", *ECHO, "-o", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert main(["show", str(tmp_path / "run")]) == 0
    text = capsys.readouterr().out
    assert "4 of 4" in text
    assert "load_dataset" in text
    assert main(["show", str(tmp_path / "run"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["complete"] is True
    assert result["languages"][0]["accepted"] == 4


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "nosuch"], 2, "glotmill: no recipe 'nosuch'"),
        (["run", "RECIPE", "-n", "0"], 2, "0 is not in the range"),
        (["run", "RECIPE", "--nosuch"], 2, "No such option"),
        (["run", "RECIPE", "--engine", "nosuch"], 2, "'nosuch'; choose from echo"),
        (["run", "RECIPE", *ECHO, "--engine-arg", "delay=1"], 2, "did you mean 'delay_s'"),
        (["run", "RECIPE", *ECHO, "--engine-arg", "delay_s=soon"], 2, "option 'delay_s' is 'soon'"),
        (
            ["run", "RECIPE", "--engine", "replay", "--engine-arg", "replies=nosuch"],
            2,
            "replies=nosuch is not a folder",
        ),
        (["run", "RECIPE", "--seeds", "nosuch.jsonl"], 2, "nosuch.jsonl: no such file"),
        (["run", "RECIPE", *ECHO, "-o", "RECIPE/recipe.yaml"], 1, "recipe.yaml: "),
        (["run", "RECIPE", "-l", "Klingonese"], 2, "Klingonese"),
        (["run", "RECIPE", "-l", ""], 2, "the value is empty"),
        (["preview", "RECIPE", *ECHO, "--engine-arg", "delay_s=soon"], 2, "option 'delay_s' is 'soon'"),
        (["preview", "RECIPE", "--engine", "nosuch"], 2, "'nosuch'"),
        (["show", "nosuch"], 2, "glotmill: no recipe, run or filter 'nosuch'"),
        (["check", "RECIPE", "--set", "about=2024-13-45"], 0, ""),
        (["nosuch"], 2, "No such command"),
    ],
)
def test_errors_are_text_and_exit_codes(
    arguments: list[str],
    code: int,
    message: str,
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [text.replace("RECIPE", str(recipe)) for text in arguments]
    process = start(*arguments, cwd=tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert message in err
    assert "Traceback" not in err


def test_failed_requests_stop_a_run_and_keep_its_replies(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert main(["run", str(recipe), "-n", "2", *ECHO, "-o", str(folder)]) == 0
    replay = ["--engine", "replay", "--model", "echo", "--engine-arg", f"replies={folder / 'replies'}"]
    capsys.readouterr()
    assert (
        main(["run", str(recipe), "-n", "20", *replay, "--max-failures", "0", "-o", str(tmp_path / "again")])
        == 4
    )
    err = capsys.readouterr().err
    assert "requests failed, the latest with not_recorded" in err
    assert f"kept in {tmp_path / 'again'}; the same command resumes" in err


def test_a_full_disk_is_reported_with_its_path(recipe: Path, tmp_path: Path) -> None:
    inner = command("run", recipe, "-n", "900", "-l", "eng", *ECHO, "-o", tmp_path / "run")
    process = subprocess.run(
        ["bash", "-c", 'ulimit -f 8; exec "$@"', "bash", *inner],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert process.returncode == 1, process.stderr
    assert "File too large" in process.stderr
    assert str(tmp_path / "run") in process.stderr
    assert "Traceback" not in process.stderr


def test_a_terminal_that_lacks_letters(recipe: Path) -> None:
    process = subprocess.run(
        command("preview", recipe, *ECHO, "-l", "arb"),
        env=ENVIRONMENT | {"PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        encoding="latin-1",
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert r"\u0627" in process.stdout


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    with start("list", "languages", "--json", cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode in (0, 1)


def test_a_filter_in_the_current_folder_can_be_used(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my_filters.py").write_text(
        "import polars as pl\n\n"
        "def no_rain(text):\n    return pl.when(text == 'rain').then(pl.lit('rainy'))\n"
    )
    plain = (recipe / "recipe.yaml").read_text()
    (recipe / "recipe.yaml").write_text(
        plain.replace("finish:", "  - {filter: 'my_filters:no_rain', of: word}\nfinish:")
    )
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(recipe), "-l", "eng", "-n", "9", *ECHO, "-o", str(tmp_path / "run")]) == 0
    assert "rainy" in capsys.readouterr().out


def test_a_working_folder_that_is_gone_is_said_in_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = (
        "import os, sys; from glotmill.cli import main; os.rmdir(os.getcwd()); sys.exit(main(sys.argv[1:]))"
    )
    for arguments in (["list", "languages"], ["run", "instruction"], ["filter", "a.jsonl", "-o", "b"]):
        gone.mkdir(exist_ok=True)
        process = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=gone,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 2
        assert process.stderr == (
            "glotmill: the working folder does not exist any more; change to one that does\n"
        )
