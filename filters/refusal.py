"""Refusals: a reply that says what the model is or will not do, instead of answering."""

import csv
import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

import polars as pl

from glotmill.filters._text.words import joined_series

_HEAD = 200  # characters of a reply in which a refusal shows
_APOSTROPHES = r"[\u{2018}\u{2019}\u{02BC}\u{FF07}`´]"
_OPENING = r"""\A[\s\p{C}"'“”«»„「『*_#>\-–—]+"""


class _Patterns(NamedTuple):
    at_start: str
    begun: str  # how what may stand later begins: quick to look for, and rare
    anywhere: str


def refusal(text: pl.Expr) -> pl.Expr:
    """Keep replies that do not begin with a refusal in any of the 67 languages of `refusals.csv`.

    A refusal speaks of the model ("as an AI") or of the request ("I cannot help with that") in the first 200
    characters; "I cannot come to your party" is none. All languages count in every row, because models slip
    into English. The table's column `reviewed` says which rows a speaker of the language has read.
    Reasons: empty (null), refusal.
    """
    return text.map_batches(_judge, return_dtype=pl.String, is_elementwise=True)


def _judge(batch: pl.Series) -> pl.Series:
    text = joined_series(batch)
    head = text.str.replace(_OPENING, "").str.head(_HEAD).str.normalize("NFC").str.to_lowercase()
    head = (
        head.str.replace_all(_APOSTROPHES, "'").str.replace_all(r"\u{307}", "").str.replace_all(r"\s+", " ")
    )
    patterns = _patterns()
    refused = head.str.contains(patterns.at_start)
    begun = (head.str.contains(patterns.begun) & ~refused).fill_null(False)
    if begun.any():
        said = head.filter(begun).str.contains(patterns.anywhere)
        refused = refused.scatter(begun.arg_true(), said)
    return pl.select(
        pl.when(text.is_null()).then(pl.lit("empty")).when(refused).then(pl.lit("refusal"))
    ).to_series()


@cache
def _patterns() -> _Patterns:
    with Path(__file__).with_name("refusals.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            (unicodedata.normalize("NFC", row["pattern"]), unicodedata.normalize("NFC", row["then"]))
            for row in csv.DictReader(file)
        ]
    later = [(pattern, then) for pattern, then in rows if not pattern.startswith("^")]
    return _Patterns(
        "|".join(f"(?:{pattern}{then})" for pattern, then in rows if pattern.startswith("^")),
        "|".join(f"(?:{pattern})" for pattern, _ in later),
        "|".join(f"(?:{pattern}{then})" for pattern, then in later),
    )
