"""Drop texts with blanks that were never filled in, such as "[Name]" or "XX/XX/XXXX"."""

from functools import cache
from pathlib import Path

import polars as pl

from glotmill.filters._text.phrases import alternatives, read_table
from glotmill.filters._text.words import joined_series

PHRASES = Path(__file__).with_name("placeholders.csv")

_NOT_PROSE = (
    r"(?s)```.*?(?:```|\z)|~~~.*?(?:~~~|\z)|`[^`\n]*`",
    r"(?s)\$\$.*?\$\$|\$[^$\n]*[\\^_{][^$\n]*\$|\\\[.*?\\\]|\\\(.*?\\\)",
    r"\\[a-zA-Z]+(?:\{[^{}\n]*\})*",
    r"!?\[[^\[\]\n]*\](?:\([^()\n]*\)|\[[^\[\]\n]*\])|(?m)^\s*\[[^\[\]\n]*\]:\s*\S+:",  # Markdown links
    r"(?m)^[\s_*-]+$",  # horizontal rules
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
_VERDICT = pl.Struct({"reason": pl.String, "example": pl.String})


def placeholders(text: pl.Expr) -> pl.Expr:
    """Keep texts without unfilled placeholders.

    Drops texts with "[Name]", "[tu nombre]", "【您的姓名】", "<insert date>" and the like, "{user_name}",
    Jinja that was not rendered, "XXXX", "XX/XX/XXXX", a blank of three or more underscores, "lorem ipsum" or
    "[TODO]". A cloze text counts as one, JSON does not. Code, formulas, Markdown links and horizontal rules
    are ignored.

    Covers the words of 57 languages in `placeholders.csv`; every row is searched for all of them.

    Reasons: empty (null), placeholder.
    Adds `<column>_placeholders_example`: one placeholder of the text.
    """
    return text.map_batches(_verdicts, return_dtype=_VERDICT, is_elementwise=True)


def _verdicts(batch: pl.Series) -> pl.Series:
    text = joined_series(batch)
    example = pl.Series("example", [None] * len(text), pl.String)
    suspect = text.str.contains(_MAY_HOLD).fill_null(False)  # few texts; each pattern below costs a pass
    if suspect.any():
        prose = text.filter(suspect).str.normalize("NFC")
        for pattern in _NOT_PROSE:
            prose = prose.str.replace_all(pattern, " ")
        matches = pl.DataFrame({"prose": prose}).select(
            pl.coalesce(pl.col("prose").str.extract(pattern, 1) for pattern in _patterns())
        )
        example = example.scatter(suspect.arg_true(), matches.to_series())
    reason = (
        pl.when(text.is_null()).then(pl.lit("empty")).when(example.is_not_null()).then(pl.lit("placeholder"))
    )
    return pl.select(pl.struct(reason.alias("reason"), example.alias("example"))).to_series()


@cache
def _patterns() -> list[str]:
    """Patterns whose first group is the placeholder."""
    rows = read_table(PHRASES)
    starts, words = ("|".join(row[column] for row in rows) for column in ("starts", "words"))
    # In square or curly brackets, a word such as "name", with or without more words after it; in any bracket,
    # a word such as "insert" with more words after it.
    more = r"[\s'’/:][^\[\]【】{}<>,;=+*\n-]{0,40}"
    field = rf"[\[【［{{]\s*(?:{words})(?:{more})?\s*[\]】］}}]"
    request = rf"(?:[\[【［{{]\s*|<)(?:{starts})(?:{more}|[\p{{Lo}}\p{{M}}]{{1,12}})[\]】］}}>]"
    return [
        rf"{_BEFORE}((?i:{field}|{request})){_AFTER}",
        rf"{_BEFORE}({alternatives(_SIGNS)}){_AFTER}",
        rf"(?:\A|[^\w\\^_}}])({_JINJA})",
    ]
