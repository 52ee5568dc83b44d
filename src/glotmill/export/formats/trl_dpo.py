"""A prompt with a better and a worse reply, as `prompt`, `chosen`, `rejected`: TRL's DPO, CPO and ORPO."""

from collections.abc import Sequence
from math import inf
from typing import Any

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import TRL, named, needed
from glotmill.export.formats._shared.chats import CHAT
from glotmill.export.formats._shared.pairing import HINT, Prompt, Said, prompts

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
    """Return a pair a row: each rejected reply with a kept one to the same prompt, these in turn.

    A reply is rejected if a filter dropped it for what it says. Failed requests, replies that were cut off or
    could not be parsed, and those dropped as duplicates, for their prompt, for personal data, or because a
    filter could not tell, are on neither side.
    Equal replies are no pair, and what is rejected twice is in one.
    score: a column, as `score.score`, by which a kept reply is rejected too (rejected_reason lower_score)
    where the best kept one to the same prompt has `margin` more; it is paired with those that have.
    rows: messages that end with the assistant, verdict, reason, score -> id and language of the chosen row,
    prompt, chosen, rejected (lists of messages), rejected_id, rejected_reason, columns of the chosen row.
    Source: TRL 1.16, conversational preference with explicit prompt.
    """
    if not margin > 0:  # nan is neither above nor below
        raise UsageError(f"{_NAME}: margin {margin}: give a number above 0")
    found, chat = prompts(rows, _NAME, reasoning)
    scores = _scores(rows, score) if score else []
    pairs = [(p, *pair) for p in found for pair in _pairs(p, scores, margin)]
    left = named(rows, columns, _NAME)[[chosen.place for _, chosen, _ in pairs]]
    ids = rows["id"]
    made = {
        "prompt": pl.Series([prompt.messages for prompt, _, _ in pairs], dtype=chat),
        "chosen": pl.Series([[chosen.message] for _, chosen, _ in pairs], dtype=chat),
        "rejected": pl.Series([[rejected.message] for _, _, rejected in pairs], dtype=chat),
        "rejected_id": pl.Series([ids[rejected.place] for _, _, rejected in pairs], dtype=pl.String),
        "rejected_reason": pl.Series([rejected.reason for _, _, rejected in pairs], dtype=pl.String),
    }
    return left.select("id", "language", **made).hstack(left.drop("id", "language"))


def _pairs(prompt: Prompt, scores: Sequence[Any], margin: float) -> list[tuple[Said, Said]]:
    score = {s.place: number for s in prompt.kept if scores and (number := scores[s.place]) is not None}
    limit = max(score.values(), default=0.0) - margin
    kept = [said for said in prompt.kept if score.get(said.place, inf) > limit]
    lower = [Said(s.place, s.message, "lower_score") for s in prompt.kept if score.get(s.place, inf) <= limit]
    pairs = []
    for number, worse in enumerate([*prompt.rejected, *lower]):
        least = score[worse.place] + margin if worse.place in score else -inf
        better = [said for said in kept if score.get(said.place, -inf) >= least]
        if better and better[number % len(better)].message != worse.message:
            pairs.append((better[number % len(better)], worse))
    return pairs


def _scores(rows: pl.DataFrame, score: str) -> list[float | None]:
    """Numbers of a column, or of a field of it; what is none is null."""
    first, *parts = score.split(".")
    needed(rows, first, _NAME, "name a score with --set score=COLUMN")
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
