"""Shouting: texts in capital letters."""

import polars as pl


def shouting(text: pl.Expr, *, max_share: float = 0.5) -> pl.Expr:
    """Drop texts in which more than `max_share` of the letters are capitals.

    All scripts that have capitals; a text without letters is kept. The reason is `shouting`.
    rows: text -> + reason, <column>_shouting_share
    """
    letters = text.str.count_matches(r"\p{L}")
    share = text.str.count_matches(r"\p{Lu}") / pl.when(letters > 0).then(letters)
    reason = pl.when(share > max_share).then(pl.lit("shouting"))
    return pl.struct(reason=reason, share=share)
