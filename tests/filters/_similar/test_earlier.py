import json
import sys
import types

import polars as pl
import pytest

from glotmill.errors import RecipeError, UsageError
from glotmill.filters._similar.earlier import check, read

ROWS = [{"text": "one", "n": 1}, {"text": "two", "n": 2, "more": "x"}]


def rows(place, *columns):
    return [row for table in read(str(place), columns) for row in table.rows()]


def test_files_and_folders_are_read(tmp_path):
    pl.DataFrame(ROWS).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "b.jsonl").write_text("\n".join(map(json.dumps, ROWS)) + "\n\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("nothing")
    assert rows(tmp_path / "a.parquet", "text") == [("one",), ("two",)]
    assert rows(tmp_path / "b", "text", "more", "none") == [("one", None), ("two", "x")]
    assert rows(tmp_path, "text") == [("one",), ("two",)] * 2


def test_of_a_run_the_kept_rows_are_read(tmp_path):
    (tmp_path / "rows").mkdir()
    (tmp_path / "dataset").mkdir()
    (tmp_path / "run.json").write_text("{}")
    table = pl.DataFrame({"text": ["one", "two"], "verdict": ["kept", "dropped"]})
    table.write_parquet(tmp_path / "rows" / "eng_Latn-00000.parquet")
    table.write_parquet(tmp_path / "dataset" / "train.parquet")
    assert rows(tmp_path, "text") == [("one",)]
    table.write_parquet(tmp_path / "other.parquet")
    assert rows(tmp_path / "other.parquet", "text") == [("one",), ("two",)], "a verdict of its own"


def test_of_a_folder_of_glotmill_filter_the_kept_rows_are_read(tmp_path):
    (tmp_path / "filter.json").write_text("{}")
    for kind in ("kept", "rejects"):
        (tmp_path / kind).mkdir()
        pl.DataFrame({"text": [kind]}).write_parquet(tmp_path / kind / "part-00000.parquet")
    assert rows(tmp_path, "text") == [("kept",)]


def test_large_files_come_in_parts(tmp_path):
    pl.DataFrame({"n": range(5000)}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("\n".join(f'{{"n": {n}}}' for n in range(5000)))
    for path in tmp_path.iterdir():
        tables = list(read(str(path), ["n"]))
        assert len(tables) == 3
        assert pl.concat(tables)["n"].to_list() == list(range(5000))


def test_a_dataset_of_the_hub_is_streamed(monkeypatch):
    asked = []

    def load_dataset(*args, **options):
        asked.append((args, options))
        return iter(ROWS)

    fake = types.ModuleType("datasets")
    fake.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", fake)
    check("hf://owner/name")
    assert rows("hf://datasets/owner/name", "n") == [(1,), (2,)]
    assert asked == [(("owner/name",), {"split": "train", "streaming": True})]


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(RecipeError, match=r"against nothing: no rows there; give a .parquet or .jsonl file"):
        check("nothing")
    with pytest.raises(RecipeError, match="no rows there"):
        check(str(tmp_path))
    for name in ("a.jsonl", "a.parquet"):
        (tmp_path / name).write_text("not what it should be\n")
        check(str(tmp_path / name))
        with pytest.raises(UsageError, match=f"{name}: cannot be read"):
            rows(tmp_path / name, "text")
