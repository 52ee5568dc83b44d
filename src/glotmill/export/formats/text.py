"""Texts, as `text`: language modeling with TRL, axolotl, LLaMA-Factory, or any other reader of parquet."""

from collections.abc import Sequence

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import TRL, named, needed
from glotmill.export.formats._shared.chats import chats

SCHEMA = {"text": pl.String()}
RESERVED = TRL - {"text"}


def text(rows: pl.DataFrame, *, columns: Sequence[str] = (), of: str = "") -> pl.DataFrame:
    """Return one text a row.

    of: the column with it; without it, `text`, and where the run has none, what was said in `messages`,
    without roles and reasoning, with an empty line between messages.
    rows: of, or messages -> id, language, text, columns. Source: TRL 1.16, standard language modeling.
    """
    if not of and "text" not in rows.columns:
        said = chats(rows, "text", "drop").list.eval(pl.element().struct.field("content")).list.join("\n\n")
    else:
        needed(rows, of or "text", "text", "name another with --set of=COLUMN")
        said = rows[of or "text"]
    if said.dtype != pl.String:
        raise UsageError(
            f"text: column {of or 'text'!r} is {said.dtype}, not a text; --set of=COLUMN names one"
        )
    return named(rows, [c for c in columns if c not in ("text", of)], "text").insert_column(
        2, said.alias("text")
    )
