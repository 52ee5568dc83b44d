"""Drop replies that decline the request, or talk about being an AI, instead of answering."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import polars as pl

from glotmill.filters._text.phrases import APOSTROPHES, alternatives, read_table
from glotmill.filters._text.words import joined_series

PHRASES = Path(__file__).with_name("refusals.csv")

_HEAD = 200  # characters at the start of a reply that are searched
_THOUGHT = r"(?s)\A\s*<think>.*?</think>\s*"
# Somebody in a story refuses, and the story goes on.
_QUOTED = r"""\A\s*["“”«„「『][^"“”«»„「」『』]{1,300}["“”»」』][\s,.]*[\p{L}\p{N}]"""
_LEADING_SIGNS = r"""\A[\s\p{C}"'“”«»„「『*_#>\-–—]+"""


class _Patterns(NamedTuple):
    at_start: str
    opening: str  # beginnings of the sentences in `declining`
    declining: list[re.Pattern[str]]  # compiled once: polars forgets all but a few patterns
    candidate: str  # beginnings of the phrases that may stand later: fast to search for, and rare
    anywhere: str


def refusal(text: pl.Expr) -> pl.Expr:
    """Keep replies that do not open with a refusal.

    Drops a reply whose first 200 characters speak of the model ("As an AI language model, I") or decline the
    request ("I cannot help with that", "Je suis désolé, mais je ne peux pas vous aider"). "I cannot come to
    your party" is not a refusal, nor is one in quotation marks, if the text goes on. Thoughts in <think> are
    passed over.

    Covers the 67 languages of `refusals.csv`. All of them are searched in every row, because models slip into
    English. The table's column `reviewed` shows which phrases a speaker of the language has checked.

    Reasons: empty (null), refusal.
    Of 120,400 sentences that people wrote in over 200 languages (NTREX-128, FLORES-200) it drops none.
    """
    return text.map_batches(_reasons, return_dtype=pl.String, is_elementwise=True)


def _reasons(batch: pl.Series) -> pl.Series:
    text = joined_series(batch)
    spoken = text.str.replace(_THOUGHT, "")
    head = spoken.str.replace(_LEADING_SIGNS, "").str.head(_HEAD).str.normalize("NFC").str.to_lowercase()
    head = head.str.replace_all(APOSTROPHES, "'").str.replace_all(r"\u{307}", "")  # İ in lower case
    head = head.str.replace_all(r"\s+", " ")
    patterns = _patterns()
    refused = head.str.contains(patterns.at_start)
    candidates = (head.str.contains(patterns.candidate) & ~refused).fill_null(False)
    if candidates.any():
        matches = head.filter(candidates).str.contains(patterns.anywhere)
        refused = refused.scatter(candidates.arg_true(), matches)
    openings = (head.str.contains(patterns.opening) & ~refused).fill_null(False).arg_true()
    if len(openings):
        declined = [
            any(pattern.match(opening) for pattern in patterns.declining) for opening in head.gather(openings)
        ]
        refused = refused.scatter(openings, pl.Series(declined, dtype=pl.Boolean))
    refused &= ~spoken.str.contains(_QUOTED)
    return pl.select(
        pl.when(text.is_null()).then(pl.lit("empty")).when(refused).then(pl.lit("refusal"))
    ).to_series()


@cache
def _patterns() -> _Patterns:
    phrases = read_table(PHRASES)
    starts = [row for row in phrases if row["pattern"].startswith("^")]
    at_start = [row["pattern"] for row in starts if not row["then"]]
    declining = [row for row in starts if row["then"]]
    anywhere = [row for row in phrases if not row["pattern"].startswith("^")]
    return _Patterns(
        alternatives(at_start),
        alternatives(row["pattern"] for row in declining),
        [re.compile(row["pattern"] + row["then"]) for row in declining],
        alternatives(row["pattern"] for row in anywhere),
        alternatives(row["pattern"] + row["then"] for row in anywhere),
    )
