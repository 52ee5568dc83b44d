"""Replies labelled as good or bad, as `prompt`, `completion`, `label`: TRL's KTO."""

from collections.abc import Sequence

import polars as pl

from glotmill.export.formats import TRL, select_columns
from glotmill.export.formats._shared.chats import CHAT
from glotmill.export.formats._shared.preference_pairs import HINT, group_by_prompt

NEEDS = "all"
SCHEMA = {"prompt": CHAT, "completion": CHAT, "label": pl.Boolean()}
RESERVED = TRL - {*SCHEMA}
BOTH = "label"
EMPTY = HINT


def trl_kto(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "field") -> pl.DataFrame:
    """Return one reply per row; `label` is true for kept replies and false for rejected ones.

    A reply is rejected if a filter dropped it for its content. Not used at all: failed requests, replies that
    were cut off or not parsed, and replies dropped as duplicates, for their prompt, for personal data, or
    because a filter could not check them.
    A rejected reply needs no kept reply to the same prompt, if its prompt is known. A text that occurs twice
    for a prompt is used once, as kept if one of them was kept.
    rows: messages that end with the assistant, verdict, reason -> id, language, prompt, completion (lists of
    messages), label, rejected_reason (null where kept), columns.
    Source: TRL 1.16, conversational unpaired preference.
    """
    prompts, chat = group_by_prompt(rows, "trl-kto", reasoning)
    replies = [(prompt, candidate) for prompt in prompts for candidate in (*prompt.kept, *prompt.rejected)]
    table = select_columns(rows, columns, "trl-kto")[[candidate.row_index for _, candidate in replies]]
    values = {
        "prompt": pl.Series([prompt.messages for prompt, _ in replies], dtype=chat),
        "completion": pl.Series([[candidate.message] for _, candidate in replies], dtype=chat),
        "label": pl.Series([candidate.reason is None for _, candidate in replies], dtype=pl.Boolean),
        "rejected_reason": pl.Series([candidate.reason for _, candidate in replies], dtype=pl.String),
    }
    return table.select("id", "language", **values).hstack(table.drop("id", "language"))
