"""What is read of footers is what `datasets` reads, and what differs is said."""

import io
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import DatasetInfo, load_dataset

from glotmill.hub import footers

CHAT = pa.large_list(pa.struct({"role": pa.large_string(), "content": pa.large_string()}))
COLUMNS: dict[str, tuple[Any, Any]] = {
    "id": (pa.large_string(), "a"),
    "messages": (CHAT, [{"role": "user", "content": "سلام"}]),
    "score": (pa.float64(), 0.5),
    "few": (pa.float32(), 0.5),
    "ids": (pa.list_(pa.int64()), [1]),
    "deep": (pa.struct({"a": pa.bool_(), "b": pa.list_(pa.list_(pa.int32()))}), {"a": True, "b": [[1]]}),
    "chats": (pa.list_(CHAT), [[{"role": "user", "content": "x"}]]),
    "fixed": (pa.list_(pa.float32(), 2), [1.0, 2.0]),
    "day": (pa.date32(), 1),
    "at": (pa.timestamp("us", tz="UTC"), 1),
    "none": (pa.null(), None),
}


def footer(path: str = "data/eng_Latn/train-a-00000.parquet", **kinds: Any) -> footers.Footer:
    return footers.Footer(path, 1, 1, 1, {name: footers.feature(kind) for name, kind in kinds.items()})


def narrow(features: Any) -> str:
    """How wide or long a list is, is not said in a card."""
    return re.sub(r"Large(?=List)|large_|, length=\d+", "", repr(features))


def test_features_are_those_of_datasets(tmp_path: Path) -> None:
    schema = pa.schema({name: kind for name, (kind, _) in COLUMNS.items()})
    path = tmp_path / "data" / "eng_Latn" / "train-a-00000.parquet"
    path.parent.mkdir(parents=True)
    rows = pa.Table.from_arrays([pa.array([value], kind) for kind, value in COLUMNS.values()], schema=schema)
    pq.write_table(rows, path)
    found = [footers.read("data/eng_Latn/train-a-00000.parquet", path, path.stat().st_size)]
    front = {"configs": footers.configs(found), "dataset_info": footers.dataset_info(found)}
    bare = load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "bare"))
    (tmp_path / "README.md").write_text(f"---\n{yaml.safe_dump(front)}---\n")
    for config in ("all", "eng_Latn"):
        loaded = load_dataset(str(tmp_path), config, split="train", cache_dir=str(tmp_path / "cache"))
        info = next(each for each in front["dataset_info"] if each["config_name"] == config)
        said = DatasetInfo._from_yaml_dict(info)
        assert loaded.features == said.features
        assert narrow(said.features) == narrow(bare.features), "what datasets finds where no card tells it"
        assert said.splits["train"].num_examples == bare.info.splits["train"].num_examples
        assert said.download_size == bare.info.download_size
        assert set(loaded.features) == set(COLUMNS)
        assert loaded[0]["messages"] == [{"role": "user", "content": "سلام"}]
        assert loaded.info.splits["train"].num_examples == 1


def test_front_matter_has_no_alias() -> None:
    found = [footer(messages=CHAT), footer("data/arb_Arab/train-a-00000.parquet", messages=CHAT)]
    assert "&id" not in yaml.safe_dump(footers.dataset_info(found))


def test_counts() -> None:
    found = [
        footers.Footer("data/zho_Hans/train-b-00000.parquet", 3, 10, 20, {"id": {"dtype": "string"}}),
        footers.Footer("data/arb_Arab/train-a-00000.parquet", 4, 10, 20, {"id": {"dtype": "string"}}),
        footers.Footer("data/zho_Hans/train-a-00000.parquet", 5, 10, 20, {"id": {"dtype": "string"}}),
    ]
    assert list(footers.rows(found).items()) == [("all", 12), ("arb_Arab", 4), ("zho_Hans", 8)]
    info = footers.dataset_info(found)
    assert [(each["config_name"], each["download_size"], each["dataset_size"]) for each in info] == [
        ("all", 30, 60),
        ("arb_Arab", 10, 20),
        ("zho_Hans", 20, 40),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (pa.string(), pa.large_string(), []),
        (pa.list_(pa.string()), pa.large_list(pa.large_string()), []),
        (pa.null(), CHAT, []),
        (CHAT, pa.null(), []),
        (pa.list_(pa.null()), CHAT, []),
        (pa.struct({"a": pa.null()}), pa.struct({"a": pa.list_(pa.string())}), []),
        (pa.int64(), pa.float64(), ["x: int64 there, float64 here"]),
        (pa.list_(pa.int64()), pa.int64(), ["x: list<int64> there, int64 here"]),
        (
            pa.struct({"a": pa.int64()}),
            pa.struct({"a": pa.int64(), "b": pa.string()}),
            ["x: struct<a: int64> there, struct<a: int64, b: string> here"],
        ),
    ],
)
def test_differences(old: Any, new: Any, said: list[str]) -> None:
    assert footers.differences(footer(x=old).columns, footer(x=new).columns) == said


def test_merged_fills_what_is_null() -> None:
    whole = footer(a=pa.list_(pa.string()), b=pa.int64())
    lacking = footer("data/arb_Arab/train-a-00000.parquet", b=pa.null(), a=pa.null())
    assert footers.merged([lacking, whole]) == footers.merged([whole, lacking]) == whole.columns
    with pytest.raises(
        ValueError, match=r"its columns differ from those of .*\n  b: int64 there, missing here"
    ):
        footers.merged([whole, footer("data/arb_Arab/train-a-00000.parquet", a=pa.null())])


def test_bytes_of_all_groups() -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ["a", "b", "c"]}), file, row_group_size=2)
    groups = [pq.read_metadata(file).row_group(n).total_byte_size for n in range(2)]
    found = footers.read("data/eng_Latn/train-a-00000.parquet", file, len(file.getvalue()))
    assert (found.rows, found.memory, found.language) == (3, sum(groups), "eng_Latn")
    assert found.size == len(file.getvalue())


def test_ids_of_the_first_group_alone() -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ["a", "b", "c"]}), file, row_group_size=2)
    assert footers.ids(file) == ["a", "b"]
    other = io.BytesIO()
    pq.write_table(pa.table({"x": [1]}), other)
    assert footers.ids(other) == []
