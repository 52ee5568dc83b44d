"""Placeholders: a form that was not filled in."""

import csv
import unicodedata
from functools import cache
from pathlib import Path

import polars as pl

from glotmill.filters._text.words import joined_series

_SET_ASIDE = (
    r"(?s)```.*?(?:```|\z)|~~~.*?(?:~~~|\z)|`[^`\n]*`",
    r"(?s)\$\$.*?\$\$|\$[^$\n]*[\\^_{][^$\n]*\$|\\\[.*?\\\]|\\\(.*?\\\)",
    r"\\[a-zA-Z]+(?:\{[^{}\n]*\})*",
    r"!?\[[^\[\]\n]*\](?:\([^()\n]*\)|\[[^\[\]\n]*\])|(?m)^\s*\[[^\[\]\n]*\]:\s*\S+:",  # Markdown links
    r"(?m)^[\s_*-]+$",  # rules between paragraphs
)
_MAY_HOLD = r"[\[{<【［(]|_{3}|[xX]{2}|(?i:lorem)|TODO|FIXME"
_JINJA = r"\{\{-?\s*[\p{L}_][\w.]+(?:\([^(){}\n]*\))?(?:\s*\|[^{}\n]*)?\s*-?\}\}|\{%-?\s*\w[^{}%\n]*%\}"
_SIGNS = (
    r"\{[a-z]+(?:_[a-z\d]+)+\}|\{[a-z]+[A-Z][A-Za-z]*\}|[<\[][A-Z]{2,}(?:_[A-Z\d]+)+[>\]]",  # {user_name}
    r"\bX{4,}\b|\b[Xx]{2,4}[-/.][Xx]{2,4}\b|[\p{Han}\p{Kana}\p{Hira}\p{Hangul}]\s?[Xx]{3,}|[Xx]{3}\s?[\p{Han}]",
    r"_{3,}",
    r"(?i:lorem ipsum dolor)",
    r"[\[<(](?:TODO|TBD|FIXME)\b|\b(?:TODO|FIXME): [a-z]+|\(insert [^()\n]{1,40} here\)",
)
_BEFORE = r"(?:\A|[^\w\\^_$}\]\[)*]|\p{Lo})"  # not an index, a LaTeX group, or emphasis
_AFTER = r"(?:[^\w(\[*]|[\p{Lo}--\p{Arabic}]|\z)"
_JUDGED = pl.Struct({"reason": pl.String, "example": pl.String})


def placeholders(text: pl.Expr) -> pl.Expr:
    """Keep texts without a place that was to be filled in.

    Dropped: [Name], [tu nombre], 【您的姓名】, <insert date> and their like in the 57 languages of
    `placeholders.csv` (all count in every row), {user_name}, unfilled Jinja, XXXX and XX/XX/XXXX, a blank of
    three or more underscores, lorem ipsum, [TODO]. A cloze is one; JSON is none. Code, formulas, Markdown
    links and rules are set aside.
    -> reason: empty (null), placeholder; example: what was found first.
    """
    return text.map_batches(_judge, return_dtype=_JUDGED, is_elementwise=True)


def _judge(batch: pl.Series) -> pl.Series:
    text = joined_series(batch)
    found = pl.Series("example", [None] * len(text), pl.String)
    suspect = text.str.contains(_MAY_HOLD).fill_null(False)  # most texts hold none of the signs
    if suspect.any():
        prose = text.filter(suspect).str.normalize("NFC")
        for pattern in _SET_ASIDE:
            prose = prose.str.replace_all(pattern, " ")
        said = pl.DataFrame({"prose": prose}).select(
            pl.coalesce(pl.col("prose").str.extract(pattern, 1) for pattern in _patterns())
        )
        found = found.scatter(suspect.arg_true(), said.to_series())
    reason = (
        pl.when(text.is_null()).then(pl.lit("empty")).when(found.is_not_null()).then(pl.lit("placeholder"))
    )
    return pl.select(pl.struct(reason.alias("reason"), found.alias("example"))).to_series()


@cache
def _patterns() -> list[str]:
    """Patterns whose group is the placeholder."""
    with Path(__file__).with_name("placeholders.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    starts, words = (
        unicodedata.normalize("NFC", "|".join(row[column] for row in rows)) for column in ("starts", "words")
    )
    # in brackets a word of the form, perhaps with what it is of; in any bracket what asks to be filled in
    more = r"[\s'’/:][^\[\]【】{}<>,;=+*\n-]{0,40}"
    of_form = rf"[\[【［{{]\s*(?:{words})(?:{more})?\s*[\]】］}}]"
    asking = rf"(?:[\[【［{{]\s*|<)(?:{starts})(?:{more}|[\p{{Lo}}\p{{M}}]{{1,12}})[\]】］}}>]"
    signs = "|".join(f"(?:{sign})" for sign in _SIGNS)
    whole = [rf"{_BEFORE}((?i:{of_form}|{asking})){_AFTER}", rf"{_BEFORE}({signs}){_AFTER}"]
    return [*whole, rf"(?:\A|[^\w\\^_}}])({_JINJA})"]
