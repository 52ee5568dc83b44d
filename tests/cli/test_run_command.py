"""`glotmill run`: its output, interruptions and the live panel."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ECHO, ENVIRONMENT, command, start

from glotmill.cli import main
from glotmill.runner.run_folder import Run

EVIL = "\x1b[2Jx\u202ey\x9b0m"


def test_run_prints_counts_rows_and_paths(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a run"
    assert main(["run", str(recipe), "-n", "5", *ECHO, "-o", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert out.count("5 of 5") == 4
    assert "below_limit" in out or "too_low" in out or "at_least" in out, "the reason why rows were dropped"
    assert out.count(", row ") == 4, "one of each language"
    first = out.split(", row ")[1].split("\n\n")[0].splitlines()[1:]
    assert [line.split()[0] for line in first] == ["word", "user", "assistant"]
    assert f"Dataset: {folder / 'dataset'} (20 rows)" in out
    assert "echo engine" in out
    assert "eng_Latn 5/5" in err
    assert Run(folder).frame().height == 20


def test_run_as_json(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "run",
        str(recipe),
        "-n",
        "3",
        "-l",
        "fra,Kiswahili",
        *ECHO,
        "-o",
        str(tmp_path / "run"),
        "--json",
    ]
    assert main(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert [language["language"] for language in result["languages"]] == ["fra_Latn", "swh_Latn"]
    assert [language["accepted"] for language in result["languages"]] == [3, 3]
    assert len(result["rows"]) == 2
    assert result["error"] is None
    assert Path(result["dataset"], "fra_Latn").is_dir()


def test_run_warns_of_the_test_model(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "as_nano.py").write_text("from glotmill.generators.echo import echo\nengine = echo\n")
    sys.path.insert(0, str(tmp_path))
    try:
        assert (
            main(["run", str(recipe), "-n", "1", "--engine", "as_nano:engine", "-o", str(tmp_path / "run")])
            == 0
        )
    finally:
        sys.path.remove(str(tmp_path))
    text = capsys.readouterr().out
    assert "glotmill-nano, a tiny model for trying and testing only" in text
    assert "--model Qwen/" in text


def test_a_language_that_cannot_be_filled(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", str(recipe), "-n", "9", "-l", "eng", *ECHO, "-o", str(tmp_path / "run")]
    assert main([*arguments, "--set", "passes=1", "--set", "seeds.draw.number=[1,3]"]) == 3
    out, err = capsys.readouterr()
    assert "5 of 9" in out
    assert "Dataset: " in out
    assert "eng_Latn: 5 of 9 rows: the seeds are spent after 1 pass" in err


def test_a_single_template_is_a_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "poem.j2").write_text("Write a long poem about {{ topic }} for the people of the village.")
    (tmp_path / "topics.txt").write_text("the sea\nthe rain\nthe bread\n")
    arguments = [
        "run",
        str(tmp_path / "poem.j2"),
        "--seeds",
        str(tmp_path / "topics.txt"),
        "-l",
        "eng",
        "-n",
        "3",
    ]
    assert main([*arguments, *ECHO, "-o", str(tmp_path / "run")]) == 0
    assert "about the sea" in capsys.readouterr().out


def test_engine_arguments_are_yaml(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", str(recipe), "-n", "1", "-l", "eng", *ECHO, "-o", str(tmp_path / "run")]
    assert main([*arguments, "--engine-arg", "delay-s=0.001", "--engine-arg", "text=so: {prompt}"]) == 0
    assert Run(tmp_path / "run").info()["engine_args"] == {"delay_s": 0.001, "text": "so: {prompt}"}
    assert main([*arguments, "--engine-arg", "delay_s"]) == 2
    assert "NAME=VALUE" in capsys.readouterr().err


def test_texts_cannot_reach_the_terminal(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "-n",
        "1",
        "-l",
        "eng",
        *ECHO,
        "--engine-arg",
        f"text={json.dumps(EVIL)}",
        "-o",
        str(tmp_path / "run"),
    ]
    for more in ([], ["--json"]):
        assert main(["run", str(recipe), *arguments, *more]) == 0
        text = capsys.readouterr().out
        assert not {"\x1b", "\x9b", "\u202e"} & set(text)
        assert r"\u202e" in text
    assert json.loads(text)["rows"][0]["messages"][0]["content"] == EVIL
    assert main(["check", f"no{EVIL}such"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def begin(recipe: Path, folder: Path, delay: float) -> "subprocess.Popen[str]":
    """Start a run that takes long, and return when its engine was told to begin."""
    slow = ["--engine-arg", f"delay_s={delay}", "--engine-arg", "jitter=1", "--window", "8"]
    arguments = ["run", recipe, "-n", 5, "-l", "eng", *ECHO, *slow, "-o", folder]
    process = start(*arguments, cwd=recipe.parent)
    assert process.stderr is not None
    assert "eng_Latn 0/5" in process.stderr.readline()
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_replies_and_goes_on(
    number: signal.Signals, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    process = begin(recipe, folder, 1.0)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "stopping" in err
    assert f"kept in {folder}; the same command resumes" in err
    assert "Traceback" not in err
    assert main(["show", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "not finished: eng_Latn" in shown
    assert "the same `glotmill run` command resumes the run" in shown
    kept = [line for path in folder.glob("replies/*") for line in path.read_text().splitlines()]
    assert kept
    assert main(["run", str(recipe), "-n", "5", "-l", "eng", *ECHO, "-o", str(folder)]) == 0
    now = [line for path in sorted(folder.glob("replies/*")) for line in path.read_text().splitlines()]
    assert now[: len(kept)] == kept
    assert len({json.loads(line)["key"] for line in now}) == len(now)


def test_a_second_interrupt_quits_at_once(recipe: Path, tmp_path: Path) -> None:
    process = begin(recipe, tmp_path / "run", 1000.0)
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    while "stopping" not in (line := process.stderr.readline()):
        assert line
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130  # the first alone waits ten seconds for replies
    process.communicate()


def test_a_terminal_gets_a_live_panel(recipe: Path, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    arguments = command("run", recipe, "-n", 30, *ECHO, "-o", tmp_path / "run")
    process = subprocess.Popen(arguments, env=environment, stdout=slave, stderr=slave, stdin=slave)
    os.close(slave)
    raw = b""
    try:
        while chunk := os.read(master, 65536):
            raw += chunk
    except OSError:  # the other end is closed
        pass
    os.close(master)
    assert process.wait(60) == 0
    text = raw.decode()
    for part in ("arb_Arab Arabic", "30 of 30", "acceptance", "requests", "tokens/s", "full"):
        assert part in text
    assert text.index("\x1b[?25l") < text.rindex("\x1b[?25h"), "the cursor is there again"


def test_a_second_model_is_named_by_its_name_in_the_recipe(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        (recipe / "recipe.yaml").read_text().replace("generate: answer", "generate: answer\n    model: judge")
    )
    (recipe / "recipe.yaml").write_text(f"{text}models: {{judge: }}\n")
    folder = tmp_path / "run"
    second = [
        "--model",
        "judge=wise",
        "--engine",
        "judge=echo",
        "--engine-arg",
        "judge.text=Said by another.",
    ]
    assert main(["run", str(recipe), "-n", "2", "-l", "eng", *ECHO, *second, "-o", str(folder)]) == 0
    run = Run(folder)
    assert run.info()["models"]["judge"] == {
        "model": "wise",
        "revision": None,
        "engine": "echo",
        "engine_args": {"text": "Said by another."},
    }
    assert set(run.rows().collect().filter(verdict="kept")["answer"]) == {"Said by another."}
    capsys.readouterr()
    assert main(["run", str(recipe), "-n", "2", *ECHO, "--model", "jugde=wise", "-o", str(folder)]) == 2
    assert "names no model 'jugde' (it names: judge)" in capsys.readouterr().err
    assert main(["run", str(recipe), "-n", "2", *ECHO, "--model", "judge=", "-o", str(folder)]) == 2
    assert "has nothing behind '='" in capsys.readouterr().err


def test_what_an_engine_logs_is_a_line_on_stderr(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "warning_engine.py").write_text(
        "import contextlib, logging\n"
        "from glotmill.messages import Reply\n"
        "@contextlib.asynccontextmanager\n"
        "async def warn(model, *, revision=None):\n"
        "    logging.getLogger('glotmill').warning('engine warn: left out: %s', 'seed\\x1b[2J')\n"
        "    async def say(request): return Reply(request.key)\n"
        "    yield say\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    arguments = ["-n", "1", "-l", "eng", "--engine", "warning_engine:warn", "-o", str(tmp_path / "run")]
    assert main(["run", str(recipe), *arguments]) == 0
    err = capsys.readouterr().err
    assert err.count("glotmill: warning: engine warn: left out: seed") == 1
    assert "\x1b" not in err
