"""`glotmill filter`: what cannot be, and work that was stopped."""

import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from filtering import jsonl, run_filter

from glotmill.cli import main

SRC = str(Path(__file__).parent.parent.parent / "src")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-", "-o", "out"], "write them to a .jsonl file"),
        (["nosuch.jsonl", "-o", "out"], "nosuch.jsonl: no such file or folder"),
        (["mixed", "-o", "out"], "mixed: holds .csv and .txt"),
        (["data.jsonl"], "give either -o FOLDER or --explain ID"),
        (["data.jsonl", "-o", "out", "--filters", "lenth"], "did you mean 'length'"),
        (
            ["data.jsonl", "-o", "out", "--filters", "length", "--column", "txt"],
            "no column 'txt'; did you mean",
        ),
        (["data.jsonl", "-o", "out", "--filters", "script"], "give --language or --language-column"),
        (
            ["data.jsonl", "-o", "out", "--language-column", "lang"],
            "--language-column lang: no such column; choose from text, odd",
        ),
        (["data.jsonl", "-o", "out", "-l", "Klingonese"], "'Klingonese' is not known"),
        (["data.jsonl", "-o", "out", "--set", "length.min=3"], "no option 'min'"),
        (["data.jsonl", "-o", "out", "--set", "min_chars=3"], "FILTER.OPTION=VALUE"),
        (
            ["data.jsonl", "-o", "out", "--set", "echo.min=3"],
            "the filter 'echo' is not applied; choose from length",
        ),
        (
            ["data.jsonl", "-o", "out", "--set", "length.min_chars=few"],
            "option 'min_chars' is 'few'; give a number",
        ),
        (["data.jsonl", "-o", "out", "--filters", "at_least"], "'value' is required"),
        (["data.jsonl", "-o", "out", "--filters", "folder_filters:ranked"], "compares all rows of a table"),
        (
            ["data.jsonl", "-o", "out", "--filters", "length", "--column", "odd"],
            "column 'odd': a list of {a}",
        ),
        (["data.jsonl", "-o", "mixed", "--filters", "length"], "mixed: not empty, it holds a.csv"),
        (["data.jsonl", "-o", "out", "--filters", "list.yaml"], "list.yaml: not a list of filters"),
        (["data.jsonl", "-o", "out", "--filters", "nosuch.yaml"], "nosuch.yaml: no such file"),
        (["data.jsonl", "--explain", "9"], "no row '9'; its 1 rows are numbered from 0"),
    ],
)
def test_what_cannot_be(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jsonl(tmp_path / "data.jsonl", {"text": "a", "odd": [{"a": 1}]})
    (tmp_path / "list.yaml").write_text("filter: length\n")
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "a.csv").write_text("text\na\n")
    (tmp_path / "mixed" / "b.txt").write_text("b\n")
    assert main(["filter", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*/*"))


def test_another_command_into_the_same_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = jsonl(tmp_path / "data.jsonl", {"text": "abc", "api": "x"})
    command = ["filter", str(source), "-o", "out", "--filters", "length"]
    assert main(command) == 0
    before = (tmp_path / "out" / "kept" / "part-00000.parquet").stat().st_mtime_ns
    first = capsys.readouterr().out
    assert main(["filter", "./data.jsonl", *command[2:]]) == 0
    assert capsys.readouterr().out == first
    assert (tmp_path / "out" / "kept" / "part-00000.parquet").stat().st_mtime_ns == before
    assert main([*command, "--set", "length.min_chars=2"]) == 2
    told = 'other filters: {"filter": "length", "min_chars": null}, now {"filter": "length", "min_chars": 2}'
    assert told in capsys.readouterr().err
    assert main([*command, "-l", "fra"]) == 2
    assert 'another language: null, now "fra_Latn"' in capsys.readouterr().err
    jsonl(source, {"text": "abd", "api": "x"})
    assert main(command) == 2
    assert "out: begun with another input: " in capsys.readouterr().err


def test_secrets_are_not_kept(tmp_path: Path) -> None:
    jsonl(tmp_path / "data.jsonl", {"text": "abc"})
    (tmp_path / "secret_filters.py").write_text(
        "import polars as pl\n\ndef secret_filters(text, *, api_key=''):\n"
        "    return pl.when(text == api_key).then(text)\n"
    )
    command = ["filter", "data.jsonl", "-o", "out", "--filters", "secret_filters:secret_filters", "--set"]
    assert main([*command, "secret_filters:secret_filters.api_key=sk-hidden"]) == 0
    assert "sk-hidden" not in (tmp_path / "out" / "filter.json").read_text()
    assert main([*command, "secret_filters:secret_filters.api_key=sk-other"]) == 2


@pytest.mark.usefixtures("small")
def test_rows_that_end_a_process_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [*"abcdefghijklmnop", "bomb", *"qrst"]
    source = jsonl(tmp_path / "data.jsonl", *({"text": text} for text in texts))
    assert main(["filter", str(source), "-o", "out", "--filters", "folder_filters:deadly"]) == 4
    told = capsys.readouterr().err
    assert (
        "data.jsonl: rows 15 to 17: filters folder_filters:deadly of 'text': a filter's process died" in told
    )
    assert "the same command resumes" in told
    assert len(list(tmp_path.glob("out/kept/*.parquet"))) == 1


def test_a_filter_that_raises_is_named_and_so_are_the_file_and_the_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "filter_raises.py").write_text(
        "import polars as pl\n\ndef filter_raises(text):\n    def ask(rows):\n"
        "        raise RuntimeError('out of ink')\n"
        "    asked = text.map_batches(ask, return_dtype=pl.String, is_elementwise=True)\n"
        "    return pl.when(text == 'b').then(asked)\n"
    )
    source = jsonl(tmp_path / "data.jsonl", {"text": "a"}, {"text": "b"})
    assert main(["filter", str(source), "-o", "out", "--filters", "length,filter_raises:filter_raises"]) == 2
    told = capsys.readouterr().err
    assert (
        "data.jsonl: rows 0 to 1: filter filter_raises:filter_raises of 'text': RuntimeError: out of ink"
        in told
    )
    assert "Traceback" not in told


@pytest.mark.usefixtures("small")
def test_parts_without_their_state_are_judged_again(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "data.jsonl", *({"text": f"text {n % 8}"} for n in range(25)))
    out, options = tmp_path / "out", ["--filters", "duplicates", "--set", "duplicates.within="]
    first = run_filter(source, out, *options)
    assert first[0]["id"].to_list() == list(range(8))
    (out / "funnel.json").unlink()
    max(out.glob("kept/*.parquet")).unlink()
    again = run_filter(source, out, *options)
    assert [table.to_dicts() for table in again] == [table.to_dicts() for table in first]


COMMAND = """
import os, signal, sys
from pathlib import Path
from glotmill.filtering import process_parts
from glotmill.io.rows import text_blocks
from glotmill.cli import main

text_blocks.ROWS, process_parts.PART_ROWS = 40, 100
left, real = int(sys.argv[1]), Path.replace

def replace(path, target):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(path, target)

Path.replace = replace
sys.exit(main(["filter", *sys.argv[2:], "--filters", "length,duplicates", "--language", "fra"]))
"""


def work(source: Path, out: Path, killed_at: int = 0) -> int:
    """Filter in a process that is killed before it gives that many files their names; return the code."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, str(killed_at), str(source), "-o", str(out)],
        env={"PYTHONPATH": SRC, "PATH": "/usr/bin:/bin", "POLARS_MAX_THREADS": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def parts(out: Path) -> dict[str, tuple[bytes, int]]:
    """The whole parts, and when they were written."""
    names = {path.name for path in out.glob("kept/*.parquet")}
    both = [out / kind / name for kind in ("kept", "rejects") for name in sorted(names)]
    return {str(path.relative_to(out)): (path.read_bytes(), path.stat().st_mtime_ns) for path in both}


def test_killed_work_goes_on_where_it_was(tmp_path: Path) -> None:
    rows = [{"text": f"row {n if n % 7 else n % 100}"} for n in range(1_000)]
    source = jsonl(tmp_path / "data.jsonl", *rows)
    out, whole = tmp_path / "killed", tmp_path / "whole"
    for moment in (1, 2, 3, 4, 5, 6, 7, 9):
        before = parts(out)
        assert work(source, out, moment) == -signal.SIGKILL
        assert parts(out).items() >= before.items(), "a part that was whole is not judged again"
    assert 4 <= len(parts(out)) < 18
    assert work(source, out) == work(source, whole) == 0
    assert {name: data for name, (data, _) in parts(out).items()} == {
        n: d for n, (d, _) in parts(whole).items()
    }
    assert (out / "funnel.json").read_bytes() == (whole / "funnel.json").read_bytes()
    assert sorted(path.name for path in out.iterdir()) == [
        "filter.json",
        "funnel.json",
        "kept",
        "lock",
        "rejects",
    ]
    kept, lost = (pl.read_parquet(out / kind / "*.parquet") for kind in ("kept", "rejects"))
    assert sorted([*kept["id"], *lost["id"]]) == list(range(1_000))
    assert kept["text"].to_list() == list(dict.fromkeys(row["text"] for row in rows))
