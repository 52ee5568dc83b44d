"""Groups the kept and the rejected replies to each prompt, for preference data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from glotmill import plugins
from glotmill.columns import DROPPED, KEPT, REASON, REASON_AT, SEED_KEY, VERDICT, prompt_column
from glotmill.errors import UntrustedCodeError, UsageError
from glotmill.export.formats import require_column
from glotmill.export.formats._shared.chats import read_chats, split_answer

HINT = (
    "a prompt needs a kept reply and one that a filter dropped: ask several times (`--set steps.STEP.n=4` "
    "for the step that answers) and filter the reply itself, for example by `language`, `repetition` or "
    "`final_number`, or by a judge's score with `at_least`"
)
# Reasons of any filter, or of the run itself, that say nothing against a reply.
_NO_FAULT = ("truncated", "empty", "left_out")

Message = Mapping[str, str]


@dataclass(frozen=True)
class Candidate:
    """A reply: the index of its row, its last message, and the reason it was dropped (None: kept)."""

    row_index: int
    message: Message
    reason: str | None


@dataclass(frozen=True)
class Prompt:
    """The messages of a prompt, and its replies in their order."""

    messages: Sequence[Message]
    kept: list[Candidate] = field(default_factory=list)
    rejected: list[Candidate] = field(default_factory=list)


def group_by_prompt(
    rows: pl.DataFrame, name: str, reasoning: str = "field"
) -> tuple[list[Prompt], pl.DataType]:
    """Return every prompt of a language with its replies, and the dtype of a list of messages.

    Replies are grouped by equal seed rows and equal messages before the reply.
    Rejected replies are those that a filter dropped for their content. Left out are: failed requests, replies
    that were not parsed, and blank ones; replies cut off at max_tokens; replies dropped because of other rows
    (duplicates, balance), because of their prompt, or because a filter could not check them; replies with
    personal data or benchmark text, which must not leave the run; and repeated texts.
    A reply that was dropped before its prompt existed (the transform `views` makes prompts late) belongs to
    the prompts of kept replies to the same request, or else to those in the columns that `_prompt_columns`
    finds.
    name: the format, for errors. reasoning: as in `read_chats`. Raises UsageError like `read_chats`.
    """
    require_column(rows, "messages", name, "a recipe names them under output.messages")
    rows = rows.with_row_index("_place").filter(_ends_with_answer() | (pl.col(VERDICT) == KEPT))
    kept = rows.filter(verdict=KEPT)
    split_answer(read_chats(kept, name, reasoning), kept["id"], name)
    step = answer_column(rows)
    rows = rows.filter((pl.col(VERDICT) == KEPT) | _dropped_for_content(rows, step))
    chats = read_chats(rows, name, reasoning)
    requests = rows[prompt_column(step)] if step else pl.Series([None] * rows.height, dtype=pl.String)
    by_prompt: dict[Any, Prompt] = {}
    by_request: dict[tuple[str, str | None], dict[int, Prompt]] = {}
    without_prompt = []
    entries = zip(rows["_place"], rows[SEED_KEY], rows[REASON], requests, chats, strict=True)
    for number, (row_index, seed, reason, request, series) in enumerate(entries):
        *before, last = series.to_list()
        reply = Candidate(row_index, last, reason)
        if reason is not None and not any(message["role"] == "user" for message in before):
            without_prompt.append((number, seed, request, before, reply))
            continue
        prompt = _prompt(by_prompt, seed, before)
        (prompt.kept if reason is None else prompt.rejected).append(reply)
        if reason is None and request is not None:
            by_request.setdefault((seed, request), {})[id(prompt)] = prompt
    prompt_columns = _prompt_columns(rows, chats, step) if without_prompt else []
    for number, seed, request, before, reply in without_prompt:
        user = {**dict.fromkeys(reply.message, ""), "role": "user"}
        texts = dict.fromkeys(text for source in prompt_columns if (text := rows[source][number]))
        from_columns = (_prompt(by_prompt, seed, [*before, {**user, "content": text}]) for text in texts)
        for prompt in by_request.get((seed, request), {}).values() or from_columns:
            prompt.rejected.append(reply)
    for prompt in by_prompt.values():
        prompt.rejected[:] = _distinct_rejected(prompt)
    return list(by_prompt.values()), chats.dtype


def _prompt(by_prompt: dict[Any, Prompt], seed: str, messages: Sequence[Message]) -> Prompt:
    key = (seed, *(part for message in messages for part in message.values()))
    return by_prompt.setdefault(key, Prompt(messages))


def _distinct_rejected(prompt: Prompt) -> Iterator[Candidate]:
    """Yield rejected replies once each, without those whose text was also kept."""
    seen = {tuple(reply.message.values()) for reply in prompt.kept}
    for reply in prompt.rejected:
        if (text := tuple(reply.message.values())) not in seen:
            seen.add(text)
            yield reply


def _prompt_columns(rows: pl.DataFrame, chats: pl.Series, step: str) -> list[str]:
    """Return the columns that prompts are made of: each kept prompt equals one of them in its row.

    For the transform `views`, these are the problem and its source. Empty if some prompt equals none.
    """
    user = pl.element().struct.field("content").filter(pl.element().struct.field("role") == "user")
    requests = chats.list.eval(user).list.last().filter(rows[VERDICT] == KEPT)
    kept = rows.filter(verdict=KEPT).select(pl.col(pl.String))
    earlier = kept.columns[: kept.columns.index(step)] if step else []
    column_rows = {name: holds for name in earlier if (holds := set((kept[name] == requests).arg_true()))}
    for name in list(column_rows):  # a column whose prompts all stand in other columns may match by chance
        if column_rows[name] <= set().union(
            *(holds for other, holds in column_rows.items() if other != name)
        ):
            del column_rows[name]
    return list(column_rows) if len(set().union(*column_rows.values())) == kept.height else []


def answer_column(rows: pl.DataFrame) -> str:
    """Return the generated column that equals the last message of every row with messages, or ""."""
    chats = rows.filter(_ends_with_answer())
    last = chats.select(pl.col("messages").list.last().struct.field("content")).to_series()
    for name in rows.columns:
        generated = prompt_column(name) in rows.columns and rows.schema[name] == pl.String
        if generated and chats.height and (chats[name] == last).all(ignore_nulls=False):
            return name
    return ""


def _ends_with_answer() -> pl.Expr:
    chat = pl.col("messages")
    ends = chat.list.last().struct.field("role") == "assistant"
    return ((chat.list.len() > 0) & ends).fill_null(False)


def _dropped_for_content(rows: pl.DataFrame, step: str) -> pl.Expr:
    """Return whether a row was dropped for the content of its reply, by what the filters declare.

    That is: the filter checked the column of the reply, or one computed from it. A fault in a later reply,
    such as a judge's, does not count, but a judge's low score does.
    """
    names = rows.columns
    from_step = names[names.index(step) :] if step else names
    other_replies = {n for n in names if prompt_column(n) in names and n != step} if step else set()
    dropped = rows.filter(pl.col(VERDICT) == DROPPED).select(REASON_AT, REASON).unique()
    at_fault = [
        pair
        for pair in dropped.drop_nulls().rows()
        if _blames_content(*pair, columns={*from_step}, other_replies=other_replies)
    ]
    blamed = pl.DataFrame(at_fault, {REASON_AT: pl.String, REASON: pl.String}, orient="row")
    fits = pl.struct(REASON_AT, REASON).is_in(blamed.to_struct().implode())
    text = pl.col("messages").list.last().struct.field("content").str.strip_chars()
    return ((pl.col(VERDICT) == DROPPED) & fits & (text != "")).fill_null(False)


def _blames_content(reason_at: str, reason: str, *, columns: set[str], other_replies: set[str]) -> bool:
    """Return whether a drop at `COLUMN.FILTER` or `finish.COLUMN.FILTER` blames the content of the reply."""
    column, _, rest = reason_at.removeprefix("finish.").partition(".")
    if column not in columns or reason in _NO_FAULT or not rest:
        return False
    declared = _declarations(rest)
    if column in other_replies and not declared["JUDGES_SCORE"]:
        return False
    if declared["ACROSS_ROWS"] or declared["WITHHELD"]:
        return False
    return reason not in (declared["NO_FAULT_REASONS"] or ())


def _declarations(rest: str) -> dict[str, Any]:
    """Return what a filter declares; `rest` is its name, perhaps after fields of the filtered column."""
    names = ("ACROSS_ROWS", "WITHHELD", "JUDGES_SCORE", "NO_FAULT_REASONS")
    while rest:
        try:
            return {name: plugins.declared("filters", rest, name) for name in names}
        except UntrustedCodeError:  # what it declares decides which rows are pairs
            raise
        except UsageError:  # a field of the column comes first, or the filter is no longer installed
            rest = rest.partition(".")[2]
    return dict.fromkeys(names)
