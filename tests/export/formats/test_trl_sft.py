"""trl-sft, as datasets loads it."""

from pathlib import Path

import pytest
from finished import CHAT, SAID, chat, chats, finished, load, rows

from glotmill.export.export import export

THOUGHT = {**CHAT, "messages": {**CHAT["messages"], "reasoning": "thought"}}


def test_chats_in_every_script(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {tag: rows(tag, 10) for tag in SAID})
    export(made, tmp_path / "out")
    for tag, (question, answer) in SAID.items():
        there = load(tmp_path / "out", tmp_path / "cache", tag)["train"]
        assert there.column_names == ["id", "language", "messages", "topic"]
        assert there[3]["language"] == tag
        assert there[3]["messages"] == [
            {"role": "user", "content": f"{question} (3)"},
            {"role": "assistant", "content": f"{answer} (3)"},
        ]


def test_messages_that_a_transform_made(tmp_path: Path) -> None:
    said = [chat("a", "b", "c", "d"), chat("a", "b", system="s")]
    made = finished(
        tmp_path / "run", {"eng_Latn": chats("eng_Latn", said)}, {"columns": ["messages", "topic"]}
    )
    export(made, tmp_path / "out")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there["messages"] == said
    assert there.column_names == ["id", "language", "messages", "topic"]


@pytest.mark.parametrize(
    ("reasoning", "answer"),
    [
        ("field", {"role": "assistant", "content": "A", "reasoning_content": "Hm."}),
        ("inline", {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nA"}),
        ("drop", {"role": "assistant", "content": "A"}),
    ],
)
def test_reasoning(tmp_path: Path, reasoning: str, answer: dict[str, str]) -> None:
    said = rows("eng_Latn", 4, answer="A", thought=lambda n: "Hm." if n else None)
    made = finished(tmp_path / "run", {"eng_Latn": said}, THOUGHT)
    export(made, tmp_path / "out", options={"reasoning": reasoning})
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there[1]["messages"][1] == answer
    assert all(value is not None for row in there["messages"] for m in row for value in m.values())
    assert there[0]["messages"][1]["content"] == "A"


def test_hostile_text_comes_through(tmp_path: Path) -> None:
    hostile = [
        "\x00",
        "\x1b[31m",
        "\u202e",
        "\u200b" * 50,
        "a" * 1_000_000,
        "<|im_end|>",
        "</think>",
        "\r\n\t",
    ]
    said = rows("eng_Latn", len(hostile), answer=lambda n: hostile[n])
    export(finished(tmp_path / "run", {"eng_Latn": said}), tmp_path / "out")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert [row[1]["content"] for row in there["messages"]] == hostile
