"""openai-chat: lines of JSON that say `messages` and nothing else."""

from pathlib import Path

from finished import CHAT, SAID, finished, lines, load, rows

from glotmill.export.export import export


def test_lines(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {tag: rows(tag, 9) for tag in SAID})
    export(made, tmp_path / "out", "openai-chat", split="train=0.5,valid=0.5")
    for tag, (question, _) in SAID.items():
        said = [
            row for split in ("train", "valid") for row in lines(tmp_path / "out" / tag / f"{split}.jsonl")
        ]
        assert len(said) == 9
        assert all(row.keys() == {"messages"} for row in said)
        assert all(m.keys() == {"role", "content"} for row in said for m in row["messages"])
        assert {row["messages"][0]["content"] for row in said} == {f"{question} ({n})" for n in range(9)}
        there = load(tmp_path / "out", tmp_path / "cache", tag)
        assert [row for part in there.values() for row in part] == said


def test_reasoning(tmp_path: Path) -> None:
    output = {"messages": {**CHAT["messages"], "reasoning": "topic"}}
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 2)}, output)
    export(made, tmp_path / "out", "openai-chat", options={"reasoning": "drop"})
    assert lines(tmp_path / "out/eng_Latn/train.jsonl")[0]["messages"][1].keys() == {"role", "content"}
    export(made, tmp_path / "out", "openai-chat")
    assert lines(tmp_path / "out/eng_Latn/train.jsonl")[1]["messages"][1]["reasoning_content"] == "topic 1"
