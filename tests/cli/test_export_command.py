"""`glotmill export`, from a run to what a trainer loads."""

import json
from pathlib import Path

import pytest
from commands import ECHO
from finished import SAID, finished, lines, rows

from glotmill.cli import main


def test_from_a_run_to_a_trainer(tmp_path: Path, recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = tmp_path / "a run", tmp_path / "an export"
    assert main(["run", str(recipe), *ECHO, "-n", "6", "-o", str(run)]) == 0
    capsys.readouterr()
    assert main(["export", str(run), "-o", str(out), "--split", "train=0.6,test=0.4"]) == 0
    result = capsys.readouterr()
    assert result.err == ""
    assert "trl-sft: " in result.out
    assert f'Next: datasets.load_dataset("{out}", "eng_Latn")' in result.out
    assert [line.split()[0] for line in result.out.splitlines()[:5]] == [
        "language", "eng_Latn", "arb_Arab", "swh_Latn", "hin_Deva",
    ]  # fmt: skip


def test_json_and_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finished(tmp_path / "run", {tag: rows(tag, 5) for tag in SAID})
    command = ["export", str(tmp_path / "run"), "-o", str(tmp_path / "out"), "--json"]
    assert main([*command, "--format", "text", "--set", "of=answer", "--columns", "question,id"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["format"] == "text"
    assert result["options"] == {"of": "answer", "columns": ["question", "id"]}
    assert result["rows"]["hin_Deva"] == {"train": 5}
    assert sorted(result["files"]) == [
        "README.md",
        *(f"{tag}/train-00000-of-00001.parquet" for tag in sorted(SAID)),
    ]
    assert main([*command, "--format", "openai-chat"]) == 0
    assert len(lines(tmp_path / "out/zho_Hans/train.jsonl")) == 5
    assert main([*command, "--columns", ""]) == 0
    assert json.loads(capsys.readouterr().out.split("\n}\n")[1] + "\n}")["options"]["columns"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "trl-stf"], "no format named 'trl-stf'; did you mean 'trl-sft'"),
        (["--format", "sharegpt", "--set", "n=1"], "format sharegpt: no option 'n'"),
        (["--format", "text", "--reasoning", "drop"], "format text: no option 'reasoning'"),
        (["--reasoning", "inline"], "has no reasoning column"),
        (["--reasoning", "aside"], "Invalid value for '--reasoning'"),
        (["--split", "train=0.9"], "the shares sum to 0.9; make them sum to 1"),
    ],
)
def test_errors(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 5)})
    assert main(["export", str(tmp_path / "run"), "-o", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_help_lists_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--help"]) == 0
    result = capsys.readouterr().out
    names = (
        "trl-sft",
        "trl-prompt-completion",
        "trl-prompt-only",
        "openai-chat",
        "alpaca",
        "sharegpt",
        "nemo-rl",
    )
    assert all(f"\n  {name} " in result for name in (*names, "text"))
    assert main(["list", "formats", "--json"]) == 0
    formats = {item["name"]: item["about"] for item in json.loads(capsys.readouterr().out)}
    assert {*names, "text"} <= formats.keys()
    assert all(about and "\n" not in about for about in formats.values())
