"""`glotmill filter`: what it reads, and what it makes of it."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filtering import jsonl, run_filter

from glotmill.cli import main
from glotmill.io.rows import open_rows, text_blocks


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
    run_filter(
        tmp_path / "data.parquet", tmp_path / "out", "--filters", "length", "--set", "length.min_chars=2"
    )
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
    run_filter(source, tmp_path / "out", "--filters", "length")
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
    kept, lost = run_filter(odd, tmp_path / "out", "--filters", "length")
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
    kept, _ = run_filter(folder, tmp_path / "out1", "--filters", "length")
    assert kept["text"].to_list() == ["a0", "a1", "a2", "a3", "a4", "b", "7"]
    assert kept["n"].to_list() == ["0", "1", "2", "3", "4", None, "y"]
    kept, _ = run_filter(folder / "a*.jsonl", tmp_path / "out2", "--filters", "length")
    assert kept["id"].to_list() == [0, 1, 2, 3, 4]
    (tmp_path / "t.csv").write_bytes(b'text,code\n"zwei\nZeilen",007\n,1\n')
    kept, lost = run_filter(tmp_path / "t.csv", tmp_path / "out3", "--filters", "length")
    assert kept.rows() == [(0, "zwei\nZeilen", "007")]
    assert lost["text"].to_list() == [None]
    (tmp_path / "t.txt").write_text("one\n\n  two \n")
    assert run_filter(tmp_path / "t.txt", tmp_path / "out4", "--filters", "length")[0]["text"].to_list() == [
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


def test_tables_are_small_where_rows_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_blocks, "BYTES", 10_000)
    frame = pl.DataFrame({"text": ["x" * 3_000] * 20})
    frame.write_parquet("a.parquet", compression="uncompressed", statistics=False)
    frame.write_ndjson("a.jsonl")
    frame.write_csv("a.csv")
    (tmp_path / "a.txt").write_text("\n".join(frame["text"]))
    for name in ("a.parquet", "a.jsonl", "a.csv", "a.txt"):
        data = open_rows(name)
        sizes = [table.num_rows for table in data.tables()]
        assert sum(sizes) == 20
        assert max(sizes) <= 20 if name == "a.parquet" else max(sizes) <= 4
        assert [table.num_rows for table in data.tables()] == sizes


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
    kept, lost = run_filter("org/name@v1", tmp_path / "out", *options)
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
