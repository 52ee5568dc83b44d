"""Drop replies that decline the request, or talk about being an AI, instead of answering."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import polars as pl

from glotmill.filters._text.phrases import APOSTROPHES, alternatives, read_table
from glotmill.filters._text.words import joined_series

PHRASES = Path(__file__).with_name("refusals.csv")

_HEAD = 200  # characters at the start of a reply that are searched
_LEADING_SIGNS = r"""\A[\s\p{C}"'“”«»„「『*_#>\-–—]+"""


class _Patterns(NamedTuple):
    at_start: str
    candidate: str  # beginnings of the phrases that may stand later: fast to search for, and rare
    anywhere: str


def refusal(text: pl.Expr) -> pl.Expr:
    """Keep replies that do not open with a refusal.

    Drops a reply whose first 200 characters speak of the model ("As an AI language model, I") or decline the
    request ("I cannot help with that"). "I cannot come to your party" is not a refusal.

    Covers the 67 languages of `refusals.csv`. All of them are searched in every row, because models slip into
    English. The table's column `reviewed` shows which phrases a speaker of the language has checked.

    Reasons: empty (null), refusal.
    """
    return text.map_batches(_reasons, return_dtype=pl.String, is_elementwise=True)


def _reasons(batch: pl.Series) -> pl.Series:
    text = joined_series(batch)
    head = text.str.replace(_LEADING_SIGNS, "").str.head(_HEAD).str.normalize("NFC").str.to_lowercase()
    head = head.str.replace_all(APOSTROPHES, "'").str.replace_all(r"\u{307}", "")  # İ in lower case
    head = head.str.replace_all(r"\s+", " ")
    patterns = _patterns()
    refused = head.str.contains(patterns.at_start)
    candidates = (head.str.contains(patterns.candidate) & ~refused).fill_null(False)
    if candidates.any():
        matches = head.filter(candidates).str.contains(patterns.anywhere)
        refused = refused.scatter(candidates.arg_true(), matches)
    return pl.select(
        pl.when(text.is_null()).then(pl.lit("empty")).when(refused).then(pl.lit("refusal"))
    ).to_series()


@cache
def _patterns() -> _Patterns:
    phrases = read_table(PHRASES)
    at_start = [row for row in phrases if row["pattern"].startswith("^")]
    anywhere = [row for row in phrases if not row["pattern"].startswith("^")]
    return _Patterns(
        alternatives(row["pattern"] + row["then"] for row in at_start),
        alternatives(row["pattern"] for row in anywhere),
        alternatives(row["pattern"] + row["then"] for row in anywhere),
    )
