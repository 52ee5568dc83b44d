"""Repetition: a text that goes round in circles."""

import re
from functools import partial
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._similar.ngrams import AGAIN, TOP, ngram_shares
from glotmill.filters._text.code_points import Part, Pieces, measured
from glotmill.filters._text.words import joined_series

_RUN, _RUN_LETTERS = re.compile(r"([^\W\d_])\1{29,}"), 30
_SHORTEST_PIECE = 6  # letters; below it, repeats such as "Yes, sir." are speech
_FEWEST_RUNS = 20  # below it a share says nothing
_FEWEST_WORDS = 50  # from which Gopher's limits for n-grams hold
_LOOP_ROUNDS, _LOOP_CHARS = 5, 60
_SEEN = 20_000  # characters from the end that are looked at for a loop
_GOPHER = dict(zip([f"top_{n}" for n in TOP], (0.20, 0.18, 0.16), strict=True)) | dict(
    zip([f"again_{n}" for n in AGAIN], (0.15, 0.14, 0.13, 0.12, 0.11, 0.10), strict=True)
)
Shares: TypeAlias = NDArray[np.float64]
_MEASURED = pl.Struct({"reason": pl.String, "share": pl.Float64})


def repetition(text: pl.Expr, *, max_share: float = 0.4, slack: float = 2.5) -> pl.Expr:
    """Keep texts that do not repeat themselves, in any language.

    Reason `repetition`: an ending that loops (the same piece 5 times or more, over 60 characters or more),
    one letter 30 times, or a text of which over max_share are repeats: of runs of 5 words, of sentences (one
    of them said three times), of lines (from 10 on) or of paragraphs (from 4 on), whichever share is largest;
    lines and paragraphs by number and by characters. Words of scripts without spaces are those of ICU's
    dictionaries.
    Reason `repeated_ngrams`, from 50 words on: a share of the characters that passes slack times the limit
    of Gopher (Rae et al. 2021, table A1: 0.20, 0.18, 0.16 in the most frequent run of 2, 3, 4 words; 0.15
    falling to 0.10 in runs of 5 to 10 words that stood before). Those were made for web pages: of the answers
    of 50 words or more that people wrote for GSM8K, slack 1 drops 28 %, 2.5 none.
    -> reason: empty (null), repetition, repeated_ngrams; share: 0 to 1, the largest of the first kind.
    """
    judge = partial(_judge, max_share=max_share, slack=slack)
    return text.map_batches(judge, return_dtype=_MEASURED, is_elementwise=True)


def _judge(column: pl.Series, max_share: float, slack: float) -> pl.Series:
    text = joined_series(column)
    shares = measured(text, _measure)
    run = [bool(may and _RUN.search(each)) for may, each in zip(shares["run"], text, strict=True)]
    shares = shares.with_columns(
        _loops(text).alias("loops"), text.alias("text"), pl.Series("run", run, pl.Boolean)
    )
    share = pl.max_horizontal("runs", "sentences", "lines", "paragraphs", "loops")
    many = pl.any_horizontal(pl.col(name) > slack * limit for name, limit in _GOPHER.items())
    reason = (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("empty"))
        .when((share > max_share) | pl.col("run"))
        .then(pl.lit("repetition"))
        .when((pl.col("words") >= _FEWEST_WORDS) & many)
        .then(pl.lit("repeated_ngrams"))
    )
    known = pl.when(pl.col("text").is_not_null()).then(share)
    return shares.select(pl.struct(reason.alias("reason"), known.alias("share"))).to_series()


def _measure(part: Part) -> pl.DataFrame:
    words, codes = part.words(), part.codes()
    number = np.bincount(words.row, minlength=codes.height)
    shares = ngram_shares(words, codes.height)
    return shares.with_columns(
        pl.Series("words", number),
        pl.Series("run", np.isin(np.arange(codes.height), codes.runs(_RUN_LETTERS))),
        pl.Series("runs", np.where(number >= _FEWEST_RUNS + 4, shares["runs"], 0.0)),
        pl.Series("sentences", _repeats(codes.sentences(_SHORTEST_PIECE), codes.height, 1, 3)[1]),
        pl.Series("lines", np.maximum(*_repeats(codes.lines(_SHORTEST_PIECE), codes.height, 10, 2))),
        pl.Series("paragraphs", np.maximum(*_repeats(codes.paragraphs(_SHORTEST_PIECE), codes.height, 4, 2))),
    )


def _repeats(pieces: Pieces, height: int, fewest: int, times: int) -> tuple[Shares, Shares]:
    """Share of a text's pieces that were there before, by number and by characters.

    Both are 0 for texts of fewer pieces than `fewest`, and where none stands `times` times.
    """
    order = np.lexsort((pieces.key, pieces.row))
    row, key, chars = pieces.row[order], pieces.key[order], pieces.chars[order]
    again = np.concatenate([[False], (row[1:] == row[:-1]) & (key[1:] == key[:-1])])[: row.size]
    number = np.bincount(row, minlength=height)
    said = np.bincount(row[again], minlength=height) / np.maximum(number, 1)
    total = np.maximum(np.bincount(row, weights=chars, minlength=height), 1)
    said_chars = np.bincount(row[again], weights=chars[again], minlength=height) / total
    often = again if times == 2 else again & np.concatenate([[False], again[:-1]])[: row.size]
    counts = (np.bincount(row[often], minlength=height) > 0) & (number >= fewest)
    return said * counts, said_chars * counts


def _loops(text: pl.Series) -> pl.Series:
    """1 for a text that ends in a loop, else 0."""
    ends = text.str.strip_chars_end().str.slice(-_SEEN, _SEEN)
    return pl.Series([float(_ends_in_loop(end)) if end else 0.0 for end in ends], dtype=pl.Float64)


def _ends_in_loop(text: str) -> bool:
    end = text[-20:]
    before = text.rfind(end, 0, len(text) - 1) if len(text) >= _LOOP_CHARS else -1
    if before < 0 or not any(map(str.isalnum, end)):
        return False
    period = len(text) - len(end) - before
    piece, rounds = text[-period:], 1
    while text[-period * (rounds + 1) : -period * rounds] == piece:
        rounds += 1
    return rounds >= _LOOP_ROUNDS and rounds * period >= _LOOP_CHARS
