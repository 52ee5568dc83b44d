"""Drop texts with an assistant's remarks around them, such as "Here is the translation"."""

import re
from functools import cache, partial
from typing import Literal

import polars as pl

from glotmill.filters._text.phrases import APOSTROPHES, ASSISTANT_PHRASES, alternatives, read_table
from glotmill.filters._text.words import joined_series

PHRASES = ASSISTANT_PHRASES
_START, _END = 200, 300  # characters at either end that are searched
_LEADING_SIGNS = r"""\A[\s\p{C}"'“”«»„「『*_#>¡¿\[(\-–—]+"""
_SENTENCE = (
    r"(?:\A|[\n.!?…。！？।॥؟۔።፡։)\]»”\"』」*_:~—–-]|[\p{Thai}\p{Lao}\p{Khmr}\p{Mymr}]\s)[\s*_(\[#¡¿>-]*"
)
_UNSPACED = re.compile(r"_(?:Hans|Hant|Jpan|Thai|Laoo|Khmr|Mymr)")
_LINE = r"[^.!?…。！？।॥؟۔።\n]{0,120}[:：፦][ ]*(?:\n|\z)"  # the rest of a line that ends in a colon
_NO_CODE = r"\s*(?:[^\s']|'[^']|\z)"  # no fence of code, whose signs are apostrophes by now
_WORDS = r"(?: [^\s.!?,:…]+){0,3}[ ]?"  # at most three more
_MARK, _ANY_MARK = r"[!.…。！።।]+\s*[¡¿]?", r"[!.,:…。！，、،।۔።፣]+\s*[¡¿]?"
_BATCH = 30  # patterns in one expression; a larger automaton outgrows its memory and is ten times slower
_VERDICT = pl.Struct({"reason": pl.String, "phrase": pl.String})


def assistant_speak(text: pl.Expr, *, announcements: Literal["drop", "keep"] = "drop") -> pl.Expr:
    """Keep texts without an assistant's remarks around them.

    Drops a text that begins with a phrase such as "Sure! Here is", "Here is the translation" or
    "Translation:", or with a word of consent and a line that ends in a colon ("Of course! My story:"), that
    has a sentence such as "I hope this helps" or "Let me know if" near its end, or that contains "As an AI
    language model, I" anywhere. Of a list or a dialogue, the beginning of the first item and the end of the
    last are searched. For replies that decline the request, see `refusal`.

    A text may also begin by announcing what it holds: "Here are three tips", or "Here is my story" with a
    colon at the end of a line that no code follows. In a question or a story that is a remark; an answer to
    "Name three tips" may well begin so.

    Covers the 66 languages of `_text/assistant_phrases.csv`. All of them are searched in every row, because
    models slip into English. The table's column `reviewed` shows which phrases a speaker of the language has
    checked.

    Options:
        announcements: `keep` for texts that answer somebody.
    Reasons: empty (null), assistant_speak.
    Adds `<column>_assistant_speak_phrase`: the matching phrase, in lower case.
    Of 120,400 sentences that people wrote in over 200 languages (NTREX-128, FLORES-200) it drops none.
    """
    return text.map_batches(
        partial(_verdicts, announcements=announcements), return_dtype=_VERDICT, is_elementwise=True
    )


def _verdicts(batch: pl.Series, announcements: str) -> pl.Series:
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
            phrase = _found(section, section.str.contains(candidate), exact, phrase)
    openings = sections["start"].str.contains(_openings()).fill_null(False).arg_true()
    if len(openings):
        head, some = sections["start"].gather(openings), phrase.gather(openings)
        for opening, exact in _remarks(announcements):
            begins = pl.Series([opening.match(text) is not None for text in head])
            some = _found(head, begins, exact, some)
        phrase = phrase.scatter(openings, some)
    reason = (
        pl.when(text.is_null())
        .then(pl.lit("empty"))
        .when(phrase.is_not_null())
        .then(pl.lit("assistant_speak"))
    )
    return pl.select(pl.struct(reason.alias("reason"), phrase.alias("phrase"))).to_series()


def _found(section: pl.Series, candidates: pl.Series, exact: str, phrase: pl.Series) -> pl.Series:
    """Fill in the phrases that a pattern finds in those candidates that have none."""
    hits = (candidates & phrase.is_null()).fill_null(False)
    if hits.any():
        phrase = phrase.scatter(hits.arg_true(), section.filter(hits).str.extract(exact, 1))
    return phrase


def _normalize(text: pl.Series) -> pl.Series:
    """Lower case, one kind of apostrophe, single spaces, no asterisks; line breaks stay."""
    lower = text.str.normalize("NFC").str.to_lowercase().str.replace_all(APOSTROPHES, "'")
    return lower.str.replace_all(r"[*\u{307}]+", "").str.replace_all(r"[ \t\u{A0}\u{202F}]+", " ")


@cache
def _patterns(position: str) -> list[tuple[str, str]]:
    """Pairs of a pattern that finds candidates fast and one whose group is the phrase."""
    phrases = [row["pattern"] for row in read_table(ASSISTANT_PHRASES) if row["where"] == position]
    unions = [alternatives(phrases[i : i + _BATCH]) for i in range(0, len(phrases), _BATCH)]
    if position == "start":
        return [(rf"\A(?:{union})", rf"\A({union})") for union in unions]
    return [(union, rf"{_SENTENCE if position == 'end' else ''}({union})") for union in unions]


@cache
def _openings() -> str:
    """A pattern that finds the texts in which one of `_remarks` may match."""
    openings = (row["pattern"] for row in read_table(ASSISTANT_PHRASES) if row["where"] in ("agree", "here"))
    return rf"\A(?:{alternatives(openings)})"


@cache
def _remarks(announcements: str) -> list[tuple[re.Pattern[str], str]]:
    """Pairs as those of `_patterns`, one of each language, for remarks composed of words of consent, "here
    is" and "some". The first of a pair is compiled once, as polars forgets all but a few patterns."""
    pairs = []
    table = read_table(ASSISTANT_PHRASES)
    for tag in dict.fromkeys(row["language"] for row in table):
        agree, here, some = (
            alternatives(row["pattern"] for row in table if (row["language"], row["where"]) == (tag, where))
            for where in ("agree", "here", "some")
        )
        end = "" if _UNSPACED.search(tag) else r"(?:[^\p{L}\p{M}]|\z)"
        announced = rf"(?:{here})[ ]?(?:{some}){end}"
        agreed = rf"(?:(?:{agree}){_WORDS}{_ANY_MARK}){{0,2}}(?:{agree}){_WORDS}"
        exact = [rf"{agreed}(?:{_ANY_MARK}(?:{_LINE}|{announced})|{_MARK}(?:{here}){end})"]
        if announcements == "drop":
            exact += [rf"(?:{here}){end}{_LINE}{_NO_CODE}", announced]
        pairs.append((re.compile(f"{agree}|{here}"), rf"\A({'|'.join(exact)})"))
    return pairs
