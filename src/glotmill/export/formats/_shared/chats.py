"""What formats do with chats: check them, put reasoning where a trainer looks for it, cut off the answer."""

from collections.abc import Collection
from typing import Any

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import needed

ROLES = ("system", "user", "assistant")
WAYS = ("field", "inline", "drop")
PLAIN = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
REASONED = pl.List(pl.Struct({"role": pl.String, "content": pl.String, "reasoning_content": pl.String}))
CHAT = (PLAIN, REASONED)  # as a SCHEMA says it
_HINT = "the recipe names them under output.messages, or makes them"


def chats(rows: pl.DataFrame, name: str, reasoning: str = "field", ways: Collection[str] = WAYS) -> pl.Series:
    """Return the column `messages`, with reasoning where it is wanted. name: of the format, for errors.

    reasoning: `field` keeps it in reasoning_content, which is "" in a message without; `inline` puts it
    before the answer as `<think>\\n...\\n</think>\\n\\n...`; `drop` leaves it out.
    A chat: a system message or none, then others; roles are system, user, assistant; nothing is null.
    Raises UsageError for rows without messages, for chats of another shape, and for a way not in `ways`.
    """
    if reasoning not in ways:
        raise UsageError(f"{name}: reasoning {reasoning!r}: one of {', '.join(ways)}")
    needed(rows, "messages", name, _HINT)
    column = rows["messages"]
    parts = _parts(column.dtype)
    if not {"role", "content"} <= parts.keys() <= {"role", "content", "reasoning_content"} or any(
        kind != pl.String for kind in parts.values()
    ):
        raise UsageError(
            f"{name}: column 'messages' is {column.dtype}; a chat is a list of "
            "{role, content} or {role, content, reasoning_content}, all of them texts"
        )
    thinks = "reasoning_content" in parts
    _check(rows, name)
    return rows.select(_said(thinks, reasoning))["messages"]


def cut(chat: pl.Series, ids: pl.Series, name: str) -> tuple[pl.Series, pl.Series]:
    """Return all messages before the last, and the last, of chats that end with the assistant's answer.

    Raises UsageError, with a row's id, where one does not, or where nothing is before it.
    """
    ends = chat.list.last().struct.field("role") == "assistant"
    whole = ends & (chat.list.len() > 1)
    if not whole.all():
        where = ids.filter(~whole)[0]
        raise UsageError(f"{name}: row {where}: its messages do not end with an answer of the assistant")
    column = pl.col(chat.name)
    before = chat.to_frame().select(column.list.head(column.list.len() - 1)).to_series()
    return before, chat.list.tail(1)


def _parts(dtype: pl.DataType) -> dict[str, Any]:
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        return {part.name: part.dtype for part in dtype.inner.fields}
    return {}


def _check(rows: pl.DataFrame, name: str) -> None:
    """Refuse chats that hold nothing, null, an unknown role, or a system message behind another."""
    role, content = (pl.element().struct.field(part) for part in ("role", "content"))
    chat = pl.col("messages")
    wrong = {
        "no message": chat.is_null() | (chat.list.len() == 0),
        "a message that is null": chat.list.eval(content.is_null() | role.is_null()).list.any(),
        f"a role that is none of {', '.join(ROLES)}": ~chat.list.eval(role.is_in(ROLES)).list.all(),
        "a system message behind another": chat.list.tail(chat.list.len().cast(pl.Int64) - 1)
        .list.eval(role == "system")
        .list.any(),
    }
    for text, found in wrong.items():
        if (bad := rows.filter(found)).height:
            raise UsageError(
                f"{name}: row {bad['id'][0]}: column 'messages' has {text}; filter such rows out"
            )


def _said(thinks: bool, reasoning: str) -> pl.Expr:
    chat = pl.col("messages")
    role, content = (pl.element().struct.field(part) for part in ("role", "content"))
    if not thinks:
        return chat.list.eval(pl.struct(role=role, content=content)).cast(PLAIN)
    thought = pl.element().struct.field("reasoning_content").fill_null("")
    if reasoning == "drop":
        return chat.list.eval(pl.struct(role=role, content=content)).cast(PLAIN)
    if reasoning == "inline":
        inside = pl.format("<think>\n{}\n</think>\n\n{}", thought, content)
        content = pl.when(thought != "").then(inside).otherwise(content)
        return chat.list.eval(pl.struct(role=role, content=content)).cast(PLAIN)
    parts = pl.struct(role=role, content=content, reasoning_content=thought)
    return chat.list.eval(parts).cast(REASONED)
