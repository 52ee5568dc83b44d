"""Drop texts that loop, or repeat their words, sentences, lines or paragraphs."""

import re
from functools import partial
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._similar.ngrams import AGAIN, TOP, ngram_shares
from glotmill.filters._text.code_points import Part, Pieces, measured
from glotmill.filters._text.words import joined_series

PACKAGES = ("icu4py",)

_LETTER_RUN, _LETTER_RUN_LENGTH = re.compile(r"([^\W\d_])\1{29,}"), 30
_MIN_PIECE = 6  # letters; repeats of shorter pieces, such as "Yes, sir.", are normal speech
_MIN_RUNS = 20  # with fewer, a share is meaningless
_RUN = 5  # words
_MIN_WORDS = 50  # from which Gopher's limits for n-grams apply
_MIN_ROUNDS, _MIN_LOOP = 5, 60  # repetitions and characters that make an ending a loop
_MAX_CHARS = 20_000  # at the end of a text that are searched for a loop
# Gopher's limits, table A1. ngram_shares measures both: the most frequent n-gram, and all repeated n-grams.
_GOPHER = dict(zip([f"top_{n}" for n in TOP], (0.20, 0.18, 0.16), strict=True)) | dict(
    zip([f"again_{n}" for n in AGAIN], (0.15, 0.14, 0.13, 0.12, 0.11, 0.10), strict=True)
)
Shares: TypeAlias = NDArray[np.float64]
_VERDICT = pl.Struct({"reason": pl.String, "share": pl.Float64})


def repetition(text: pl.Expr, *, max_share: float = 0.4, slack: float = 2.5) -> pl.Expr:
    """Keep texts that do not repeat themselves.

    The reason `repetition` covers endings that loop (a piece repeated 5 times or more, over 60 characters or
    more), one letter 30 times in a row, and texts in which the share of repeats exceeds `max_share`: of runs
    of 5 words, of sentences (where one occurs three times), of lines (10 or more) or of paragraphs (4 or
    more), whichever is largest; lines and paragraphs both by number and by characters. Words of scripts
    without spaces are found by ICU's dictionaries.

    The reason `repeated_ngrams` applies to texts of 50 words or more in which a share of characters exceeds
    `slack` times Gopher's limit: 0.20, 0.18 and 0.16 for the most frequent run of 2, 3 and 4 words, 0.15
    falling to 0.10 for repeated runs of 5 to 10 words. These limits were made for web pages: of the answers
    of 50 words or more that people wrote for GSM8K, a slack of 1 drops 28 %, 2.5 none.

    Covers all languages.

    Options:
        max_share: highest share (0 to 1) of repeats.
        slack: factor on Gopher's limits.
    Reasons: empty (null), repetition, repeated_ngrams.
    Adds `<column>_repetition_share`: largest share of repeats, 1 for a loop.
    Source: Gopher (Rae et al., 2021), table A1.
    """
    return text.map_batches(
        partial(_verdicts, max_share=max_share, slack=slack), return_dtype=_VERDICT, is_elementwise=True
    )


def _verdicts(batch: pl.Series, max_share: float, slack: float) -> pl.Series:
    text = joined_series(batch)
    shares = measured(text, _measure)
    letter_run = [
        bool(candidate and _LETTER_RUN.search(row))
        for candidate, row in zip(shares["letter_run"], text, strict=True)
    ]
    frame = shares.with_columns(
        _loops(text).alias("loops"), text.alias("text"), pl.Series("letter_run", letter_run, pl.Boolean)
    )
    share = pl.max_horizontal("runs", "sentences", "lines", "paragraphs", "loops")
    repeated = pl.any_horizontal(pl.col(name) > slack * limit for name, limit in _GOPHER.items())
    reason = (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("empty"))
        .when((share > max_share) | pl.col("letter_run"))
        .then(pl.lit("repetition"))
        .when((pl.col("words") >= _MIN_WORDS) & repeated)
        .then(pl.lit("repeated_ngrams"))
    )
    share = pl.when(pl.col("text").is_not_null()).then(share)
    return frame.select(pl.struct(reason.alias("reason"), share.alias("share"))).to_series()


def _measure(part: Part) -> pl.DataFrame:
    words, codes = part.words(), part.codes()
    height = codes.height
    number = np.bincount(words.row, minlength=height)
    shares = ngram_shares(words, height)
    _, sentences = _repeats(codes.sentences(_MIN_PIECE), height, min_pieces=1, times=3)
    lines = _repeats(codes.lines(_MIN_PIECE), height, min_pieces=10, times=2)
    paragraphs = _repeats(codes.paragraphs(_MIN_PIECE), height, min_pieces=4, times=2)
    return shares.with_columns(
        pl.Series("words", number),
        pl.Series("letter_run", np.isin(np.arange(height), codes.runs(_LETTER_RUN_LENGTH))),
        pl.Series("runs", np.where(number >= _MIN_RUNS + _RUN - 1, shares["runs"], 0.0)),
        pl.Series("sentences", sentences),
        pl.Series("lines", np.maximum(*lines)),
        pl.Series("paragraphs", np.maximum(*paragraphs)),
    )


def _repeats(pieces: Pieces, height: int, *, min_pieces: int, times: int) -> tuple[Shares, Shares]:
    """Share of each text's pieces that repeat an earlier one, by number and by characters, shape (height,).

    Both are 0 for texts of fewer than `min_pieces` pieces, and for texts without a piece that occurs `times`
    times (2 or 3). Sorting by text and key puts equal pieces next to each other: a piece that equals the one
    before it is a repeat.
    """
    order = np.lexsort((pieces.key, pieces.row))
    row, key, chars = pieces.row[order], pieces.key[order], pieces.chars[order]
    repeat = np.concatenate([[False], (row[1:] == row[:-1]) & (key[1:] == key[:-1])])[: row.size]
    number = np.bincount(row, minlength=height)
    share = np.bincount(row[repeat], minlength=height) / np.maximum(number, 1)
    total = np.maximum(np.bincount(row, weights=chars, minlength=height), 1)
    chars_share = np.bincount(row[repeat], weights=chars[repeat], minlength=height) / total
    frequent = repeat if times == 2 else repeat & np.concatenate([[False], repeat[:-1]])[: row.size]
    counts = (np.bincount(row[frequent], minlength=height) > 0) & (number >= min_pieces)
    return share * counts, chars_share * counts


def _loops(text: pl.Series) -> pl.Series:
    """1 for each text that ends in a loop, else 0."""
    ends = text.str.strip_chars_end().str.slice(-_MAX_CHARS, _MAX_CHARS)
    return pl.Series([float(_ends_in_loop(end)) if end else 0.0 for end in ends], dtype=pl.Float64)


def _ends_in_loop(text: str) -> bool:
    """Whether a text ends in a piece repeated over and over.

    The distance from the last 20 characters to their previous occurrence is the length of the piece.
    """
    end = text[-20:]
    previous = text.rfind(end, 0, len(text) - 1) if len(text) >= _MIN_LOOP else -1
    if previous < 0 or not any(map(str.isalnum, end)):
        return False
    period = len(text) - len(end) - previous
    piece, rounds = text[-period:], 1
    while text[-period * (rounds + 1) : -period * rounds] == piece:
        rounds += 1
    return rounds >= _MIN_ROUNDS and rounds * period >= _MIN_LOOP
