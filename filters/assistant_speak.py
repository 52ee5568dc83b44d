"""Drop texts with an assistant's remarks around them, such as "Here is the translation"."""

from functools import cache
from pathlib import Path

import polars as pl

from glotmill.filters._text.phrases import APOSTROPHES, alternatives, read_table
from glotmill.filters._text.words import joined_series

PHRASES = Path(__file__).with_name("assistant_speak.csv")

_START, _END = 200, 300  # characters at either end that are searched
_LEADING_SIGNS = r"""\A[\s\p{C}"'“”«»„「『*_#>¡¿\[(\-–—]+"""
_SENTENCE = (
    r"(?:\A|[\n.!?…。！？।॥؟۔።፡։)\]»”\"』」*_:~—–-]|[\p{Thai}\p{Lao}\p{Khmr}\p{Mymr}]\s)[\s*_(\[#¡¿>-]*"
)
_BATCH = 30  # patterns in one expression; a larger automaton outgrows its memory and is ten times slower
_VERDICT = pl.Struct({"reason": pl.String, "phrase": pl.String})


def assistant_speak(text: pl.Expr) -> pl.Expr:
    """Keep texts without an assistant's remarks around them.

    Drops a text that begins with a phrase such as "Sure! Here is", "Here is the translation" or
    "Translation:", that has a sentence such as "I hope this helps" or "Let me know if" near its end, or that
    contains "As an AI language model, I" anywhere. Of a list or a dialogue, the beginning of the first item
    and the end of the last are searched. For replies that decline the request, see `refusal`.

    Covers the 63 languages of `assistant_speak.csv`. All of them are searched in every row, because models
    slip into English. The table's column `reviewed` shows which phrases a speaker of the language has
    checked.

    Reasons: empty (null), assistant_speak.
    Adds `<column>_assistant_speak_phrase`: the matching phrase, in lower case.
    """
    return text.map_batches(_verdicts, return_dtype=_VERDICT, is_elementwise=True)


def _verdicts(batch: pl.Series) -> pl.Series:
    text = joined_series(batch)
    normal = _normalize(text)
    phrase = pl.Series("phrase", [None] * len(text), pl.String)
    sections = {
        "start": normal.str.replace(_LEADING_SIGNS, "").str.head(_START),
        "end": normal.str.tail(_END),
        "anywhere": normal,
    }
    for position, section in sections.items():
        for candidate, exact in _patterns(position):
            hits = (section.str.contains(candidate) & phrase.is_null()).fill_null(False)
            if hits.any():
                phrase = phrase.scatter(hits.arg_true(), section.filter(hits).str.extract(exact, 1))
    reason = (
        pl.when(text.is_null())
        .then(pl.lit("empty"))
        .when(phrase.is_not_null())
        .then(pl.lit("assistant_speak"))
    )
    return pl.select(pl.struct(reason.alias("reason"), phrase.alias("phrase"))).to_series()


def _normalize(text: pl.Series) -> pl.Series:
    """Lower case, one kind of apostrophe, single spaces, no asterisks; line breaks stay."""
    lower = text.str.normalize("NFC").str.to_lowercase().str.replace_all(APOSTROPHES, "'")
    return lower.str.replace_all(r"[*\u{307}]+", "").str.replace_all(r"[ \t\u{A0}\u{202F}]+", " ")


@cache
def _patterns(position: str) -> list[tuple[str, str]]:
    """Pairs of a pattern that finds candidates fast and one whose group is the phrase."""
    phrases = [row["pattern"] for row in read_table(PHRASES) if row["where"] == position]
    unions = [alternatives(phrases[i : i + _BATCH]) for i in range(0, len(phrases), _BATCH)]
    if position == "start":
        return [(rf"\A(?:{union})", rf"\A({union})") for union in unions]
    return [(union, rf"{_SENTENCE if position == 'end' else ''}({union})") for union in unions]
