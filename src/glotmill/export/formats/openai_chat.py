"""Chats, as lines of JSON with `messages` and nothing else: OpenAI's form of fine-tuning data."""

import polars as pl

from glotmill.export.formats._shared.chats import CHAT, chats

SUFFIX = "jsonl"
SCHEMA = {"messages": CHAT}


def openai_chat(rows: pl.DataFrame, *, reasoning: str = "field") -> pl.DataFrame:
    """Return one chat a row, without id and language.

    rows: messages -> messages. OpenAI itself takes no reasoning_content: `drop` it, or have it `inline`.
    """
    return chats(rows, "openai-chat", reasoning).to_frame()
