"""What each filter sees of one row: `glotmill filter --explain ID`."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from glotmill.cli import main

TEXT = "Le chat dort. `code` Le chat dort sur la chaise de la maison."


def jsonl(path: Path, *rows: Any) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["filter", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_every_filter_is_asked_also_behind_the_one_that_drops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = jsonl(
        tmp_path / "a.jsonl", {"id": 1, "text": "x"}, {"id": 7, "text": TEXT, "lang": "ru", "n": 1}
    )
    options = [
        "--filters",
        "length,script,repetition",
        "--set",
        "length.max_chars=9",
        "--language-column",
        "lang",
    ]
    found = told(capsys, source, *options, "--explain", "7")
    assert (found["id"], found["language"], found["verdict"]) == ("7", "rus_Cyrl", "dropped")
    assert (found["reason"], found["reason_at"]) == ("too_long", "text.length")
    assert found["columns"] == {"text": TEXT}
    length, script, repetition = found["filters"]
    assert (length["verdict"], length["reason"]) == ("dropped", "too_long")
    assert (length["options"]["min_chars"], length["options"]["max_chars"]) == (1, 9)
    assert (script["verdict"], script["reason"], script["measured"]["share"]) == (
        "dropped",
        "wrong_script",
        0.0,
    )
    assert "chat dort" in script["saw"]
    assert "code" not in script["saw"]
    assert (repetition["verdict"], repetition["reason"]) == ("kept", None)
    assert 0 <= repetition["measured"]["share"] < 1
    assert main(["filter", source, *options, "--explain", "7"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("row 7, rus_Cyrl: dropped, too_long (text.length)\n")
    assert "text.repetition: kept" in text


def test_the_verdict_is_that_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"text": text, "lang": lang} for text in ("a", "", TEXT, "A!") for lang in ("fr", "ru", "nothing")
    ]
    source = jsonl(tmp_path / "a.jsonl", *rows)
    options = ["--filters", "duplicates,script,length", "--language-column", "lang"]
    assert main(["filter", source, *options, "-o", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    lost = pl.read_parquet(tmp_path / "out" / "rejects" / "*.parquet")
    reasons = {row["id"]: (row["reason"], row["reason_at"]) for row in lost.iter_rows(named=True)}
    for number in range(len(rows)):
        found = told(capsys, source, *options, "--explain", str(number))
        assert (found["reason"], found["reason_at"]) == reasons.get(number, (None, None)), number
    found = told(capsys, source, *options, "--explain", "9")
    assert found["reason"] == "duplicate"
    assert found["filters"][-1]["like"] == ["0"]


@pytest.mark.parametrize("near", [0.0, 0.5, 0.8])
def test_rows_before_decide_as_in_the_command(
    near: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [f"word{n}" for n in range(40)]
    changed = [" ".join([*said[: 40 - n], *(f"other{k}" for k in range(n))]) for n in range(0, 40, 3)]
    source = jsonl(tmp_path / "a.jsonl", *({"text": text} for text in changed))
    jsonl(tmp_path / "old.jsonl", {"text": changed[2], "language": "fr"})
    options = ["-l", "fra", "--filters", "duplicates", "--set", f"duplicates.near={near or 0}"]
    options += ["--set", f"duplicates.against={tmp_path / 'old.jsonl'}"]
    assert main(["filter", source, *options, "-o", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    lost = pl.read_parquet(tmp_path / "out" / "rejects" / "*.parquet")
    reasons = dict(lost.select("id", "reason").iter_rows())
    firsts = dict(lost.select("id", "text_duplicates_first").iter_rows())
    assert 0 < len(reasons) < len(changed)
    for number in range(len(changed)):
        found = told(capsys, source, *options, "--explain", str(number))
        assert found["reason"] == reasons.get(number), number
        assert found["filters"][0]["like"] == [first for first in [firsts.get(number)] if first], number


def test_a_limit_counts_the_rows_that_it_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = jsonl(tmp_path / "a.jsonl", *({"text": "x", "language": "fra"} for _ in range(5)))
    options = ["--column", "language", "--filters", "balance", "--set", "balance.most=2"]
    told_of = [told(capsys, source, *options, "--explain", n)["filters"][0] for n in "0124"]
    assert [each["verdict"] for each in told_of] == ["kept", "kept", "dropped", "dropped"]
    assert [each["measured"]["rows_before"] for each in told_of] == [0, 1, 2, 2]


def test_text_can_do_nothing_to_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]0;owned\x07 \u202eabc\x9b2J"
    source = jsonl(tmp_path / "a.jsonl", {"id": hostile, "text": hostile, "lang": "fr"})
    assert main(["filter", source, "--filters", "script,length", "-l", "fra", "--explain", hostile]) == 0
    out = capsys.readouterr().out
    assert not set("\x1b\x07\u202e\x9b") & set(out)
    assert "\\x1b]0;owned\\x07" in out


RECIPE = """
about: A test.
languages: [eng_Latn]
seeds: {rows: [{word: sun}, {word: rain}]}
steps:
  - generate: answer
    expect: [{filter: length, max_chars: 500}]
  - {filter: length, of: answer, min_chars: 400}
finish: [{filter: duplicates, of: answer}]
output: {columns: [answer]}
"""


def test_a_row_of_a_run_by_the_filters_of_its_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, run = tmp_path / "recipe", tmp_path / "run"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "answer.j2").write_text("Say {{ word }}.")
    engine = ["--engine", "echo", "--model", "echo", "--set", "passes=1"]
    assert main(["run", str(folder), "-n", "1", *engine, "-o", str(run)]) == 3
    capsys.readouterr()
    rows = pl.read_parquet(run / "rows" / "*.parquet")
    found = told(capsys, str(run), "--explain", rows["id"][0])
    assert [(f["of"], f["filter"], f["verdict"]) for f in found["filters"]] == [
        ("answer", "length", "kept"),
        ("answer", "length", "dropped"),
        ("answer", "duplicates", "kept"),
    ]
    assert found["columns"] == {"answer": rows["answer"][0]}
    assert (found["language"], found["reason"]) == ("eng_Latn", "too_short")
    assert main(["filter", str(run), "--explain", "nosuch"]) == 2
    assert "no row has the id 'nosuch'" in capsys.readouterr().err
