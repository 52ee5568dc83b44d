"""Two texts that belong together, of a row's columns or of its last exchange. A helper of formats."""

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import needed
from glotmill.export.formats._shared.chats import chats, cut


def sides(rows: pl.DataFrame, anchor: str, positive: str, name: str) -> pl.DataFrame:
    """Return what embeddings are trained on: anchor, positive, seed_key. Rows with a blank one are left out.

    anchor, positive: columns; without one, what the user said last and what the assistant answered.
    Raises UsageError for columns that there are not or that are no texts.
    """
    texts = {}
    said = {}
    if not (anchor and positive):
        before, last = cut(chats(rows, name, "drop"), rows["id"], name)
        said = {"anchor": (before, "user"), "positive": (last, "assistant")}
    for option, column in (("anchor", anchor), ("positive", positive)):
        if column:
            needed(rows, column, name, f"name another with --set {option}=COLUMN")
            texts[option] = rows[column]
        else:
            chat, role = said[option]
            message = pl.element().struct
            by_role = message.field("content").filter(message.field("role") == role)
            texts[option] = chat.list.eval(by_role).list.last()
        if texts[option].dtype != pl.String:
            raise UsageError(f"{name}: column {column!r} is {texts[option].dtype}, not a text")
    found = rows.select(**texts, seed_key="seed_key")
    return found.filter(pl.all_horizontal(pl.col("anchor", "positive").str.strip_chars() != ""))
