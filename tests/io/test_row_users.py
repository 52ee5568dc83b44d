"""Every form of rows is read by every user of the reader, and every fault is named by file and line."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from row_forms import BOM, FORMS, TEXTS, lines, packed
from spy import write

from glotmill.errors import UsageError
from glotmill.filters._similar import references
from glotmill.filters.decontaminate import decontaminate
from glotmill.filters.duplicates import duplicates
from glotmill.filters.got_d import got_d
from glotmill.io.rows import open_rows
from glotmill.recipes.read import read_recipe
from glotmill.recipes.seeds import open_seeds


def of_seeds(place: str, folder: Path) -> list[str]:
    recipe = (
        "about: A test.\nseeds: {rows: [{text: x}]}\nsteps: [{generate: draft}]\noutput: {columns: [draft]}\n"
    )
    seeds = open_seeds(read_recipe(write(folder / "mine", recipe, draft="{{ text }}")), place)
    return [row["text"] for _, _, row in seeds.take("eng_Latn", 0, 99, 1)]


def of_filter(place: str, folder: Path) -> list[str]:
    return [text for table in open_rows(place).tables() for text in table["text"].to_pylist()]


def of_duplicates(place: str, folder: Path) -> list[str]:
    texts = pl.DataFrame({"text": [*TEXTS, "dropped"]})
    reasons = texts.select(duplicates(pl.col("text"), within="", against=place)).to_series().to_list()
    return [text for text, reason in zip(texts["text"], reasons, strict=True) if reason == "duplicate"]


def of_decontaminate(place: str, folder: Path) -> list[str]:
    texts = pl.DataFrame({"text": [*TEXTS, "dropped"]})
    reasons = (
        texts.select(decontaminate(pl.col("text"), against=place).struct["reason"]).to_series().to_list()
    )
    return [text for text, reason in zip(texts["text"], reasons, strict=True) if reason]


def of_got_d(place: str, folder: Path) -> list[str]:
    got_d(pl.col("text"), target=place, keep=0.5)
    return [row["text"] for row in references.rows(references.find(place, ["text"]))]


USERS = [of_seeds, of_filter, of_duplicates, of_decontaminate, of_got_d]


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    load = datasets.load_dataset_builder

    def load_local(name: str, config: str | None, revision: str | None) -> Any:
        assert (name, config) in (("owner/name", None), ("owner/name", "default"))
        return load("parquet", data_files={"train": str(tmp_path / "hub" / "train.parquet")})

    monkeypatch.setattr(datasets, "load_dataset_builder", load_local)
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda name, revision: ["default"])
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_by_every_user(
    form: str, user: Callable[[str, Path], list[str]], tmp_path: Path
) -> None:
    assert user(FORMS[form](tmp_path), tmp_path) == TEXTS


BROKEN = {
    "rows.jsonl": (lines() + b'{"text": \n', "rows.jsonl:3: not JSON"),
    "rows.jsonl.gz": (BOM + lines() + b"\n[1]\n", "rows.jsonl.gz:4: a list; write one object a line"),
    "rows.json": (b'[{"text": "a"},\n {"text": }]', "rows.json:2: not JSON at column 11"),
    "items.json": (b'[{"text": "a"}, 3]', "items.json: item 2 is no object but int"),
    "rows.csv": (b"n,text\n1,a\n\n1\n", "rows.csv:4: the header has 2 cells, this row 1"),
    "latin.csv": (b"n,text\n1,a\n1,caf\xe9\n", "latin.csv:3: not UTF-8 at byte 5"),
    "twice.tsv": (b"text\ttext\n", "twice.tsv:1: two columns are named 'text'"),
    "latin.txt": (b"a\n\ncaf\xe9\n", "latin.txt:3: not UTF-8 at byte 3"),
    "rows.txt": (b'{"text": "a"}\ntext\n', "rows.txt:2: not JSON"),
    "rows.parquet": (b"no", "rows.parquet: not parquet"),
    "rows.xlsx": (b"no", "unknown kind of file '.xlsx'; give a file"),
    "none.jsonl": (None, "none.jsonl: no such file or folder"),
}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("name", BROKEN)
def test_every_user_says_where_a_fault_is(
    name: str, user: Callable[[str, Path], list[str]], tmp_path: Path
) -> None:
    data, message = BROKEN[name]
    if data is not None:
        packed(tmp_path / name, data)
    with pytest.raises(UsageError) as raised:
        user(name, tmp_path)
    assert message in str(raised.value)


def test_seeds_may_have_decimals_of_256_bits(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"], "n": pa.array([Decimal("1.50")], pa.decimal256(50, 2))})
    pq.write_table(table, "a.parquet")
    assert of_seeds("a.parquet", tmp_path) == ["a"]
