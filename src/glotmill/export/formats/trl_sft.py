"""Chats, as `messages`: TRL's SFTTrainer, axolotl, open-instruct, NeMo, unsloth (the default)."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, select_columns
from glotmill.export.formats._shared.chats import CHAT, read_chats

SCHEMA = {"messages": CHAT}
RESERVED = TRL - {"messages"}


def trl_sft(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "field") -> pl.DataFrame:
    """Return one chat per row.

    rows: messages -> id, language, messages ({role, content}, with reasoning_content if the run has it
    and reasoning is `field`), columns. Source: TRL 1.16, conversational language modeling.
    """
    messages = read_chats(rows, "trl-sft", reasoning)
    table = select_columns(rows, columns, "trl-sft")
    return table.insert_column(2, messages)
