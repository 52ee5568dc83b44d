"""`glotmill filter`, `calibrate` and `show` of a filter, as a user meets them."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from commands import ENVIRONMENT, command

from glotmill.cli import main

LINES = {
    "fra.txt": "Le petit garçon numéro {} mange une pomme rouge dans le grand jardin de sa tante.",
    "Swahili.txt": "Mtoto mdogo wa {} anakula tunda jekundu katika shamba kubwa la shangazi yake.",
}


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name, option_text in (("filter", "--explain ID"), ("calibrate", "--false-reject SHARE")):
        assert main([name, "--help"]) == 0
        assert option_text in capsys.readouterr().out


@pytest.mark.parametrize("name", ["length", "language", "duplicates"])
def test_show_describes_a_filter(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", name, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["kind"], result["name"]) == ("filter", name)
    assert main(["show", name]) == 0
    text = capsys.readouterr().out
    assert "eason" in text
    for option in result["options"]:
        assert option in text


def test_show_lists_the_choices_of_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "select"]) == 0
    assert re.search(r"\norder +'highest' +highest, lowest\n", capsys.readouterr().out)
    assert main(["show", "select", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["choices"]["order"] == ["highest", "lowest"]


def test_show_of_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "lenth"]) == 2
    assert "no recipe, run or filter 'lenth'; did you mean 'length'?" in capsys.readouterr().err
    assert main(["show", "nosuch:thing"]) == 2
    assert "'nosuch:thing' cannot be loaded" in capsys.readouterr().err


def test_a_terminal_gets_a_progress_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        command("filter", "a.txt", "-o", "out", "--filters", "length"),
        cwd=tmp_path, env={**ENVIRONMENT, "TERM": "xterm"}, stdout=subprocess.PIPE, stderr=writer, text=True,
    )  # fmt: skip
    os.close(writer)
    out, _ = process.communicate(timeout=60)
    screen = os.read(reader, 100_000).decode()
    os.close(reader)
    assert process.returncode == 0
    assert "2 rows" in screen
    assert "100.0% kept" in screen
    assert "Kept: out/kept (2 rows)" in out


def test_calibrate_writes_thresholds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, line in LINES.items():
        (folder / name).write_text("".join(line.format(n) + "\n" for n in range(120)))
    out = tmp_path / "thresholds.csv"
    options = ["--reference", str(folder), "--detectors", "py3langid", "-o", str(out)]
    assert main(["calibrate", *options]) == 0
    assert "py3langid" in capsys.readouterr().out
    lines = out.read_text().splitlines()
    assert lines[0].startswith("detector,version,language,length,min_score")
    assert {line.split(",")[2] for line in lines[1:]} == {"fra_Latn", "swh_Latn"}
    assert main(["calibrate", *options, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["thresholds"]) == len(lines) - 1
    assert main(["calibrate", "--reference", str(tmp_path / "nosuch"), "-o", str(out)]) == 2
