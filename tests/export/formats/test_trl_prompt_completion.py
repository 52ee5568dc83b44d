"""trl-prompt-completion, as datasets loads it."""

from pathlib import Path

import pytest
from finished import SAID, chat, chats, finished, load, rows

from glotmill.errors import UsageError
from glotmill.export.export import export

MADE = {"columns": ["messages"]}


def test_the_last_answer_is_cut_off(tmp_path: Path) -> None:
    said = [chat("a", "b", "c", "d"), chat("e", "f", system="s")]
    made = finished(tmp_path / "run", {"eng_Latn": chats("eng_Latn", said)}, MADE)
    export(made, tmp_path / "out", "trl-prompt-completion")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.column_names == ["id", "language", "prompt", "completion"]
    assert [p + c for p, c in zip(there["prompt"], there["completion"], strict=True)] == said
    assert [c for (c,) in there["completion"]] == [
        {"role": "assistant", "content": "d"},
        {"role": "assistant", "content": "f"},
    ]


def test_every_script(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {tag: rows(tag, 3) for tag in SAID})
    export(made, tmp_path / "out", "trl-prompt-completion")
    for tag, (question, answer) in SAID.items():
        row = load(tmp_path / "out", tmp_path / "cache", tag)["train"][2]
        assert row["prompt"] == [{"role": "user", "content": f"{question} (2)"}]
        assert row["completion"] == [{"role": "assistant", "content": f"{answer} (2)"}]
        assert row["topic"] == "topic 2"


def test_a_chat_without_an_answer_is_told_of(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 2)}, {"messages": {"user": "question"}})
    with pytest.raises(
        UsageError, match=r"trl-prompt-completion: row eng0000: its messages do not end with an"
    ):
        export(made, tmp_path / "out", "trl-prompt-completion")
