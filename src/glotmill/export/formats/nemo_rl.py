"""Chats that end with the assistant, as lines of JSON with `messages`: NeMo RL's SFT, NeMo Automodel."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, named
from glotmill.export.formats._shared.chats import CHAT, chats, cut

SUFFIX = "jsonl"
SCHEMA = {"messages": CHAT}
RESERVED = TRL - {"messages"}


def nemo_rl(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "field") -> pl.DataFrame:
    """Return one chat a row.

    rows: messages that end with the assistant -> id, language, messages, columns.
    Source: NeMo RL, ResponseDataset and OpenAIFormatDataset, which refuse another end.
    """
    said = chats(rows, "nemo-rl", reasoning)
    cut(said, rows["id"], "nemo-rl")
    return named(rows, columns, "nemo-rl").insert_column(2, said)
