"""alpaca: one array of JSON, with what LLaMA-Factory needs to know of it."""

import json
from pathlib import Path

import pytest
from finished import CHAT, SAID, chat, chats, finished, load, rows

from glotmill.errors import UsageError
from glotmill.export.export import export


def test_questions_and_answers(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {tag: rows(tag, 6) for tag in SAID})
    export(made, tmp_path / "out", "alpaca", split="train=0.5,test=0.5")
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text())
    for tag, (question, answer) in SAID.items():
        entries = {name: entry for name, entry in info.items() if name.startswith(tag)}
        said = [
            r for e in entries.values() for r in json.loads((tmp_path / "out" / e["file_name"]).read_text())
        ]
        assert sorted(row["instruction"] for row in said) == [f"{question} ({n})" for n in range(6)]
        assert sorted(row["output"] for row in said) == [f"{answer} ({n})" for n in range(6)]
        assert {(row["input"], row["system"]) for row in said} == {("", "")}
        assert all(column in said[0] for e in entries.values() for column in e["columns"].values())
        there = load(tmp_path / "out", tmp_path / "cache", tag)
        assert sum(part.num_rows for part in there.values()) == 6
        assert "topic" in there["train"].column_names


def test_a_system_message_where_there_is_one(tmp_path: Path) -> None:
    said = [chat("a", "b", system="s"), chat(" c", "d\n")]
    made = finished(tmp_path / "run", {"eng_Latn": chats("eng_Latn", said)}, {"columns": ["messages"]})
    export(made, tmp_path / "out", "alpaca")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.select_columns(["instruction", "output", "system"])[:] == {
        "instruction": ["a", " c"],
        "output": ["b", "d\n"],
        "system": ["s", ""],
    }


@pytest.mark.parametrize("said", [chat("a", "b", "c", "d"), chat("a"), chat("a", "b", "c")])
def test_a_conversation_does_not_fit(tmp_path: Path, said: list[dict[str, str]]) -> None:
    made = finished(
        tmp_path / "run", {"eng_Latn": chats("eng_Latn", [chat("a", "b"), said])}, {"columns": ["messages"]}
    )
    with pytest.raises(
        UsageError, match=r"alpaca: row eng0001: column 'messages' holds user.*; use sharegpt"
    ):
        export(made, tmp_path / "out", "alpaca")


def test_reasoning_is_inline(tmp_path: Path) -> None:
    output = {"messages": {**CHAT["messages"], "reasoning": "topic"}}
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 2, answer="A")}, output)
    export(made, tmp_path / "out", "alpaca")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there["output"] == ["<think>\ntopic 0\n</think>\n\nA", "<think>\ntopic 1\n</think>\n\nA"]
    with pytest.raises(UsageError, match=r"alpaca: reasoning is 'field'; give one of inline, drop"):
        export(made, tmp_path / "out", "alpaca", options={"reasoning": "field"})
