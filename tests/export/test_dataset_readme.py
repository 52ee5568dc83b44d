"""What `datasets.load_dataset` makes of an exported folder."""

from pathlib import Path

import polars as pl
import pytest
from exported import all_languages, ids
from finished import CHAT, SAID, finished, load, rows

from glotmill.cli.export import export_text
from glotmill.export.export import export


def test_each_language_is_a_config_and_all_of_them_the_default(tmp_path: Path) -> None:
    made = all_languages(tmp_path)
    found = export(made, tmp_path / "out", split="train=0.8,test=0.2")
    for tag in SAID:
        loaded = load(tmp_path / "out", tmp_path / "cache", tag)
        assert {name: part.num_rows for name, part in loaded.items()} == found.rows[tag]
        assert loaded["train"]["id"] == ids(tmp_path / "out", tag, "train")
    whole = load(tmp_path / "out", tmp_path / "cache")
    assert whole["train"].num_rows + whole["test"].num_rows == 30 * len(SAID)
    assert found.empty == []


@pytest.mark.parametrize("name", ["trl-sft", "nemo-rl", "sharegpt"])
def test_a_language_without_a_value_in_a_column_does_not_spoil_the_others(tmp_path: Path, name: str) -> None:
    shape = {"hint": [{"n": 1, "s": ["x"], "f": 0.5, "b": True}], "late": "x"}
    languages = {
        "eng_Latn": rows("eng_Latn", 3, hint=None, late=None),
        "swh_Latn": rows("swh_Latn", 3, **shape),
    }
    made = finished(tmp_path / "run", languages, {**CHAT, "columns": ["hint", "late"]})
    export(made, tmp_path / "out", name)
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there["late"] == [None] * 3 + ["x"] * 3
    assert there["hint"] == [None] * 3 + [shape["hint"]] * 3
    assert load(tmp_path / "out", tmp_path / "cache", "eng_Latn")["train"].features == there.features


def test_a_split_without_rows_is_told_of(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 3), "swh_Latn": rows("swh_Latn", 40)})
    found = export(made, tmp_path / "out", split="train=0.99,test=0.01")
    assert "eng_Latn/test" in found.empty
    assert not list((tmp_path / "out" / "eng_Latn").glob("test-*"))
    assert "No rows in eng_Latn/test" in export_text(found)
    assert load(tmp_path / "out", tmp_path / "cache", "eng_Latn")["train"].num_rows == 3


def test_a_language_of_which_no_row_fits_is_told_of(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 3), "swh_Latn": rows("swh_Latn", 3)})
    sides = {"source": "question", "target": "answer"}
    told = export_text(export(made, tmp_path / "out", "translation", options=sides))
    assert "No row of eng_Latn fits; see `glotmill show translation`." in told
    assert "A larger share" not in told


@pytest.mark.parametrize("name", ["trl-sft", "nemo-rl", "alpaca"])
def test_columns_of_any_name(tmp_path: Path, name: str) -> None:
    names = ["\U0001f4a5", "a.b", "x\ny", '"q', "naïve", "\x7f\x85\u2028", "no", "{a: b}", "#", "تجربة"]
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 2, **dict.fromkeys(names, "x"))}, CHAT)
    export(made, tmp_path / "out", name, options={"columns": names})
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.column_names[-len(names) :] == names
    assert there[1]["\x7f\x85\u2028"] == "x"


@pytest.mark.parametrize("kind", [pl.UInt32, pl.Int8, pl.Float32, pl.Float64])
@pytest.mark.parametrize("name", ["trl-sft", "nemo-rl"])
def test_numbers_stay_numbers(tmp_path: Path, name: str, kind: pl.DataType) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 3)})
    path = made.folder / "rows" / "eng_Latn-00000.parquet"
    pl.read_parquet(path).with_columns(topic=pl.lit(3).cast(kind)).write_parquet(path)
    export(made, tmp_path / "out", name)
    assert load(tmp_path / "out", tmp_path / "cache")["train"]["topic"] == [3, 3, 3]


@pytest.mark.parametrize("name", ["trl-sft", "openai-chat"])
def test_rows_go_together_with_those_of_any_other_dataset(tmp_path: Path, name: str) -> None:
    from datasets import Dataset, concatenate_datasets

    export(all_languages(tmp_path, 5), tmp_path / "out", name)
    ours = load(tmp_path / "out", tmp_path / "cache")["train"].select_columns("messages")
    other = Dataset.from_list([{"messages": [{"role": "user", "content": "Q"}]}])
    assert concatenate_datasets([other, ours]).num_rows == 1 + ours.num_rows
