"""Chats without their last answer, as `prompt`: TRL's GRPO, RLOO and online DPO write answers themselves."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, named
from glotmill.export.formats._shared.chats import PLAIN, chats

SCHEMA = {"prompt": PLAIN}
RESERVED = TRL - {"prompt", "ground_truth"}  # ground_truth: an argument of reward functions, as any column


def trl_prompt_only(rows: pl.DataFrame, *, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return one prompt a row; of equal prompts (samples of one seed row) the first alone.

    rows: messages -> id, language, prompt (messages, without the assistant's last and without reasoning),
    columns, which reward functions get by their names. Source: TRL 1.16, conversational prompt-only.
    """
    chat = pl.col("prompt")
    left = named(rows, columns, "trl-prompt-only")
    said = left.insert_column(2, chats(rows, "trl-prompt-only", "drop").alias("prompt"))
    answered = chat.list.last().struct.field("role") == "assistant"
    cut = said.with_columns(chat.list.head(chat.list.len() - answered.cast(pl.UInt32)))
    return cut.filter(chat.list.len() > 0).unique("prompt", keep="first", maintain_order=True)
