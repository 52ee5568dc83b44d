"""Formulas kept: formulas, code, addresses and placeholders of one text that must stand in another."""

import re
from collections import Counter

import polars as pl

from glotmill.filters._text.words import joined

_PIECE = re.compile(
    r"```.{0,5000}?```"  # code
    r"|`[^`\n]{1,500}`"
    r"|\$\$.{1,2000}?\$\$|\\\[.{1,2000}?\\\]|\\\(.{1,2000}?\\\)"  # formulas
    r"|\$(?=[^$\n]{0,300}[\\^_{=+<>]|[A-Za-z]{1,3}\$)[^$\s](?:[^$\n]{0,300}[^$\s])?\$(?!\d)"
    r"|<<[^<>\n]{1,200}>>"
    r"|(?:https?|ftp)://[!#-&(-;=?-Z\[\]_a-z~]{1,2000}"  # addresses
    r"|\$?\{\{[^{}\n]{1,60}\}\}|\$?\{[\w.:!]{0,40}\}|%\(\w{1,40}\)[sdif]|%(?:\d\$)?[-+0#]?\d{0,2}(?:\.\d)?[sdifgxX@](?![A-Za-z])",
    re.DOTALL,
)
_MAY_HOLD = r"[`$\\{%]|<<|://"
_SPACE = re.compile(r"\s+")
_WORDS = re.compile(r"(\\(?:text|mbox|textbf|textit)\{)[^{}]{0,200}\}")  # of a formula, may be translated
_SEEN = 50_000  # characters that are read
_LISTED, _LONG = 10, 60  # pieces that `missing` names at most, characters of each
_JUDGED = pl.Struct({"reason": pl.String, "share": pl.Float64, "missing": pl.String})


def formulas_kept(text: pl.Expr, *, source: str = "source", min_share: float = 1.0) -> pl.Expr:
    r"""Keep texts in which at least min_share of what must not be translated in `source` stands unchanged.

    That is: LaTeX ($x^2$, $$..$$, \(..\), \[..\]; words in \text{..} may differ), code, <<..>>,
    addresses of the web, and placeholders ({name}, {{ name }}, ${name}, %s, %(name)s, %1$s), each as often as
    there. Spaces in them do not count. An amount such as $5 is no formula. The first 50,000 characters are
    read. Covers every language: nothing of one is used.
    -> reason: empty (null), formulas_missing; share: of the pieces, null if there are none; missing: those
       not found, 10 at most.
    """
    rows = pl.struct(joined(text).alias("text"), joined(pl.col(source)).alias("source"))
    return rows.map_batches(lambda batch: _judge(batch, min_share), return_dtype=_JUDGED, is_elementwise=True)


def _judge(batch: pl.Series, min_share: float) -> pl.Series:
    asks = pl.col("source").str.contains(_MAY_HOLD) & pl.col("text").is_not_null()
    frame = batch.struct.unnest().with_columns(asks.fill_null(False).alias("asks"))
    judged: list[tuple[str | None, float | None, str | None]] = []
    for text, source, asked in frame.iter_rows():
        wanted = _pieces(source) if asked else Counter()
        if not wanted:
            judged.append(("empty" if text is None else None, None, None))
            continue
        lost = _lost(wanted, text)
        share = 1 - lost.total() / wanted.total()
        listed = ", ".join(piece[:_LONG] for piece in list(lost)[:_LISTED]) or None
        judged.append(("formulas_missing" if share < min_share else None, share, listed))
    return pl.DataFrame(judged, schema=_JUDGED.to_schema(), orient="row").to_struct()


def _pieces(text: str) -> Counter[str]:
    """What must stand in a translation, without spaces, and how often."""
    found = (match[0] for match in _PIECE.finditer(text[:_SEEN]))
    return Counter(_plain(piece.rstrip(".,;:!?")) if "://" in piece else _plain(piece) for piece in found)


def _lost(wanted: Counter[str], text: str) -> Counter[str]:
    there = _plain(text[: 2 * _SEEN])
    return Counter({p: n - k for p, n in wanted.items() if (k := there.count(p)) < n})


def _plain(text: str) -> str:
    return _WORDS.sub(r"\1}", _SPACE.sub("", text)) if "\\" in text else _SPACE.sub("", text)
