"""What of a text tells its language: its prose. A helper of filters."""

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
_MAY_HOLD_SUCH = r"[`<$\\@]|://|www\."
# A source that the text speaks of: a line quoted with >, or what stands in quotation marks after a colon.
_CITED = (
    r"(?m)^[ \t]*>.*$",
    r'([:：]\s*)(?:"[^"\n]{20,2000}"|«[^«»\n]{20,2000}»|[„“][^„“”\n]{20,2000}[“”]|「[^「」\n]{10,2000}」)',
)
_MAY_CITE = r"[:：]\s*[\"«„“「]|>"
_ENOUGH = 10  # letters that must stay, for a citation to be left out


def prose_series(text: pl.Series) -> pl.Series:
    """Return what a language or a script can be read from: composed (NFC), without code, formulas, addresses,
    markup, digits, cited text and control characters; lines stay lines.

    Cited is a line that begins with `>`, and a text of some length in quotation marks after a colon
    (`Translate: "…"`), as long as 10 letters stay without it.
    """
    if text.str.contains(_MAY_HOLD_SUCH).any():  # most texts hold none, and each pattern costs a pass
        for pattern in _NOT_PROSE:
            text = text.str.replace_all(pattern, " ")
    cites = text.str.contains(_MAY_CITE).fill_null(False)
    if cites.any():
        rest = text.filter(cites).str.replace_all(_CITED[0], " ").str.replace_all(_CITED[1], "$1 ")
        rest = rest.zip_with(rest.str.count_matches(r"\p{L}") >= _ENOUGH, text.filter(cites))
        text = text.scatter(cites.arg_true(), rest) if len(text) > len(rest) else rest
    return composed_series(text).str.replace_all(r"[[\p{N}\p{Cc}]--[\n]]+|\u{FFFD}+", " ")
