"""Length against the source: a translation that is far shorter or longer than its language makes it."""

import csv
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._text.words import joined

SHORT_AND_LONG = (20, 400)  # characters between which a longer text spreads less
_LEAST_SPREAD = 0.1
_JUDGED = pl.Struct({"reason": pl.String, "ratio": pl.Float64})
_UNCOUNTED = r"[\s\p{Mn}\p{Cc}\p{Cf}]"
_TAG = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")


def length_ratio(
    text: pl.Expr,
    *,
    source: str = "source",
    language: str = "language",
    source_language: str = "eng_Latn",
    limit: float = 4.5,
) -> pl.Expr:
    """Keep texts about as long as a translation of the column `source` into their language is.

    Lengths are in characters without spaces and combining marks. What is expected of a pair of languages, and
    how far texts of that length stray from it, comes from `length_ratios.csv`: human translations from
    English into 120 languages and more; any other language has the row of its script, or is dropped.
    limit: in standard deviations. language: the column of the text's tags. source_language: a tag, or the
    column of the source's tags. Of human pairs out of English 0.06 % are dropped (0.08 % when the table is
    made from other lines), of pairs without English 0.02 %; of texts cut to a third 67 %, to a quarter 82 %,
    to half 28 %: a ratio alone finds what is grossly wrong.
    A row without a source is kept.
    -> reason: empty (null), too_short, too_long, unknown_language; ratio: the length as a share of the
       expected one.
    """
    tag = pl.lit(source_language) if _TAG.fullmatch(source_language) else pl.col(source_language)
    rows = pl.struct(
        joined(text).alias("text"),
        joined(pl.col(source)).alias("source"),
        pl.col(language).cast(pl.String).alias("language"),
        tag.cast(pl.String).alias("source_language"),
    )
    return rows.map_batches(lambda batch: _judge(batch, limit), return_dtype=_JUDGED, is_elementwise=True)


def _judge(batch: pl.Series, limit: float) -> pl.Series:
    frame = batch.struct.unnest().with_columns(_length("text").clip(1), _length("source"))
    frame = frame.with_columns(
        pl.when(pl.col("source") > 0).then("source").alias("source"),
        (_expected("language", 0) - _expected("source_language", 0)).alias("mean"),
        (_expected("language", 0) + _expected("source_language", 0)).alias("both"),
        (_expected("language", 1) ** 2 + _expected("source_language", 1) ** 2).sqrt().alias("spread"),
    )
    size = (pl.col("source") * pl.col("text") * (-pl.col("both")).exp()).sqrt().clip(*SHORT_AND_LONG)
    frame = frame.with_columns(
        (pl.col("text") / pl.col("source") / pl.col("mean").exp()).alias("ratio"), size.alias("size")
    )
    apart = pl.col("ratio").log() * (pl.col("size") / 100).sqrt() / pl.col("spread").clip(_LEAST_SPREAD)
    reason = (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("empty"))
        .when(pl.col("source").is_not_null() & pl.col("ratio").is_null())
        .then(pl.lit("unknown_language"))
        .when(apart < -limit)
        .then(pl.lit("too_short"))
        .when(apart > limit)
        .then(pl.lit("too_long"))
    )
    return frame.select(pl.struct(reason.alias("reason"), "ratio")).to_series()


def characters(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return how many characters each text has, as `length_ratio` counts them."""
    return pl.DataFrame({"text": texts}).select(_length("text"))["text"].to_numpy().astype(np.int64)


def _length(name: str) -> pl.Expr:
    """Neither spaces nor marks, so that é is one character however it is put together."""
    text = pl.col(name).str
    return text.len_chars().cast(pl.Int64) - text.count_matches(_UNCOUNTED)


def _expected(tag: str, place: int) -> pl.Expr:
    """Mean (0) or spread (1) of a language; of its script, if the table has no row for it."""
    values = {key: row[place] for key, row in _rows().items()}
    keys = (pl.col(tag), pl.col(tag).str.extract(r"_([A-Z][a-z]{3})\b"))
    return pl.coalesce(key.replace_strict(values, default=None, return_dtype=pl.Float64) for key in keys)


@cache
def _rows() -> dict[str, tuple[float, float]]:
    with Path(__file__).with_name("length_ratios.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {row["language"]: (float(row["mean"]), float(row["spread"])) for row in rows}
