"""Length of a text in characters."""

import polars as pl

from glotmill.filters.text import joined


def length(text: pl.Expr, *, min_chars: int = 1, max_chars: int = 20_000) -> pl.Expr:
    """Keep texts of min_chars to max_chars characters, spaces and invisible characters around them not
    counted.

    Of a list or of turns, all items count together. Reasons: empty (null), too_short, too_long.
    """
    bare = joined(text).str.replace_all(r"\A[\s\p{C}]+|[\s\p{C}]+\z", "")
    chars = bare.str.len_chars()
    return (
        pl.when(chars.is_null())
        .then(pl.lit("empty"))
        .when(chars < min_chars)
        .then(pl.lit("too_short"))
        .when(chars > max_chars)
        .then(pl.lit("too_long"))
    )
