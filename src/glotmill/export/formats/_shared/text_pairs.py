"""Pairs of texts: an anchor and a positive, or a text and its translation."""

import polars as pl

from glotmill import languages
from glotmill.columns import SEED_KEY
from glotmill.errors import UsageError
from glotmill.export.formats import require_column
from glotmill.export.formats._shared.chats import read_chats, split_answer


def anchor_positive_pairs(rows: pl.DataFrame, anchor: str, positive: str, name: str) -> pl.DataFrame:
    """Return the columns anchor, positive and seed_key; rows with a blank text are left out.

    anchor, positive: columns; by default the last user message and the last assistant message.
    Raises UsageError for columns that are missing or not strings.
    """
    texts = {}
    exchange = {}
    if not (anchor and positive):
        before, last = split_answer(read_chats(rows, name, "drop"), rows["id"], name)
        exchange = {"anchor": (before, "user"), "positive": (last, "assistant")}
    for option, column in (("anchor", anchor), ("positive", positive)):
        if column:
            require_column(rows, column, name, f"name another with --set {option}=COLUMN")
            texts[option] = rows[column]
        else:
            chat, role = exchange[option]
            message = pl.element().struct
            by_role = message.field("content").filter(message.field("role") == role)
            texts[option] = chat.list.eval(by_role).list.last()
        if texts[option].dtype != pl.String:
            raise UsageError(f"{name}: column {column!r} is {texts[option].dtype}, not a string")
    pairs = rows.select(**texts, seed_key=SEED_KEY)
    return pairs.filter(pl.all_horizontal(pl.col("anchor", "positive").str.strip_chars() != ""))


def aligned_texts(
    rows: pl.DataFrame, source: str, target: str, source_language: str, name: str
) -> tuple[str, str, pl.DataFrame]:
    """Return the codes of both languages, and the rows that have both texts.

    Codes are BCP 47, with two letters where they exist (sw, zh, zh-Hant), as in transformers' scripts and on
    the Hub (`Helsinki-NLP/opus-mt-en-sw`). Left out: rows in which a text is null or blank, repeated pairs
    (samples, views), and rows in the source language.
    Raises UsageError for columns that are missing or not strings, and for unknown languages.
    """
    for option, column in (("source", source), ("target", target)):
        require_column(rows, column, name, f"name another with --set {option}=COLUMN")
        if rows.schema[column] != pl.String:
            raise UsageError(f"{name}: column {column!r} is {rows.schema[column]}, not a string")
    first = languages.find(source_language)
    second = languages.find(rows["language"][0])
    present = pl.col(source, target).str.strip_chars() != ""
    pairs = rows.filter(pl.all_horizontal(present) & pl.lit(first != second))
    pairs = pairs.unique([source, target], keep="first", maintain_order=True)
    return first.bcp47, second.bcp47, pairs
