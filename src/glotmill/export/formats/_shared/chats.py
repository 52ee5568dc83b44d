"""Chats in formats: checking them, placing the reasoning, splitting off the answer."""

from collections.abc import Collection
from typing import Any

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import require_column

ROLES = ("system", "user", "assistant")
REASONING = ("field", "inline", "drop")
PLAIN = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
REASONED = pl.List(pl.Struct({"role": pl.String, "content": pl.String, "reasoning_content": pl.String}))
CHAT = (PLAIN, REASONED)  # as an entry of SCHEMA
_HINT = "a recipe names them under output.messages"


def read_chats(
    rows: pl.DataFrame, name: str, reasoning: str = "field", allowed: Collection[str] = REASONING
) -> pl.Series:
    """Return the column `messages`, with the reasoning where `reasoning` says.

    name: the format, for errors. allowed: the values of `reasoning` that the format supports.
    reasoning: `field` keeps it in reasoning_content, which is "" in messages without reasoning; `inline` puts
    it before the answer as `<think>\\n...\\n</think>\\n\\n...`; `drop` leaves it out.
    A chat is an optional system message followed by others; roles are system, user, assistant; no value is
    null. Raises UsageError for rows without messages, other chats, and a `reasoning` that is not allowed.
    """
    if reasoning not in allowed:
        raise UsageError(f"{name}: reasoning is {reasoning!r}; give one of {', '.join(allowed)}")
    require_column(rows, "messages", name, _HINT)
    column = rows["messages"]
    fields = _fields(column.dtype)
    if not {"role", "content"} <= fields.keys() <= {"role", "content", "reasoning_content"} or any(
        kind != pl.String for kind in fields.values()
    ):
        raise UsageError(
            f"{name}: column 'messages' is {column.dtype}; a chat is a list of "
            "{role, content} or {role, content, reasoning_content}, all strings"
        )
    has_reasoning = "reasoning_content" in fields
    _check_chats(rows, name)
    return rows.select(_with_reasoning(has_reasoning, reasoning))["messages"]


def split_answer(chat: pl.Series, ids: pl.Series, name: str) -> tuple[pl.Series, pl.Series]:
    """Return the messages before the last, and the last, of chats that end with the assistant.

    Raises UsageError, with the id of the row, for a chat that ends otherwise or has only one message.
    """
    ends = chat.list.last().struct.field("role") == "assistant"
    complete = ends & (chat.list.len() > 1)
    if not complete.all():
        row_id = ids.filter(~complete)[0]
        raise UsageError(f"{name}: row {row_id}: its messages do not end with an answer by the assistant")
    column = pl.col(chat.name)
    before = chat.to_frame().select(column.list.head(column.list.len() - 1)).to_series()
    return before, chat.list.tail(1)


def _fields(dtype: pl.DataType) -> dict[str, Any]:
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        return {part.name: part.dtype for part in dtype.inner.fields}
    return {}


def _check_chats(rows: pl.DataFrame, name: str) -> None:
    """Refuse chats with no message, a null, an unknown role, or a system message that is not the first."""
    role, content = (pl.element().struct.field(part) for part in ("role", "content"))
    chat = pl.col("messages")
    problems = {
        "no message": chat.is_null() | (chat.list.len() == 0),
        "a message that is null": chat.list.eval(content.is_null() | role.is_null()).list.any(),
        f"a role other than {', '.join(ROLES)}": ~chat.list.eval(role.is_in(ROLES)).list.all(),
        "a system message that is not the first": chat.list.tail(chat.list.len().cast(pl.Int64) - 1)
        .list.eval(role == "system")
        .list.any(),
    }
    for text, mask in problems.items():
        if (bad_rows := rows.filter(mask)).height:
            raise UsageError(
                f"{name}: row {bad_rows['id'][0]}: column 'messages' has {text}; filter such rows out"
            )


def _with_reasoning(has_reasoning: bool, reasoning: str) -> pl.Expr:
    chat = pl.col("messages")
    role, content = (pl.element().struct.field(part) for part in ("role", "content"))
    if not has_reasoning:
        return chat.list.eval(pl.struct(role=role, content=content)).cast(PLAIN)
    reasoning_text = pl.element().struct.field("reasoning_content").fill_null("")
    if reasoning == "drop":
        return chat.list.eval(pl.struct(role=role, content=content)).cast(PLAIN)
    if reasoning == "inline":
        inside = pl.format("<think>\n{}\n</think>\n\n{}", reasoning_text, content)
        content = pl.when(reasoning_text != "").then(inside).otherwise(content)
        return chat.list.eval(pl.struct(role=role, content=content)).cast(PLAIN)
    fields = pl.struct(role=role, content=content, reasoning_content=reasoning_text)
    return chat.list.eval(fields).cast(REASONED)
