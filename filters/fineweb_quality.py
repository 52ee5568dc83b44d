"""Drop texts whose lines are not those of prose, by FineWeb's rules and limits for each language."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from glotmill.filters._text.code_points import Part, measured
from glotmill.filters._text.language_limits import limits, limits_by_tag
from glotmill.filters._text.words import joined_series

PACKAGES = ("icu4py",)
LIMITS = ("line_ends", "new_lines")

_MIN_LINES = 20  # a poem without punctuation may be shorter
_CODE = r"(?s)```.*?(?:```|\z)"
_LINE = r"(?m)^.*\S"
_NOT_PROSE = r"(?m)^\s*(?:[•‣◦▪●*·#|>-]|(?:\p{N}{1,3}|\p{L})[.)、:।]).*\S"  # lists, headings, tables, quotes
_CLOSED = r"""["'\p{Pe}\p{Pf}\p{Pi}*_`\p{M}]*\s*$"""
_ENDED = rf"(?m)[\p{{STerm}}…⋯:：;；፡།༎༔]{_CLOSED}"
_VERDICT = pl.Struct({"reason": pl.String, "line_ends": pl.Float64, "new_lines": pl.Float64})


def fineweb_quality(text: pl.Expr, *, language: str = "language", from_words: int = 50) -> pl.Expr:
    """Keep texts whose lines look like running text.

    Applies the rules of FineWeb as FineWeb2 does to texts of `from_words` words or more. Drops a text of 20
    lines or more of which too few end in punctuation (list items, headings, table rows, quotes and code do
    not count), and a text with more line breaks per word than a list of single words has. FineWeb's rule for
    repeated lines is part of the filter `repetition`; its rule for short lines is off, as in FineWeb2. Texts
    of fewer than 20 lines are kept and not measured.

    Both limits depend on the language (120 languages in `quality.csv`); in Thai, which ends sentences with no
    sign, the first is 0. Other languages use the loosest limits of their script.

    Options:
        language: column of language tags such as `swh_Latn`.
        from_words: texts of fewer words are kept; on a short text such shares are chance.
    Reasons: empty (null), line_ends, new_lines.
    Adds `<column>_fineweb_quality_line_ends`: share of lines that end in punctuation; and
    `<column>_fineweb_quality_new_lines`: line breaks per word.
    Source: FineWeb (Penedo et al., 2024) and FineWeb2 (Penedo et al., 2025).
    """
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    return rows.map_batches(
        partial(_verdicts, from_words=from_words), return_dtype=_VERDICT, is_elementwise=True
    )


def limits_by_language(
    tags: Sequence[str], versions: Mapping[str, str], **options: object
) -> dict[str, dict[str, float]]:
    """Return the limits of each language; none where the option `language` names another column."""
    return limits_by_tag(tags, LIMITS) if options.get("language", "language") == "language" else {}


def line_ends(text: pl.Series) -> pl.DataFrame:
    """Count the lines of prose in each text -> lines, ended (those that end in punctuation)."""
    prose = text.str.replace_all(_CODE, "") if text.str.contains("```", literal=True).any() else text
    prose = prose.str.replace_all(_NOT_PROSE, "")
    return pl.DataFrame(
        [prose.str.count_matches(_LINE).alias("lines"), prose.str.count_matches(_ENDED).alias("ended")]
    )


def word_counts(text: pl.Series) -> pl.Series:
    """Count the words of each text."""
    return measured(text, _words)["words"]


def _words(part: Part) -> pl.DataFrame:
    return pl.DataFrame({"words": np.bincount(part.words().row, minlength=part.height)})


def _verdicts(batch: pl.Series, from_words: int) -> pl.Series:
    text = joined_series(batch.struct.field("text")).alias("text")
    breaks = text.str.strip_chars().str.count_matches("\n", literal=True).alias("breaks")
    rows = pl.DataFrame([pl.int_range(len(text), eager=True).alias("row"), text, breaks])
    rows = rows.with_columns(batch.struct.field("language"))
    long = rows.filter(pl.col("breaks") >= _MIN_LINES - 1)  # few texts
    frame = rows.select("row", "text").join(
        _long_verdicts(long, from_words), on="row", how="left", maintain_order="left"
    )
    reason = pl.when(pl.col("text").is_null()).then(pl.lit("empty")).otherwise("reason")
    return frame.select(pl.struct(reason.alias("reason"), "line_ends", "new_lines")).to_series()


def _long_verdicts(rows: pl.DataFrame, from_words: int) -> pl.DataFrame:
    """Apply both rules (rows: row, text, breaks, language -> row, reason, line_ends, new_lines)."""
    language_limits = limits(rows["language"], *LIMITS).rename(lambda name: f"limit_{name}")
    parts = [rows, word_counts(rows["text"]).to_frame(), line_ends(rows["text"]), language_limits]
    frame = pl.concat(parts, how="horizontal").with_columns(
        pl.when(pl.col("lines") > 0).then(pl.col("ended") / pl.col("lines")).alias("line_ends"),
        pl.when(pl.col("words") > 0).then(pl.col("breaks") / pl.col("words")).alias("new_lines"),
    )
    broken = (
        pl.when((pl.col("lines") >= _MIN_LINES) & (pl.col("line_ends") < pl.col("limit_line_ends")))
        .then(pl.lit("line_ends"))
        .when(pl.col("new_lines") > pl.col("limit_new_lines"))
        .then(pl.lit("new_lines"))
    )
    reason = pl.when(pl.col("words") >= from_words).then(broken)
    return frame.select("row", reason.alias("reason"), "line_ends", "new_lines")
