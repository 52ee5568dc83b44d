"""Chats that end with the assistant, as JSON lines with `messages`: NeMo RL, NeMo Automodel."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, select_columns
from glotmill.export.formats._shared.chats import CHAT, read_chats, split_answer

SUFFIX = "jsonl"
SCHEMA = {"messages": CHAT}
RESERVED = TRL - {"messages"}


def nemo_rl(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "field") -> pl.DataFrame:
    """Return one chat per row.

    rows: messages that end with the assistant -> id, language, messages, columns.
    Source: NeMo RL, ResponseDataset and OpenAIFormatDataset, which refuse chats that end otherwise.
    """
    messages = read_chats(rows, "nemo-rl", reasoning)
    split_answer(messages, rows["id"], "nemo-rl")
    return select_columns(rows, columns, "nemo-rl").insert_column(2, messages)
