"""Filters on any dataset: `glotmill filter`."""

import json
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glotmill.cli import main
from glotmill.sifting import readers, sieve, tables

SRC = str(Path(__file__).parent.parent.parent / "src")
FRENCH = "Le chat dort sur la chaise."

OWN = """
import os, signal
import polars as pl

def deadly(text):
    def die(series):
        if (series == "bomb").any():
            os.kill(os.getpid(), signal.SIGKILL)
        return pl.Series([None] * len(series), dtype=pl.String)
    return text.map_batches(die, return_dtype=pl.String, is_elementwise=True)

def ranked(text):
    return pl.when(text.rank() > 3).then(pl.lit("not_best"))
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sift_filters.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "ROWS", 3)
    monkeypatch.setattr(sieve, "PART_ROWS", 7)


def jsonl(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def sift(source: object, out: Path, *more: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Filter, and return what was kept and what was not."""
    assert main(["filter", str(source), "-o", str(out), *more]) == 0
    return tuple(pl.read_parquet(out / kind / "*.parquet") for kind in ("kept", "rejects"))  # type: ignore[return-value]


def funnel(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "funnel.json").read_text())
    return found


def test_every_row_is_kept_or_has_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": "x" * n, "tongue": "fr" if n % 2 else "sw", "meta": {"n": n}} for n in range(6)]
    source = jsonl(tmp_path / "data.jsonl", *rows)
    kept, lost = sift(source, tmp_path / "out", "--filters", "length", "--set", "length.min_chars=3")
    assert kept.columns == ["id", "text", "tongue", "meta"]
    assert kept["id"].to_list() == [3, 4, 5]
    assert kept.drop("id").to_dicts() == rows[3:]
    assert lost.select("id", "reason", "reason_at").rows() == [
        (n, "too_short", "text.length") for n in range(3)
    ]
    assert funnel(tmp_path / "out") == [{"language": "", "rows": 6, "kept": 3, "dropped": {"too_short": 3}}]
    told = capsys.readouterr()
    assert "3 too_short" in told.out
    assert told.err == ""


def test_languages_in_any_form(tmp_path: Path) -> None:
    names = ["fr", "fra_Latn", "French", None, "Klingonese", 5, "", "ru"]
    source = jsonl(
        tmp_path / "data.jsonl", *({"id": f"r{n}", "text": FRENCH, "lang": x} for n, x in enumerate(names))
    )
    kept, lost = sift(source, tmp_path / "out", "--filters", "script", "--language-column", "lang")
    assert kept["id"].to_list() == ["r0", "r1", "r2"]
    assert kept["lang"].to_list() == names[:3]
    assert lost["reason"].to_list() == ["unknown_language"] * 4 + ["wrong_script"]
    assert lost["reason_at"].to_list() == ["lang"] * 4 + ["text.script"]
    assert [(f["language"], f["rows"], f["kept"]) for f in funnel(tmp_path / "out")] == [
        ("fra_Latn", 3, 3),
        ("rus_Cyrl", 1, 0),
        ("unknown", 4, 0),
    ]
    _, lost = sift(source, tmp_path / "one", "--filters", "script", "--language", "Russian")
    assert lost["reason"].to_list() == ["wrong_script"] * 7 + ["wrong_script"]


def test_a_language_that_cannot_be_judged_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = jsonl(tmp_path / "data.jsonl", {"text": "Mienendo ya ŋutu ƒe nya.", "lang": "ewe_Latn"})
    options = ("--filters", "language", "--set", 'language.detectors=["py3langid"]')
    assert (
        sift(source, tmp_path / "out", *options, "--language-column", "lang")[1]["reason"].item()
        == "no_detector"
    )
    assert "No detector knows ewe_Latn" in capsys.readouterr().out
    assert main(["filter", str(source), "-o", "out2", *options, "--language", "ewe"]) == 2
    assert "does not know ewe_Latn" in capsys.readouterr().err
    more = ("--set", "language.unjudged=keep", "--language", "ewe")
    assert sift(source, tmp_path / "out3", *options, *more)[0].height == 1


def test_rows_that_say_too_little_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": "Oui."}, {"text": "Elle a vendu sa maison au bord de la mer l'année dernière."}]
    kept, _ = sift(jsonl(tmp_path / "d.jsonl", *rows), tmp_path / "out", "--filters", "language", "-l", "fra")
    assert kept["text_language_detected"].to_list() == ["und", "fra_Latn"]
    assert "1 rows say too little for their language to be told" in capsys.readouterr().out


