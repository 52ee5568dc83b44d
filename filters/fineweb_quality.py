"""FineWeb's rules for the lines of a text, with each language's own limits."""

from functools import partial

import numpy as np
import polars as pl

from glotmill.filters.codes import Codes, measured
from glotmill.filters.quality import limits
from glotmill.filters.text import joined_series

_FEWEST_LINES = 10  # of running text, below which the share that ends in punctuation says nothing
_CODE = r"(?s)```.*?(?:```|\z)"
_LINE = r"(?m)^.*\S"
_LISTED = r"(?m)^\s*(?:[•‣◦▪●*·#|>-]|(?:\p{N}{1,3}|\p{L})[.)、:।]).*\S"  # points, headings, tables, quotes
_CLOSED = r"""["'\p{Pe}\p{Pf}\p{Pi}*_`\p{M}]*\s*$"""
_ENDED = rf"(?m)[\p{{STerm}}…⋯:：;；፡།༎༔]{_CLOSED}"
_LIMITS = ("line_ends", "new_lines")
_JUDGED = pl.Struct({"reason": pl.String, "line_ends": pl.Float64, "new_lines": pl.Float64})


def fineweb_quality(text: pl.Expr, *, language: str = "language", from_words: int = 50) -> pl.Expr:
    """Keep texts whose lines are those of running text.

    The rules of FineWeb as FineWeb2 uses them (Penedo et al. 2024, 2025), for texts of from_words words or
    more; shorter ones are kept. Dropped: too few of 10 lines or more that end in punctuation (points of a
    list, headings, table rows, quotes and code do not count), and more line ends per word than a list of
    single words has. FineWeb's rule for repeated lines is the filter `repetition`; that for short lines is
    off, as in FineWeb2. Both limits are the language's own (120 languages in `quality.csv`): in Thai,
    where sentences end in no sign, the first is 0. Other languages have the loosest limits of their script.
    language: the column of tags such as `swh_Latn`.
    -> reason: empty (null), line_ends, new_lines; line_ends: share of lines, null if there are none;
    new_lines: per word, null if there is no word.
    """
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    judge = partial(_judge, from_words=from_words)
    return rows.map_batches(judge, return_dtype=_JUDGED, is_elementwise=True)


def measures(text: pl.Series) -> pl.DataFrame:
    """Return what the limits are for: words, lines (of running text), line_ends, new_lines."""
    prose = text.str.replace_all(_CODE, "") if text.str.contains("```", literal=True).any() else text
    prose = prose.str.replace_all(_LISTED, "").alias("prose")
    content = pl.col("text").str.strip_chars()
    frame = pl.DataFrame([text.alias("text"), prose, measured(text, _words)["words"]])
    lines = pl.col("prose").str.count_matches(_LINE)
    return frame.select(
        "words",
        lines.alias("lines"),
        pl.when(lines > 0).then(pl.col("prose").str.count_matches(_ENDED) / lines).alias("line_ends"),
        pl.when(pl.col("words") > 0)
        .then(content.str.count_matches("\n", literal=True) / pl.col("words"))
        .alias("new_lines"),
    )


def _words(codes: Codes) -> pl.DataFrame:
    return pl.DataFrame({"words": np.bincount(codes.words().row, minlength=codes.height)})


def _judge(batch: pl.Series, from_words: int) -> pl.Series:
    text = joined_series(batch.struct.field("text")).alias("text")
    least = limits(batch.struct.field("language"), *_LIMITS).rename(lambda name: f"limit_{name}")
    frame = pl.concat([text.to_frame(), measures(text), least], how="horizontal")
    few_ends = pl.col("line_ends") < pl.col("limit_line_ends")
    broken = (
        pl.when((pl.col("lines") >= _FEWEST_LINES) & few_ends)
        .then(pl.lit("line_ends"))
        .when(pl.col("new_lines") > pl.col("limit_new_lines"))
        .then(pl.lit("new_lines"))
    )
    reason = (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("empty"))
        .when(pl.col("words") >= from_words)
        .then(broken)
    )
    return frame.select(pl.struct(reason.alias("reason"), "line_ends", "new_lines")).to_series()
