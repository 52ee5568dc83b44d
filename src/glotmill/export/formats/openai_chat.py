"""Chats, as JSON lines with only `messages`: OpenAI's fine-tuning format."""

import polars as pl

from glotmill.export.formats._shared.chats import CHAT, read_chats

SUFFIX = "jsonl"
SCHEMA = {"messages": CHAT}


def openai_chat(rows: pl.DataFrame, *, reasoning: str = "field") -> pl.DataFrame:
    """Return one chat per row, without id and language.

    rows: messages -> messages. OpenAI does not accept reasoning_content: use `drop` or `inline`.
    """
    return read_chats(rows, "openai-chat", reasoning).to_frame()