def test_thresholds_of_ones_own_are_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = jsonl(tmp_path / "d.jsonl", {"text": "Hun bor i et lite hus ved sjøen"})  # py3langid: 0.8
    table = tmp_path / "strict.csv"
    lines = [f"py3langid,{version('py3langid')},nob_Latn,{length},0.9" for length in ("phrase", "short")]
    table.write_text("\n".join(["detector,version,language,length,min_score", *lines]))
    asked = ("--filters", "language", "-l", "nob", "--set", 'language.detectors=["py3langid"]')
    assert sift(source, tmp_path / "usual", *asked)[0].height == 1
    own = (*asked, "--set", f"language.min_score={table}")
    assert sift(source, tmp_path / "strict", *own)[1]["reason"].to_list() == ["wrong_language"]
    table.write_text("not a table")
    assert main(["filter", str(source), "-o", str(tmp_path / "strict"), *own]) == 2, (
        "another table, other work"
    )
    assert "begun with other filters" in capsys.readouterr().err


def test_of_messages_the_assistant_is_judged(tmp_path: Path) -> None:
    def chat(user: str, *replies: str | None) -> list[dict[str, str | None]]:
        return [{"role": "user", "content": user}, *({"role": "assistant", "content": r} for r in replies)]

    chats = [chat("a long question", "ok"), chat("q", "a long answer"), chat("q", "long", "enough"), None, []]
    pl.DataFrame({"messages": chats}).write_parquet(tmp_path / "chats.parquet")
    kept, lost = sift(
        tmp_path / "chats.parquet", tmp_path / "out", "--filters", "length", "--set", "length.min_chars=9"
    )
    assert kept["id"].to_list() == [1, 2]
    assert kept["messages"].to_list() == chats[1:3]
    assert lost["reason"].to_list() == ["too_short", "empty", "too_short"]
    (tmp_path / "filters.yaml").write_text(
        "- {filter: length, of: messages_user, min_chars: 9}\n- filter: length\n"
    )
    kept, lost = sift(
        tmp_path / "chats.parquet", tmp_path / "users", "--filters", str(tmp_path / "filters.yaml")
    )
    assert kept["id"].to_list() == [0]
    assert lost["reason_at"].to_list() == ["messages_user.length"] * 4
    shared = [[{"from": "human", "value": "q"}, {"from": "gpt", "value": "an answer"}]]
    pl.DataFrame({"conversations": shared}).write_parquet(tmp_path / "shared.parquet")
    options = ("--filters", "length", "--column", "conversations", "--set", "length.max_chars=9")
    assert sift(tmp_path / "shared.parquet", tmp_path / "gpt", *options)[0].height == 1


@pytest.mark.usefixtures("small")
def test_the_first_of_equal_rows_wins_over_the_whole_input(tmp_path: Path) -> None:
    rows = [{"text": f"text {n % 10}", "good": int(n >= 3)} for n in range(30)]
    source = jsonl(tmp_path / "data.jsonl", *rows)
    (tmp_path / "f.json").write_text(
        '[{"filter": "duplicates", "within": ""}, {"filter": "at_least", "of": "good", "value": 1}]'
    )
    kept, lost = sift(source, tmp_path / "out", "--filters", "f.json")
    assert kept["id"].to_list() == list(range(3, 13))  # what another filter drops shadows nothing
    assert lost.filter(reason="duplicate")["text_duplicates_first"].to_list() == [
        str(3 + (n - 3) % 10) for n in range(13, 30)
    ]
    assert len(list((tmp_path / "out" / "kept").iterdir())) == 4  # of three tables of three rows
    assert not (tmp_path / "out" / "state").exists()


def test_columns_are_kept_as_they_are(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array(["a", "bb"]),
            "reason": pa.array(["mine", "too"]),
            "kind": pa.array(["x", "y"]).dictionary_encode(),
            "price": pa.array([1, 2]).cast(pa.decimal128(21, 2)),
            "at": pa.array([1, 2], pa.timestamp("ms", "UTC")),
            "text_language_score": pa.array([1, 2], pa.int8()),
            "pairs": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        }
    )
    pq.write_table(table, tmp_path / "data.parquet")
    sift(tmp_path / "data.parquet", tmp_path / "out", "--filters", "length", "--set", "length.min_chars=2")
    kept = pq.read_table(tmp_path / "out" / "kept" / "part-00000.parquet")
    assert kept.select(table.column_names).equals(table.slice(1))
    lost = pq.read_table(tmp_path / "out" / "rejects" / "part-00000.parquet")
    assert lost.select(["input_reason", "reason"]).to_pylist() == [
        {"input_reason": "mine", "reason": "too_short"}
    ]


