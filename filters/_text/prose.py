"""Prose: the part of a text that tells its language."""

import polars as pl

from glotmill.filters._text.words import composed_series

_NOT_PROSE = (
    r"(?s)```.*?(?:```|\z)",
    r"`[^`\n]*`",
    r"<<[^<>\n]*>>",
    r"(?s)\$\$.*?\$\$|\\\[.*?\\\]|\\\(.*?\\\)",
    r"\$[^$\n]*[\\^_{][^$\n]*\$",
    r"(?:https?|ftp|file)://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+",
    r"</?[a-zA-Z][^<>]*>",
    r"\\[a-zA-Z]+",
)
_MAY_HOLD_OTHER = r"[`<$\\@]|://|www\."
# A cited source: a line quoted with >, or what stands in quotation marks after a colon.
_CITED = (
    r"(?m)^[ \t]*>.*$",
    r'([:：]\s*)(?:"[^"\n]{20,2000}"|«[^«»\n]{20,2000}»|[„“][^„“”\n]{20,2000}[“”]|「[^「」\n]{10,2000}」)',
)
_MAY_CITE = r"[:：]\s*[\"«„“「]|>"
_MIN_LETTERS = 10  # that remain where a citation is removed


def prose_series(text: pl.Series) -> pl.Series:
    """Return the texts in NFC, without code, formulas, addresses, markup, digits, cited text and control
    characters; line ends stay.

    A line that begins with `>` is cited, and so is a longer text in quotation marks after a colon
    (`Translate: "…"`). It is removed if 10 letters remain without it.
    """
    if text.str.contains(_MAY_HOLD_OTHER).any():  # few texts do, and each pattern costs a pass
        for pattern in _NOT_PROSE:
            text = text.str.replace_all(pattern, " ")
    cites = text.str.contains(_MAY_CITE).fill_null(False)
    if cites.any():
        rest = text.filter(cites).str.replace_all(_CITED[0], " ").str.replace_all(_CITED[1], "$1 ")
        rest = rest.zip_with(rest.str.count_matches(r"\p{L}") >= _MIN_LETTERS, text.filter(cites))
        text = text.scatter(cites.arg_true(), rest) if len(text) > len(rest) else rest
    return composed_series(text).str.replace_all(r"[[\p{N}\p{Cc}]--[\n]]+|\u{FFFD}+", " ")
