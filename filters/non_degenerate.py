"""Drop blank, looping, cut off or copied replies."""

import polars as pl

from glotmill.filters._text.words import joined
from glotmill.filters.echo import echo
from glotmill.filters.repetition import repetition
from glotmill.filters.truncated import truncated

NO_FAULT_REASONS = ("truncated",)
PACKAGES = ("icu4py",)


def non_degenerate(text: pl.Expr, *, source: str = "prompt", finish_reason: str = "") -> pl.Expr:
    """Keep texts that are not blank, do not loop, do not stop in the middle, and are not copies.

    Applies the filters `repetition`, `truncated` and `echo` with their defaults, in this order; the reason is
    that of the first one that drops the row. Use it before choosing the most likely of several replies, since
    degenerate replies are likely. Covers all languages.

    Options:
        source: column that may be copied, see `echo`; empty to skip that check.
        finish_reason: column with the finish reason, see `truncated`.
    Reasons: empty (null or blank), repetition, repeated_ngrams, truncated, echo.
    Source: conditional search in "Making the Most of your Model": likely replies that are not degenerate.
    """
    blank = ~joined(text).str.contains(r"[^\s\p{C}]")
    filters = [repetition(text), truncated(text, finish_reason=finish_reason)]
    if source:
        filters.append(echo(text, source=source))
    return pl.coalesce(
        pl.when(blank).then(pl.lit("empty")),
        *(verdict.struct.field("reason") for verdict in filters),
    )
