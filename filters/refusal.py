"""Refusals: a reply that says what the model is or will not do, instead of answering."""

import csv
import unicodedata
from functools import cache
from pathlib import Path

import polars as pl

from glotmill.filters.text import joined

_HEAD = 200  # characters of a reply in which a refusal shows
_APOSTROPHES = r"[\u{2018}\u{2019}\u{02BC}\u{FF07}`´]"
_OPENING = r"""\A[\s\p{C}"'“”«»„「『*_#>\-–—]+"""


def refusal(text: pl.Expr) -> pl.Expr:
    """Keep replies that do not begin with a refusal in any of the languages of `refusals.csv`.

    A refusal speaks of the model ("as an AI") or of the request ("I cannot help with that") in the first 200
    characters; "I cannot come to your party" is none. Reasons: empty (null), refusal.
    """
    head = joined(text).str.replace(_OPENING, "").str.head(_HEAD).str.normalize("NFC").str.to_lowercase()
    plain = (
        head.str.replace_all(_APOSTROPHES, "'").str.replace_all(r"\u{307}", "").str.replace_all(r"\s+", " ")
    )
    return (
        pl.when(text.is_null())
        .then(pl.lit("empty"))
        .when(plain.str.contains(_pattern()))
        .then(pl.lit("refusal"))
    )


@cache
def _pattern() -> str:
    """One pattern of all in the table."""
    with Path(__file__).with_name("refusals.csv").open(encoding="utf-8", newline="") as file:
        patterns = [unicodedata.normalize("NFC", row["pattern"]) for row in csv.DictReader(file)]
    return "|".join(f"(?:{pattern})" for pattern in patterns)
