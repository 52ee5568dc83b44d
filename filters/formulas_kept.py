"""Drop translations that lose or change a formula, code, a URL or a placeholder."""

import re
from collections import Counter
from functools import partial

import polars as pl

from glotmill.filters._text.verdicts import verdicts
from glotmill.filters._text.words import joined

_PIECE = re.compile(
    r"```.{0,5000}?```"  # code
    r"|`[^`\n]{1,500}`"
    r"|\$\$.{1,2000}?\$\$|\\\[.{1,2000}?\\\]|\\\(.{1,2000}?\\\)"  # formulas
    r"|\$(?=[^$\n]{0,300}[\\^_{=+<>]|[A-Za-z]{1,3}\$)[^$\s](?:[^$\n]{0,300}[^$\s])?\$(?!\d)"
    r"|<<[^<>\n]{1,200}>>"
    r"|(?:https?|ftp)://[!#-&(-;=?-Z\[\]_a-z~]{1,2000}"  # URLs
    r"|\$?\{\{[^{}\n]{1,60}\}\}|\$?\{[\w.:!]{0,40}\}|%\(\w{1,40}\)[sdif]|%(?:\d\$)?[-+0#]?\d{0,2}(?:\.\d)?[sdifgxX@](?![A-Za-z])",
    re.DOTALL,
)
_MAY_HOLD = r"[`$\\{%]|<<|://"
_SPACE = re.compile(r"\s+")
_WORDS = re.compile(r"(\\(?:text|mbox|textbf|textit)\{)[^{}]{0,200}\}")  # in a formula; may be translated
_MAX_CHARS = 50_000  # of each text that are read
_MAX_LISTED, _MAX_LISTED_CHARS = 10, 60  # pieces in `missing`, characters of each
_VERDICT = pl.Struct({"reason": pl.String, "share": pl.Float64, "missing": pl.String})


def formulas_kept(text: pl.Expr, *, source: str = "source", min_share: float = 1.0) -> pl.Expr:
    r"""Keep texts that repeat, unchanged, what a translation of `source` must not translate.

    That is LaTeX ($x^2$, $$..$$, \(..\), \[..\]; the words in \text{..} may differ), code, <<..>>, URLs and
    placeholders ({name}, {{ name }}, ${name}, %s, %(name)s, %1$s), each as often as in the source. Spaces in
    them are ignored. An amount of money such as $5 is not a formula. Covers all languages. The first 50,000
    characters are read.

    Options:
        source: column with the text that was translated.
        min_share: lowest share (0 to 1) of these pieces that the text must repeat.
    Reasons: empty (null), formulas_missing.
    Adds `<column>_formulas_kept_share`: share of the pieces repeated, null if the source has none; and
    `<column>_formulas_kept_missing`: up to 10 pieces that are missing.
    """
    source_text = joined(pl.col(source))
    return verdicts(
        partial(_verdict, min_share=min_share),
        _VERDICT,
        text=joined(text),
        source=source_text,
        may_hold=source_text.str.contains(_MAY_HOLD),
    )


def _verdict(
    text: str | None, source: str, may_hold: bool | None, min_share: float
) -> tuple[str | None, float | None, str | None]:
    if text is None:
        return "empty", None, None
    pieces = _pieces(source) if may_hold else Counter()
    if not pieces:
        return None, None, None
    missing = _missing(pieces, text)
    share = 1 - missing.total() / pieces.total()
    listed = ", ".join(piece[:_MAX_LISTED_CHARS] for piece in list(missing)[:_MAX_LISTED]) or None
    return "formulas_missing" if share < min_share else None, share, listed


def _pieces(text: str) -> Counter[str]:
    """The pieces that a translation must repeat, without spaces, and how often each occurs."""
    pieces = (match[0] for match in _PIECE.finditer(text[:_MAX_CHARS]))
    return Counter(
        _squeeze(piece.rstrip(".,;:!?")) if "://" in piece else _squeeze(piece) for piece in pieces
    )


def _missing(pieces: Counter[str], text: str) -> Counter[str]:
    squeezed = _squeeze(text[: 2 * _MAX_CHARS])
    return pieces - Counter({piece: squeezed.count(piece) for piece in pieces})


def _squeeze(text: str) -> str:
    """Remove spaces, and the words of a formula."""
    return _WORDS.sub(r"\1}", _SPACE.sub("", text)) if "\\" in text else _SPACE.sub("", text)
