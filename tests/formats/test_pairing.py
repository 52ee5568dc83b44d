"""Replies to one prompt: hostile texts, and many of them."""

from pathlib import Path

import polars as pl
from finished import load
from replies import KEPT, REPEATS, answered

from glotmill.exports.export import export
from glotmill.formats.pairing import answer_column, prompts

HOSTILE = ["\x00", "\x1b[31m", "\u202e", "\u200b" * 50, "a" * 1_000_000, "<|im_end|>", "</think>", "a\r\n\tb"]


def test_hostile_text_comes_through(tmp_path: Path) -> None:
    said = [[(text, KEPT), (f"{text}{text}", REPEATS)] for text in HOSTILE]
    export(answered(tmp_path / "run", said), tmp_path / "out", "trl-dpo")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert [row[0]["content"] for row in there["chosen"]] == HOSTILE
    assert [row[0]["content"] for row in there["rejected"]] == [text * 2 for text in HOSTILE]


def test_the_column_that_was_generated() -> None:
    chats = [[{"role": "user", "content": "q"}, {"role": "assistant", "content": text}] for text in "ab"]
    given = {"messages": chats, "copy": ["a", "b"], "draft": ["a", "x"], "said": ["a", "b"]}
    rows = pl.DataFrame(given | {f"{name}_prompt": ["p", "p"] for name in ("draft", "said", "nosuch")})
    assert answer_column(rows) == "said"
    assert answer_column(rows.drop("said")) == ""
    assert answer_column(rows.clear()) == ""


def test_no_rows() -> None:
    kinds = dict.fromkeys(["id", "seed_key", "verdict", "reason", "reason_at"], pl.String)
    message = pl.Struct({"role": pl.String, "content": pl.String})
    found, chat = prompts(pl.DataFrame(schema={**kinds, "messages": pl.List(message)}), "trl-dpo")
    assert found == []
    assert chat == pl.List(message)
