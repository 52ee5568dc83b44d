"""FineWeb's rules for the lines of a text, with each language's own limits."""

from functools import partial

import numpy as np
import polars as pl

from glotmill.filters._text.code_points import Part, measured
from glotmill.filters._text.language_limits import limits
from glotmill.filters._text.words import joined_series

_FEWEST_LINES = 20  # below it a poem without punctuation may stand
_CODE = r"(?s)```.*?(?:```|\z)"
_LINE = r"(?m)^.*\S"
_LISTED = r"(?m)^\s*(?:[•‣◦▪●*·#|>-]|(?:\p{N}{1,3}|\p{L})[.)、:।]).*\S"  # points, headings, tables, quotes
_CLOSED = r"""["'\p{Pe}\p{Pf}\p{Pi}*_`\p{M}]*\s*$"""
_ENDED = rf"(?m)[\p{{STerm}}…⋯:：;；፡།༎༔]{_CLOSED}"
LIMITS = ("line_ends", "new_lines")
_JUDGED = pl.Struct({"reason": pl.String, "line_ends": pl.Float64, "new_lines": pl.Float64})


def fineweb_quality(text: pl.Expr, *, language: str = "language", from_words: int = 50) -> pl.Expr:
    """Keep texts whose lines are those of running text.

    The rules of FineWeb as FineWeb2 uses them (Penedo et al. 2024, 2025), for texts of from_words words or
    more; shorter ones are kept. Dropped: too few of 20 lines or more that end in punctuation (points of a
    list, headings, table rows, quotes and code do not count), and more line ends per word than a list of
    single words has. FineWeb's rule for repeated lines is the filter `repetition`; that for short lines is
    off, as in FineWeb2. Both limits are the language's own (120 languages in `quality.csv`): in Thai,
    where sentences end in no sign, the first is 0. Other languages have the loosest limits of their script.
    language: the column of tags such as `swh_Latn`.
    -> reason: empty (null), line_ends, new_lines; line_ends: share of lines; new_lines: per word. Both are
    null for texts of fewer than 20 lines, which are kept.
    """
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    judge = partial(_judge, from_words=from_words)
    return rows.map_batches(judge, return_dtype=_JUDGED, is_elementwise=True)


def line_ends(text: pl.Series) -> pl.DataFrame:
    """Return how many lines of running text there are, `lines`, and how many end in punctuation, `ended`."""
    prose = text.str.replace_all(_CODE, "") if text.str.contains("```", literal=True).any() else text
    prose = prose.str.replace_all(_LISTED, "")
    return pl.DataFrame(
        [prose.str.count_matches(_LINE).alias("lines"), prose.str.count_matches(_ENDED).alias("ended")]
    )


def word_numbers(text: pl.Series) -> pl.Series:
    """Return the number of words of each text."""
    return measured(text, _words)["words"]


def _words(part: Part) -> pl.DataFrame:
    return pl.DataFrame({"words": np.bincount(part.words().row, minlength=part.height)})


def _judge(batch: pl.Series, from_words: int) -> pl.Series:
    text = joined_series(batch.struct.field("text")).alias("text")
    breaks = text.str.strip_chars().str.count_matches("\n", literal=True).alias("breaks")
    rows = pl.DataFrame([pl.int_range(len(text), eager=True).alias("row"), text, breaks])
    rows = rows.with_columns(batch.struct.field("language"))
    judged = rows.select("row", "text").join(
        _of_lines(rows, from_words), "row", "left", maintain_order="left"
    )
    reason = pl.when(pl.col("text").is_null()).then(pl.lit("empty")).otherwise("reason")
    return judged.select(pl.struct(reason.alias("reason"), "line_ends", "new_lines")).to_series()


def _of_lines(rows: pl.DataFrame, from_words: int) -> pl.DataFrame:
    """Judge the texts that have lines enough for a rule: most have not."""
    rows = rows.filter(pl.col("breaks") >= _FEWEST_LINES - 1)
    words = word_numbers(rows["text"])
    frame = pl.concat(
        [
            rows,
            words.to_frame(),
            line_ends(rows["text"]),
            limits(rows["language"], *LIMITS).rename(lambda name: f"limit_{name}"),
        ],
        how="horizontal",
    )
    frame = frame.with_columns(
        pl.when(pl.col("lines") > 0).then(pl.col("ended") / pl.col("lines")).alias("line_ends"),
        pl.when(pl.col("words") > 0).then(pl.col("breaks") / pl.col("words")).alias("new_lines"),
    )
    broken = (
        pl.when((pl.col("lines") >= _FEWEST_LINES) & (pl.col("line_ends") < pl.col("limit_line_ends")))
        .then(pl.lit("line_ends"))
        .when(pl.col("new_lines") > pl.col("limit_new_lines"))
        .then(pl.lit("new_lines"))
    )
    reason = pl.when(pl.col("words") >= from_words).then(broken)
    return frame.select("row", reason.alias("reason"), "line_ends", "new_lines")