@pytest.mark.usefixtures("small")
def test_what_is_written_is_a_dataset(tmp_path: Path) -> None:
    from datasets import load_dataset

    source = jsonl(tmp_path / "data.jsonl", *({"text": "x" * (n >= 9)} for n in range(18)))
    sift(source, tmp_path / "out", "--filters", "length")
    for kind, rows in (("kept", 9), ("rejects", 9)):
        files = sorted(map(str, tmp_path.glob(f"out/{kind}/*.parquet")))
        assert len(files) == 2
        loaded = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
        assert loaded.num_rows == rows


def test_odd_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = tmp_path / "odd.jsonl"
    odd.write_bytes(
        b'\xef\xbb\xbf{"text": "a\\ud800b", "n": NaN}\n\n{"text": 5, "n": 1.5, "m": {}}\r\n{"text": null}\n'
        b'{"text": "\\ud83d\\ude00", "big": 123456789012345678901234567890, "m": {"x": [1]}}'
    )
    kept, lost = sift(odd, tmp_path / "out", "--filters", "length")
    assert kept["text"].to_list() == ["a?b", "5", "😀"]
    assert kept["n"].to_list() == [None, 1.5, None]
    assert kept["big"].to_list() == [None, None, "123456789012345678901234567890"]
    assert lost["reason"].to_list() == ["empty"]
    for content, said in (
        (b'{"text": "a"}\n\n{"text": \n', ":3: not JSON"),
        (b'{"text": "a"}\n[1]\n', ":2: a list; write one object a line"),
        (b'{"text": "\xe9"}\n', ":1: not UTF-8"),
        (b'{"text": "a"}\n{"text": ' + b"[" * 5000 + b"]" * 5000 + b"}\n", ":2: not JSON"),
    ):
        odd.write_bytes(content)
        assert main(["filter", str(odd), "-o", str(tmp_path / "bad"), "--filters", "length"]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "bad").exists()


@pytest.mark.usefixtures("small")
def test_kinds_of_input(tmp_path: Path) -> None:
    folder = tmp_path / "ünï 文件"
    (folder / "deep").mkdir(parents=True)
    jsonl(folder / "a.jsonl", *({"text": f"a{n}", "n": n} for n in range(5)))
    jsonl(folder / "deep" / "b.jsonl", {"text": "b", "more": "x"}, {"text": 7, "n": "y"})
    (folder / ".hidden.jsonl").write_text("broken")
    kept, _ = sift(folder, tmp_path / "out1", "--filters", "length")
    assert kept["text"].to_list() == ["a0", "a1", "a2", "a3", "a4", "b", "7"]
    assert kept["n"].to_list() == ["0", "1", "2", "3", "4", None, "y"]
    kept, _ = sift(folder / "a*.jsonl", tmp_path / "out2", "--filters", "length")
    assert kept["id"].to_list() == [0, 1, 2, 3, 4]
    (tmp_path / "t.csv").write_bytes(b'text,code\n"zwei\nZeilen",007\n,1\n')
    kept, lost = sift(tmp_path / "t.csv", tmp_path / "out3", "--filters", "length")
    assert kept.rows() == [(0, "zwei\nZeilen", "007")]
    assert lost["text"].to_list() == [None]
    (tmp_path / "t.txt").write_text("one\n\n  two \n")
    assert sift(tmp_path / "t.txt", tmp_path / "out4", "--filters", "length")[0]["text"].to_list() == [
        "one",
        "two",
    ]


