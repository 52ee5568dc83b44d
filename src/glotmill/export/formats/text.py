"""Plain texts, as `text`: language modeling with TRL, axolotl, LLaMA-Factory and others."""

from collections.abc import Sequence

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import TRL, require_column, select_columns
from glotmill.export.formats._shared.chats import read_chats

SCHEMA = {"text": pl.String()}
RESERVED = TRL - {"text"}


def text(rows: pl.DataFrame, *, columns: Sequence[str] = (), of: str = "") -> pl.DataFrame:
    """Return one text per row.

    of: the column of the text; by default `text`, or, if the run has no such column, the contents of
    `messages` without roles and reasoning, separated by blank lines.
    rows: of, or messages -> id, language, text, columns. Source: TRL 1.16, standard language modeling.
    """
    if not of and "text" not in rows.columns:
        texts = (
            read_chats(rows, "text", "drop").list.eval(pl.element().struct.field("content")).list.join("\n\n")
        )
    else:
        require_column(rows, of or "text", "text", "name another with --set of=COLUMN")
        texts = rows[of or "text"]
    if texts.dtype != pl.String:
        raise UsageError(
            f"text: column {of or 'text'!r} is {texts.dtype}, not a string; name one with --set of=COLUMN"
        )
    return select_columns(rows, [c for c in columns if c not in ("text", of)], "text").insert_column(
        2, texts.alias("text")
    )
