"""Chats without the last answer, as `prompt`: TRL's GRPO, RLOO and online DPO."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, select_columns
from glotmill.export.formats._shared.chats import PLAIN, read_chats

SCHEMA = {"prompt": PLAIN}
RESERVED = TRL - {
    "prompt",
    "ground_truth",
}  # ground_truth is an argument of reward functions, like any column


def trl_prompt_only(rows: pl.DataFrame, *, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return one prompt per row; of equal prompts (samples of one seed row) only the first.

    rows: messages -> id, language, prompt (messages without the last answer and without reasoning), columns,
    which reward functions receive by name. Source: TRL 1.16, conversational prompt-only.
    """
    chat = pl.col("prompt")
    table = select_columns(rows, columns, "trl-prompt-only")
    messages = table.insert_column(2, read_chats(rows, "trl-prompt-only", "drop").alias("prompt"))
    answered = chat.list.last().struct.field("role") == "assistant"
    split_answer = messages.with_columns(chat.list.head(chat.list.len() - answered.cast(pl.UInt32)))
    return split_answer.filter(chat.list.len() > 0).unique("prompt", keep="first", maintain_order=True)
