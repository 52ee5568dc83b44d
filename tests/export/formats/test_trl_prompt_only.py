"""trl-prompt-only, as datasets loads it."""

from pathlib import Path

import pytest
from finished import CHAT, chat, chats, finished, load, rows

from glotmill.errors import UsageError
from glotmill.export.export import export


def test_the_last_answer_is_left_out_and_equal_prompts_are_one(tmp_path: Path) -> None:
    said = [
        chat("a", "b"),
        chat("a", "other"),
        chat("a", "b", "c", "d"),
        chat("e"),
        chat("g", "h", system="s"),
    ]
    made = finished(
        tmp_path / "run", {"eng_Latn": chats("eng_Latn", said)}, {"columns": ["messages", "topic"]}
    )
    found = export(made, tmp_path / "out", "trl-prompt-only")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there["prompt"] == [chat("a"), chat("a", "b", "c"), chat("e"), chat("g", system="s")]
    assert there["topic"] == ["topic 0", "topic 2", "topic 3", "topic 4"], "reward functions get it"
    assert found.rows == {"eng_Latn": {"train": 4}}


def test_reasoning_is_no_part_of_a_prompt(tmp_path: Path) -> None:
    output = {"messages": {**CHAT["messages"], "reasoning": "topic"}}
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 2)}, output)
    export(made, tmp_path / "out", "trl-prompt-only")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there[1]["prompt"] == [{"role": "user", "content": "Why does it rain? (1)"}]


def test_names_that_reward_functions_have_already(tmp_path: Path) -> None:
    made = finished(
        tmp_path / "run",
        {"eng_Latn": rows("eng_Latn", 2, completions="x")},
        {**CHAT, "columns": ["completions"]},
    )
    with pytest.raises(
        UsageError, match=r"trl-prompt-only: column 'completions' has a name that trainers read"
    ):
        export(made, tmp_path / "out", "trl-prompt-only")
