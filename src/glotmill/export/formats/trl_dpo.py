"""Preference pairs, as `prompt`, `chosen`, `rejected`: TRL's DPO, CPO and ORPO."""

from collections.abc import Sequence
from math import inf
from typing import Any

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import TRL, require_column, select_columns
from glotmill.export.formats._shared.chats import CHAT
from glotmill.export.formats._shared.preference_pairs import HINT, Candidate, Prompt, group_by_prompt

NEEDS = "all"
SCHEMA = {"prompt": CHAT, "chosen": CHAT, "rejected": CHAT}
RESERVED = TRL - {*SCHEMA}
EMPTY = HINT
_NAME = "trl-dpo"


def trl_dpo(
    rows: pl.DataFrame,
    *,
    columns: Sequence[str] = (),
    reasoning: str = "field",
    score: str = "",
    margin: float = 1.0,
) -> pl.DataFrame:
    """Return one pair per row: each rejected reply with a kept reply to the same prompt, in rotation.

    A reply is rejected if a filter dropped it for its content. Not used at all: failed requests, replies that
    were cut off or not parsed, and replies dropped as duplicates, for their prompt, for personal data, or
    because a filter could not check them.
    Equal replies make no pair, and a text that was rejected twice is used once.
    score: a column such as `score.score`. A kept reply whose score is at least `margin` below the best kept
    reply to the same prompt is rejected too (rejected_reason: lower_score), and paired with a better one.
    rows: messages that end with the assistant, verdict, reason, score -> id and language of the chosen row,
    prompt, chosen, rejected (lists of messages), rejected_id, rejected_reason, columns of the chosen row.
    Source: TRL 1.16, conversational preference with explicit prompt.
    """
    if not margin > 0:  # also true for nan
        raise UsageError(f"{_NAME}: margin is {margin}; give a number above 0")
    prompts, chat = group_by_prompt(rows, _NAME, reasoning)
    scores = _scores(rows, score) if score else []
    pairs = [(p, *pair) for p in prompts for pair in _pair_up(p, scores, margin)]
    table = select_columns(rows, columns, _NAME)[[chosen.row_index for _, chosen, _ in pairs]]
    ids = rows["id"]
    values = {
        "prompt": pl.Series([prompt.messages for prompt, _, _ in pairs], dtype=chat),
        "chosen": pl.Series([[chosen.message] for _, chosen, _ in pairs], dtype=chat),
        "rejected": pl.Series([[rejected.message] for _, _, rejected in pairs], dtype=chat),
        "rejected_id": pl.Series([ids[rejected.row_index] for _, _, rejected in pairs], dtype=pl.String),
        "rejected_reason": pl.Series([rejected.reason for _, _, rejected in pairs], dtype=pl.String),
    }
    return table.select("id", "language", **values).hstack(table.drop("id", "language"))


def _pair_up(prompt: Prompt, scores: Sequence[Any], margin: float) -> list[tuple[Candidate, Candidate]]:
    score = {
        s.row_index: number for s in prompt.kept if scores and (number := scores[s.row_index]) is not None
    }
    limit = max(score.values(), default=0.0) - margin
    kept = [candidate for candidate in prompt.kept if score.get(candidate.row_index, inf) > limit]
    low_scored = [
        Candidate(s.row_index, s.message, "lower_score")
        for s in prompt.kept
        if score.get(s.row_index, inf) <= limit
    ]
    pairs = []
    for number, rejected in enumerate([*prompt.rejected, *low_scored]):
        minimum = score[rejected.row_index] + margin if rejected.row_index in score else -inf
        better = [candidate for candidate in kept if score.get(candidate.row_index, -inf) >= minimum]
        if better and better[number % len(better)].message != rejected.message:
            pairs.append((better[number % len(better)], rejected))
    return pairs


def _scores(rows: pl.DataFrame, score: str) -> list[float | None]:
    """Return the numbers of a column, or of a field of it; anything else is None."""
    first, *parts = score.split(".")
    require_column(rows, first, _NAME, "name a score with --set score=COLUMN")
    column = rows[first]
    for part in parts:
        if not isinstance(column.dtype, pl.Struct) or part not in (f.name for f in column.dtype.fields):
            raise UsageError(f"{_NAME}: score {score!r}: {first!r} is {rows.schema[first]}")
        column = column.struct.field(part)
    if not column.dtype.is_numeric() and column.dtype != pl.String:
        fields = column.dtype.fields if isinstance(column.dtype, pl.Struct) else []
        hint = f"; name a field of it, as {score}.{fields[0].name}" if fields else ""
        raise UsageError(f"{_NAME}: score {score!r} is {column.dtype}, not a number{hint}")
    number = column.cast(pl.Float64, strict=False)
    return number.set(~number.is_finite(), None).to_list()