@pytest.mark.parametrize("name", ["none.jsonl", "none.txt", "none.csv", "none.parquet"])
def test_no_rows(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).touch()
    if name.endswith(".parquet"):
        pl.DataFrame(schema={"text": pl.String, "language": pl.String}).write_parquet(tmp_path / name)
    assert main(["filter", name, "-o", "out", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["languages"]) == (0, [])
    if name.endswith(".parquet"):
        assert pl.read_parquet("out/kept/*.parquet").columns[:3] == ["id", "text", "language"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-", "-o", "out"], "write them to a .jsonl file"),
        (["nosuch.jsonl", "-o", "out"], "nosuch.jsonl: nothing to read is there"),
        (["mixed", "-o", "out"], "mixed: holds .csv and .txt"),
        (["data.jsonl"], "give -o OUT, or --explain ID"),
        (["data.jsonl", "-o", "out", "--filters", "lenth"], "did you mean 'length'"),
        (
            ["data.jsonl", "-o", "out", "--filters", "length", "--column", "txt"],
            "no column 'txt'; did you mean",
        ),
        (["data.jsonl", "-o", "out", "--filters", "script"], "Say it with --language or --language-column"),
        (
            ["data.jsonl", "-o", "out", "--language-column", "lang"],
            "--language-column lang: there is text, odd",
        ),
        (["data.jsonl", "-o", "out", "-l", "Klingonese"], "'Klingonese' is not known"),
        (["data.jsonl", "-o", "out", "--set", "length.min=3"], "no option 'min'"),
        (["data.jsonl", "-o", "out", "--set", "min_chars=3"], "FILTER.OPTION=VALUE"),
        (["data.jsonl", "-o", "out", "--set", "echo.min=3"], "no filter 'echo' is asked"),
        (
            ["data.jsonl", "-o", "out", "--set", "length.min_chars=few"],
            "option 'min_chars' is 'few'; give a number",
        ),
        (["data.jsonl", "-o", "out", "--filters", "at_least"], "'value' is needed"),
        (["data.jsonl", "-o", "out", "--filters", "sift_filters:ranked"], "compares all rows of a table"),
        (
            ["data.jsonl", "-o", "out", "--filters", "length", "--column", "odd"],
            "column 'odd': a list of {a}",
        ),
        (["data.jsonl", "-o", "mixed", "--filters", "length"], "mixed: not empty, there is a.csv"),
        (["data.jsonl", "-o", "out", "--filters", "list.yaml"], "list.yaml: write a list of filters"),
        (["data.jsonl", "-o", "out", "--filters", "nosuch.yaml"], "nosuch.yaml: no such file"),
        (["data.jsonl", "--explain", "9"], "no row among 1, counted from 0, has the number '9'"),
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
    assert 'other filters: {"min_chars": null}, now {"min_chars": 2}' in capsys.readouterr().err
    assert main([*command, "-l", "fra"]) == 2
    assert 'another language: null, now "fra_Latn"' in capsys.readouterr().err
    jsonl(source, {"text": "abd", "api": "x"})
    assert main(command) == 2
    assert "out: begun with another input: " in capsys.readouterr().err


def test_secrets_are_not_kept(tmp_path: Path) -> None:
    jsonl(tmp_path / "data.jsonl", {"text": "abc"})
    (tmp_path / "sift_secret.py").write_text(
        "import polars as pl\n\ndef sift_secret(text, *, api_key=''):\n"
        "    return pl.when(text == api_key).then(text)\n"
    )
    command = ["filter", "data.jsonl", "-o", "out", "--filters", "sift_secret:sift_secret", "--set"]
    assert main([*command, "sift_secret:sift_secret.api_key=sk-hidden"]) == 0
    assert "sk-hidden" not in (tmp_path / "out" / "filter.json").read_text()
    assert main([*command, "sift_secret:sift_secret.api_key=sk-other"]) == 2


@pytest.mark.usefixtures("small")
def test_rows_that_end_a_process_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [*"abcdefghijklmnop", "bomb", *"qrst"]
    source = jsonl(tmp_path / "data.jsonl", *({"text": text} for text in texts))
    assert main(["filter", str(source), "-o", "out", "--filters", "sift_filters:deadly"]) == 4
    told = capsys.readouterr().err
    assert "data.jsonl: rows 15 to 17: filters sift_filters:deadly of 'text': a filter's process died" in told
    assert "the same command again goes on" in told
    assert len(list(tmp_path.glob("out/kept/*.parquet"))) == 1


def test_a_filter_that_raises_is_named_and_so_are_the_file_and_the_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sift_raises.py").write_text(
        "import polars as pl\n\ndef sift_raises(text):\n    def ask(rows):\n"
        "        raise RuntimeError('out of ink')\n"
        "    asked = text.map_batches(ask, return_dtype=pl.String, is_elementwise=True)\n"
        "    return pl.when(text == 'b').then(asked)\n"
    )
    source = jsonl(tmp_path / "data.jsonl", {"text": "a"}, {"text": "b"})
    assert main(["filter", str(source), "-o", "out", "--filters", "length,sift_raises:sift_raises"]) == 2
    told = capsys.readouterr().err
    assert (
        "data.jsonl: rows 0 to 1: filter sift_raises:sift_raises of 'text': RuntimeError: out of ink" in told
    )
    assert "Traceback" not in told


@pytest.mark.usefixtures("small")
def test_parts_without_their_state_are_judged_again(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "data.jsonl", *({"text": f"text {n % 8}"} for n in range(25)))
    out, options = tmp_path / "out", ["--filters", "duplicates", "--set", "duplicates.within="]
    first = sift(source, out, *options)
    assert first[0]["id"].to_list() == list(range(8))
    (out / "funnel.json").unlink()
    max(out.glob("kept/*.parquet")).unlink()
    again = sift(source, out, *options)
    assert [table.to_dicts() for table in again] == [table.to_dicts() for table in first]


def test_the_language_alone_may_be_judged(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "data.jsonl", *({"lang": lang} for lang in ("fr", "sw", "fra", "French")))
    options = ["--column", "language", "--filters", "balance", "--set", "balance.most=2"]
    kept, rejects = sift(source, tmp_path / "out", "--language-column", "lang", *options)
    assert kept["lang"].to_list() == ["fr", "sw", "fra"]
    assert rejects["reason"].to_list() == ["over_cap"]


@pytest.mark.parametrize("language", [["-l", "fra"], ["--language-column", "language"]])
def test_earlier_rows_are_seen_as_those_of_the_input(tmp_path: Path, language: list[str]) -> None:
    def chat(text: str, language: str) -> dict[str, Any]:
        said = [{"role": "user", "content": f"Say {text}"}, {"role": "assistant", "content": text}]
        return {"messages": said, "language": language}

    jsonl(tmp_path / "old.jsonl", chat("Un.", "French"), chat("Deux.", "sw"))
    source = jsonl(tmp_path / "data.jsonl", chat("un", "fr"), chat("deux", "fr"), chat("trois", "fr"))
    options = [*language, "--filters", "duplicates", "--set", "duplicates.against=old.jsonl"]
    _, rejects = sift(source, tmp_path / "out", *options)
    assert rejects["id"].to_list() == [0]


COMMAND = """
import os, signal, sys
from pathlib import Path
from glotmill.sifting import readers, sieve
from glotmill.cli import main

readers.ROWS, sieve.PART_ROWS = 40, 100
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


class Builder:
    """Stands in for what `datasets` makes of an id."""

    hash = "c0ffee"

    def __init__(self, files: list[str]) -> None:
        from datasets import load_dataset_builder

        self.real = load_dataset_builder("parquet", data_files=files)
        self.info = self.real.info

    def as_streaming_dataset(self, split: str) -> Any:
        return self.real.as_streaming_dataset(split=split)


def test_a_dataset_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import datasets

    pl.DataFrame({"text": ["abc", "d"], "m": [[{"role": "user", "content": "x"}], []]}).write_parquet(
        "d.parquet"
    )
    builder = Builder([str(tmp_path / "d.parquet")])
    asked: list[Any] = []

    def load(name: str, config: str | None, revision: str | None) -> Builder:
        asked.append((name, config, revision))
        if config == "other":
            raise ValueError("BuilderConfig 'other' not found. Available: ['default']")
        return builder

    monkeypatch.setattr(datasets, "load_dataset_builder", load)
    options = ("--filters", "length", "--set", "length.min_chars=2")
    kept, lost = sift("org/name@v1", tmp_path / "out", *options)
    assert (kept["text"].to_list(), lost["text"].to_list()) == (["abc"], ["d"])
    assert kept["m"].to_list() == [[{"role": "user", "content": "x"}]]
    assert asked == [("org/name", None, "v1")]
    assert json.loads((tmp_path / "out" / "filter.json").read_text())["input"] == "org/name@c0ffee"
    assert main(["filter", "org/name", "-o", "out2", "--config", "other"]) == 2
    assert "BuilderConfig 'other' not found" in capsys.readouterr().err
    assert main(["filter", "org/name", "-o", "out2", "--split", "nosuch"]) == 2
    assert "nosuch" in capsys.readouterr().err
    builder.hash = "beef"
    assert main(["filter", "org/name", "-o", "out", *options]) == 2
    assert "c0ffee default train" in capsys.readouterr().err


def test_tables_are_small_where_rows_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "BYTES", 10_000)
    frame = pl.DataFrame({"text": ["x" * 3_000] * 20})
    frame.write_parquet("a.parquet", compression="uncompressed", statistics=False)
    frame.write_ndjson("a.jsonl")
    frame.write_csv("a.csv")
    (tmp_path / "a.txt").write_text("\n".join(frame["text"]))
    for name in ("a.parquet", "a.jsonl", "a.csv", "a.txt"):
        data = tables.find(name)
        sizes = [table.num_rows for table in data.read()]
        assert sum(sizes) == 20
        assert max(sizes) <= 20 if name == "a.parquet" else max(sizes) <= 4
        assert [table.num_rows for table in data.read()] == sizes
