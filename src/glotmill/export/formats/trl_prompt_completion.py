"""Chats split before the last answer, as `prompt` and `completion`: TRL, loss on the answer only."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, select_columns
from glotmill.export.formats._shared.chats import CHAT, read_chats, split_answer

SCHEMA = {"prompt": CHAT, "completion": CHAT}
RESERVED = TRL - {"prompt", "completion"}


def trl_prompt_completion(
    rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "field"
) -> pl.DataFrame:
    """Return one exchange per row: the messages before, and the last answer of the assistant.

    rows: messages that end with the assistant -> id, language, prompt, completion (both lists of messages),
    columns. Source: TRL 1.16, conversational prompt-completion.
    """
    name = "trl-prompt-completion"
    prompt, completion = split_answer(read_chats(rows, name, reasoning), rows["id"], name)
    table = select_columns(rows, columns, name)
    return table.insert_column(2, prompt.alias("prompt")).insert_column(3, completion.alias("completion"))
