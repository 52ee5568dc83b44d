"""Chats, as `messages`: TRL's SFTTrainer, axolotl, open-instruct, NeMo, unsloth (the default)."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, named
from glotmill.export.formats._shared.chats import CHAT, chats

SCHEMA = {"messages": CHAT}
RESERVED = TRL - {"messages"}


def trl_sft(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "field") -> pl.DataFrame:
    """Return one chat a row.

    rows: messages -> id, language, messages ({role, content}, with reasoning_content where the run has it and
    reasoning is `field`), columns. Source: TRL 1.16, conversational language modeling.
    """
    said = chats(rows, "trl-sft", reasoning)
    left = named(rows, columns, "trl-sft")
    return left.insert_column(2, said)
