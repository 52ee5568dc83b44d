"""Replies that are wanted and replies that are not, as `prompt`, `completion`, `label`: TRL's KTO."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, named
from glotmill.export.formats._shared.chats import CHAT
from glotmill.export.formats._shared.pairing import HINT, prompts

NEEDS = "all"
SCHEMA = {"prompt": CHAT, "completion": CHAT, "label": pl.Boolean()}
RESERVED = TRL - {*SCHEMA}
BOTH = "label"
EMPTY = HINT


def trl_kto(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "field") -> pl.DataFrame:
    """Return a reply a row: label is true for those that were kept, and false for rejected ones.

    A reply is rejected if a filter dropped it for what it says. Failed requests, replies that were cut off or
    could not be parsed, and those dropped as duplicates, for their prompt, for personal data, or because a
    filter could not tell, are on neither side.
    Rejected replies need no kept one beside them, where their prompt is known. What is said twice to a prompt
    is there once, and as kept if one of them was.
    rows: messages that end with the assistant, verdict, reason -> id, language, prompt, completion (lists of
    messages), label, rejected_reason (null where kept), columns.
    Source: TRL 1.16, conversational unpaired preference.
    """
    found, chat = prompts(rows, "trl-kto", reasoning)
    replies = [(prompt, said) for prompt in found for said in (*prompt.kept, *prompt.rejected)]
    left = named(rows, columns, "trl-kto")[[said.place for _, said in replies]]
    made = {
        "prompt": pl.Series([prompt.messages for prompt, _ in replies], dtype=chat),
        "completion": pl.Series([[said.message] for _, said in replies], dtype=chat),
        "label": pl.Series([said.reason is None for _, said in replies], dtype=pl.Boolean),
        "rejected_reason": pl.Series([said.reason for _, said in replies], dtype=pl.String),
    }
    return left.select("id", "language", **made).hstack(left.drop("id", "language"))
