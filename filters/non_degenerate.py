"""Not degenerate: none of the four ways in which a reply is no reply at all."""

import polars as pl

from glotmill.filters._text.words import joined
from glotmill.filters.echo import echo
from glotmill.filters.repetition import repetition
from glotmill.filters.truncated import truncated


def non_degenerate(text: pl.Expr, *, source: str = "prompt", finish_reason: str = "") -> pl.Expr:
    """Keep texts that say something, do not go round in circles, do not stop in the middle, and are no copy.

    The filters repetition, truncated and echo with their defaults, in this order, and the reason is that of
    the first that drops: ask it before the best of several replies is chosen by their likelihood, for what is
    degenerate is likely. source: the column that may be copied; empty: none is looked at. finish_reason: as
    truncated reads it. Covers the languages of the three: all.
    -> reason: empty (null, or nothing to see), repetition, repeated_ngrams, truncated, echo.
    Source: conditional search (Making the Most of your Model): likely replies, given that they are none of
    these.
    """
    blank = ~joined(text).str.contains(r"[^\s\p{C}]")
    judges = [repetition(text), truncated(text, finish_reason=finish_reason)]
    if source:
        judges.append(echo(text, source=source))
    return pl.coalesce(
        pl.when(blank).then(pl.lit("empty")),
        *(judge.struct.field("reason") for judge in judges),
    )
