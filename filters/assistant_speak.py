"""Assistant speak: what a model says around a text to the one who asked for it."""

import csv
import unicodedata
from functools import cache
from pathlib import Path

import polars as pl

from glotmill.filters._text.words import joined_series

_START, _END = 200, 300  # characters at either end in which a frame shows
_OPENING = r"""\A[\s\p{C}"'“”«»„「『*_#>¡¿\[(\-–—]+"""
_APOSTROPHES = r"[\u{2018}\u{2019}\u{02BC}\u{02BB}\u{FF07}`´]"
_SENTENCE = (
    r"(?:\A|[\n.!?…。！？।॥؟۔።፡։)\]»”\"』」*_:~—–-]|[\p{Thai}\p{Lao}\p{Khmr}\p{Mymr}]\s)[\s*_(\[#¡¿>-]*"
)
_AT_ONCE = 30  # patterns in one; with more, the automaton outgrows its memory and is ten times slower
_JUDGED = pl.Struct({"reason": pl.String, "phrase": pl.String})


def assistant_speak(text: pl.Expr) -> pl.Expr:
    """Keep texts without an assistant's talk around the text that was asked for.

    Dropped: a beginning such as "Sure! Here is", "Here is the translation" or "Translation:", a sentence near
    the end such as "I hope this helps" or "Let me know if", and "As an AI language model, I" anywhere, in any
    of the 63 languages of `assistant_speak.csv`. All of them count in every row, because models slip into
    English. The table's column `reviewed` says which rows a speaker of the language has read. What a model
    refuses is judged by `refusal`. Of turns and lists, the first begins and the last ends.
    -> reason: empty (null), assistant_speak; phrase: what was found, in lower case.
    """
    return text.map_batches(_judge, return_dtype=_JUDGED, is_elementwise=True)


def _judge(batch: pl.Series) -> pl.Series:
    text = joined_series(batch)
    plain = _plain(text)
    found = pl.Series("phrase", [None] * len(text), pl.String)
    sides = (
        ("start", plain.str.replace(_OPENING, "").str.head(_START)),
        ("end", plain.str.tail(_END)),
        ("anywhere", plain),
    )
    for where, side in sides:
        for candidate, exact in _patterns(where):
            hit = (side.str.contains(candidate) & found.is_null()).fill_null(False)
            if hit.any():
                found = found.scatter(hit.arg_true(), side.filter(hit).str.extract(exact, 1))
    reason = (
        pl.when(text.is_null())
        .then(pl.lit("empty"))
        .when(found.is_not_null())
        .then(pl.lit("assistant_speak"))
    )
    return pl.select(pl.struct(reason.alias("reason"), found.alias("phrase"))).to_series()


def _plain(text: pl.Series) -> pl.Series:
    lower = text.str.normalize("NFC").str.to_lowercase().str.replace_all(_APOSTROPHES, "'")
    return lower.str.replace_all(r"[*\u{307}]+", "").str.replace_all(r"[ \t\u{A0}\u{202F}]+", " ")


@cache
def _patterns(where: str) -> list[tuple[str, str]]:
    """Patterns that find candidates quickly, each with one whose group is the phrase."""
    with Path(__file__).with_name("assistant_speak.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            unicodedata.normalize("NFC", r["pattern"]) for r in csv.DictReader(file) if r["where"] == where
        ]
    unions = [
        "|".join(f"(?:{pattern})" for pattern in rows[at : at + _AT_ONCE])
        for at in range(0, len(rows), _AT_ONCE)
    ]
    if where == "start":
        return [(rf"\A(?:{union})", rf"\A({union})") for union in unions]
    return [(union, rf"{_SENTENCE if where == 'end' else ''}({union})") for union in unions]
