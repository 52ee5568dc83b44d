"""The one reader of rows: schemas, tables, runs, stdin, and what is odd about values."""

import gzip
import io
import json
import sys
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from row_forms import BOM, TEXTS, a_run, cells, lines, packed

from glotmill.cli import main
from glotmill.errors import UsageError
from glotmill.io.rows import FileRows, open_rows


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines())[:-12])
    (tmp_path / "b.csv.zst").write_bytes(b"none at all")
    for name in ("a.jsonl.gz", "b.csv.zst"):
        with pytest.raises(UsageError, match=f"{name}: cannot be read"):
            list(open_rows(name).tables())


def test_a_folder_holds_files_of_one_kind(tmp_path: Path) -> None:
    packed(tmp_path / "a.jsonl", lines())
    packed(tmp_path / "b.csv", cells(","))
    with pytest.raises(UsageError, match=r"holds \.csv and \.jsonl; name one kind, as in '.*\*\*/\*\.jsonl'"):
        list(open_rows(str(tmp_path)).rows())
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="empty: holds no rows; give a file"):
        open_rows("empty")


def test_files_of_a_folder_have_one_schema(tmp_path: Path) -> None:
    packed(tmp_path / "a.jsonl", b'{"text": "a", "n": 1}\n')
    packed(tmp_path / "b.jsonl", b'{"text": "b", "n": "x", "more": [1]}\n')
    source = open_rows(str(tmp_path))
    assert pa.concat_tables(source.tables()).to_pylist() == [
        {"text": "a", "n": "1", "more": None},
        {"text": "b", "n": "x", "more": [1]},
    ]
    assert pa.concat_tables(source.tables(["more", "none"])).to_pylist() == [{"more": None}, {"more": [1]}]
    assert list(source.rows()) == [{"text": "a", "n": 1}, {"text": "b", "n": "x", "more": [1]}]
    assert source.total == 2


def test_of_a_run_the_rows_that_it_kept_are_read_with_all_columns(tmp_path: Path) -> None:
    place = a_run(tmp_path)
    source = open_rows(place, run_rows=True)
    assert pa.concat_tables(source.tables(["text"])).to_pydict() == {"text": TEXTS}
    assert [row["verdict"] for row in source.rows()] == ["kept", "kept"]
    other = pl.DataFrame({"text": ["a", "b"], "verdict": ["kept", "dropped"]})
    other.write_parquet(tmp_path / "other.parquet")
    assert len(list(open_rows("other.parquet", run_rows=True).rows())) == 2, "a verdict of its own"


def test_large_files_come_in_tables_of_some_thousand_rows(tmp_path: Path) -> None:
    pl.DataFrame({"n": range(5000)}).write_parquet(tmp_path / "a.parquet")
    packed(tmp_path / "a.jsonl.gz", "\n".join(f'{{"n": {n}}}' for n in range(5000)).encode())
    packed(tmp_path / "a.csv", "\n".join(["n", *map(str, range(5000))]).encode())
    for name in ("a.parquet", "a.jsonl.gz", "a.csv"):
        tables = list(open_rows(name).tables(["n"]))
        assert [table.num_rows for table in tables] == [2000, 2000, 1000]
        assert [int(n) for table in tables for n in table["n"].to_pylist()] == list(range(5000))


def test_a_long_cell_and_a_long_number(tmp_path: Path) -> None:
    packed(tmp_path / "a.csv", b"text\n" + b"x" * 200_000 + b"\n")
    assert [len(row["text"]) for row in open_rows("a.csv").rows()] == [200_000]
    table = pa.table({"text": ["a"], "n": pa.array([[Decimal("1.50")]], pa.list_(pa.decimal256(50, 2)))})
    pq.write_table(table, "a.parquet")
    assert list(open_rows("a.parquet").rows()) == [{"text": "a", "n": ["1.50"]}]
    assert next(iter(open_rows("a.parquet").tables())).equals(table)


def test_half_characters_become_question_marks(tmp_path: Path) -> None:
    packed(tmp_path / "a.jsonl", b'{"text": "a\\ud800", "more": ["\\udfff", "\\ud83d\\ude00"]}')
    packed(tmp_path / "b.json", b'[{"text": "a\\ud800", "more": ["\\udfff", "\\ud83d\\ude00"]}]')
    for name in ("a.jsonl", "b.json"):
        rows = [{"text": "a?", "more": ["?", "😀"]}]
        assert list(open_rows(name).rows()) == rows
        assert next(iter(open_rows(name).tables())).to_pylist() == rows


def test_stdin_is_read_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cannot be read again"):
        open_rows("-")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BOM + lines())))
    source = open_rows("-", stdin=True)
    assert [row["text"] for row in source.rows()] == TEXTS
    assert [row["text"] for row in source.rows()] == TEXTS, "as often as one likes"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n\xff\xfe\n")))
    with pytest.raises(UsageError, match="/dev/stdin:2: not UTF-8 at byte 0"):
        list(open_rows("-", stdin=True).rows())


def test_options_of_the_hub_are_for_the_hub(tmp_path: Path) -> None:
    packed(tmp_path / "a.jsonl", lines())
    with pytest.raises(UsageError, match="--config is for datasets of the Hub"):
        open_rows("a.jsonl", config="x")
    with pytest.raises(UsageError, match="names the config default, and --config other; give one"):
        open_rows("hf://owner/name/default", config="other")
    (tmp_path / "owner").mkdir()
    packed(tmp_path / "owner" / "name.jsonl", lines())
    assert isinstance(open_rows("owner/name.jsonl"), FileRows)


def test_the_own_export_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed(
        tmp_path / "train.json", json.dumps([{"instruction": "x", "output": text} for text in TEXTS]).encode()
    )
    options = ["--column", "output", "--filters", "length", "--json"]
    assert main(["filter", "train.json", "--explain", "1", *options]) == 0
    assert json.loads(capsys.readouterr().out)["columns"] == {"output": TEXTS[1]}
