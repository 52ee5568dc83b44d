"""sharegpt: one array of JSON, with LLaMA-Factory's and axolotl's settings for it."""

import json
from pathlib import Path

import pytest
import yaml
from finished import SAID, chat, chats, finished, load, rows

from glotmill.errors import UsageError
from glotmill.export.export import export

MADE = {"columns": ["messages", "topic"]}


def test_conversations(tmp_path: Path) -> None:
    said = [chat("a", "b", "c", "d"), chat("e", "f", system="s")]
    made = finished(tmp_path / "run", {"eng_Latn": chats("eng_Latn", said)}, MADE)
    export(made, tmp_path / "out", "sharegpt")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.column_names == ["conversations", "id", "language", "topic"]
    assert [[(t["from"], t["value"]) for t in row] for row in there["conversations"]] == [
        [("human", "a"), ("gpt", "b"), ("human", "c"), ("gpt", "d")],
        [("system", "s"), ("human", "e"), ("gpt", "f")],
    ]


def test_the_settings_lead_to_the_rows(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {tag: rows(tag, 12) for tag in SAID})
    found = export(made, tmp_path / "out", "sharegpt", split="train=0.7,test=0.3")
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text())
    assert set(info) == {f"{tag}_{split}" for tag in SAID for split in ("train", "test")}
    for tag in SAID:
        entry = info[f"{tag}_test"]
        said = json.loads((tmp_path / "out" / entry["file_name"]).read_text())
        assert len(said) == found.rows[tag]["test"]
        assert entry["formatting"] == "sharegpt"
        assert all(row[entry["columns"]["messages"]][0]["from"] == "human" for row in said)
    listed = yaml.safe_load((tmp_path / "out" / "axolotl.yaml").read_text())["datasets"]
    assert [entry["path"] for entry in listed] == [f"{tag}/train.json" for tag in SAID]
    for entry in listed:
        turn = json.loads((tmp_path / "out" / entry["path"]).read_text())[0][entry["field_messages"]][0]
        assert turn.keys() == {*entry["message_property_mappings"].values()}


def test_axolotl_is_never_told_to_train_on_the_test_split(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 40), "swh_Latn": rows("swh_Latn", 1)})
    found = export(made, tmp_path / "out", "sharegpt", split="train=0.2,test=0.8")
    assert "swh_Latn/train" in found.empty
    listed = yaml.safe_load((tmp_path / "out" / "axolotl.yaml").read_text())["datasets"]
    assert [entry["path"] for entry in listed] == ["eng_Latn/train.json"]


@pytest.mark.parametrize(
    "said",
    [chat("a"), chat("a", "b", "c"), [*chat("a"), *chat("b", "c")], [*chat("a", "b"), *chat("a", "b")[1:]]],
)
def test_turns_that_llama_factory_would_leave_out(tmp_path: Path, said: list[dict[str, str]]) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": chats("eng_Latn", [chat("a", "b"), said])}, MADE)
    with pytest.raises(
        UsageError, match=r"sharegpt: row eng0001: column 'messages' holds user.* must take turns"
    ):
        export(made, tmp_path / "out", "sharegpt")
