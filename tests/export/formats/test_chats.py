"""What formats do with chats."""

from typing import Any

import polars as pl
import pytest

from glotmill.errors import UsageError
from glotmill.export.formats._shared.chats import PLAIN, REASONED, read_chats, split_answer

USER = {"role": "user", "content": "Q"}
ASSISTANT = {"role": "assistant", "content": "A"}
THOUGHT = [
    {"role": "user", "content": "Q", "reasoning_content": ""},
    {"role": "assistant", "content": "A", "reasoning_content": "Hm.\n{}"},
    {"role": "user", "content": "R", "reasoning_content": None},
    {"role": "assistant", "content": "B", "reasoning_content": ""},
]


def rows(*messages: Any, dtype: Any = PLAIN) -> pl.DataFrame:
    ids = [f"r{n}" for n in range(len(messages))]
    return pl.DataFrame({"id": ids, "messages": messages}, schema={"id": pl.String, "messages": dtype})


def test_chats_without_reasoning_are_as_they_are() -> None:
    there = rows([USER, ASSISTANT], [{"role": "system", "content": ""}, USER])
    for way in ("field", "inline", "drop"):
        assert read_chats(there, "f", way).equals(there["messages"])
        assert read_chats(there.clear(), "f", way).dtype == PLAIN


def test_where_reasoning_goes() -> None:
    there = rows(THOUGHT, dtype=REASONED)
    field = read_chats(there, "f", "field").to_list()[0]
    assert [m["reasoning_content"] for m in field] == ["", "Hm.\n{}", "", ""], "a null would be said as None"
    inline = read_chats(there, "f", "inline").to_list()[0]
    assert inline == [
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": "<think>\nHm.\n{}\n</think>\n\nA"},
        {"role": "user", "content": "R"},
        {"role": "assistant", "content": "B"},
    ]
    assert [m["content"] for m in read_chats(there, "f", "drop").to_list()[0]] == ["Q", "A", "R", "B"]
    assert read_chats(there, "f", "drop").dtype == read_chats(there, "f", "inline").dtype == PLAIN
    with pytest.raises(UsageError, match=r"f: reasoning is 'field'; give one of inline, drop"):
        read_chats(there, "f", "field", ("inline", "drop"))


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([], "no message"),
        (None, "no message"),
        ([USER, {"role": "assistant", "content": None}], "a message that is null"),
        ([USER, {"role": None, "content": "x"}], "a message that is null"),
        ([USER, {"role": "gpt", "content": "x"}], "a role other than system, user, assistant"),
        ([USER, {"role": "system", "content": "x"}], "a system message that is not the first"),
    ],
)
def test_what_is_no_chat(messages: Any, told: str) -> None:
    with pytest.raises(UsageError, match=rf"f: row r1: column 'messages' has {told}; filter such rows out"):
        read_chats(rows([USER, ASSISTANT], messages), "f")


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(["text"]),
        pl.Series([[{"role": "user", "text": "x"}]]),
        pl.Series([[{"role": "user", "content": 1}]]),
        pl.Series([[{"role": "user", "content": "x", "name": "y"}]]),
    ],
)
def test_a_column_of_another_type(column: pl.Series) -> None:
    there = pl.DataFrame({"id": ["a"], "messages": column})
    with pytest.raises(
        UsageError, match=r"f: column 'messages' is .*; a chat is a list of \{role, content\}"
    ):
        read_chats(there, "f")


def test_no_column() -> None:
    with pytest.raises(
        UsageError, match=r"f: no column 'messages'; a recipe names them .*; the columns are id, text"
    ):
        read_chats(pl.DataFrame({"id": ["a"], "text": ["b"]}), "f")


def test_cut() -> None:
    there = rows([USER, ASSISTANT], [USER, ASSISTANT, USER, ASSISTANT])
    before, last = split_answer(there["messages"], there["id"], "f")
    assert before.to_list() == [[USER], [USER, ASSISTANT, USER]]
    assert last.to_list() == [[ASSISTANT], [ASSISTANT]]
    for wrong in ([USER], [ASSISTANT], [USER, ASSISTANT, USER]):
        there = rows([USER, ASSISTANT], wrong)
        with pytest.raises(UsageError, match=r"f: row r1: its messages do not end with an answer"):
            split_answer(there["messages"], there["id"], "f")
