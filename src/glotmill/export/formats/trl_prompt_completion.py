"""Chats cut before the last answer, as `prompt` and `completion`: TRL trains on the answer alone."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, named
from glotmill.export.formats._shared.chats import CHAT, chats, cut

SCHEMA = {"prompt": CHAT, "completion": CHAT}
RESERVED = TRL - {"prompt", "completion"}


def trl_prompt_completion(
    rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "field"
) -> pl.DataFrame:
    """Return one exchange a row: all that was said before, and the assistant's last answer.

    rows: messages that end with the assistant -> id, language, prompt, completion (both lists of messages),
    columns. Source: TRL 1.16, conversational prompt-completion.
    """
    name = "trl-prompt-completion"
    prompt, completion = cut(chats(rows, name, reasoning), rows["id"], name)
    left = named(rows, columns, name)
    return left.insert_column(2, prompt.alias("prompt")).insert_column(3, completion.alias("completion"))
