"""Gopher's rules for the quality of a text, with each language's own limits."""

from functools import partial

import numpy as np
import polars as pl

from glotmill.filters._text.code_points import Keys, Part, Pieces, Places, measured
from glotmill.filters._text.language_limits import limits, stop_words
from glotmill.filters._text.words import joined_series

_MOST_WORDS = 100_000
_MOST_SYMBOLS = 0.1  # per word
_MOST_BULLETS, _FEWEST_BULLETS = 0.9, 20  # a list of ten points is an answer
_MOST_ELLIPSES, _FEWEST_LINES = 0.3, 10  # two of five lines that trail off are a style
_PRIME = np.uint64(0xD6E8FEB86659FD93)
_FIRST = np.uint64(48)
_SYMBOLS = ("#", "...", "…")
_BULLET = r"(?m)^\s*[•‣◦▪●*·-]"
_LINE = r"(?m)^.*\S"
_ELLIPSIS_END = r"(?m)(?:\.\.\.|…|⋯|。。。)\s*$"
LIMITS = ("shortest_words", "longest_words", "letters", "stop_words")
_JUDGED = pl.Struct(
    {"reason": pl.String, "words": pl.Int64, "word_length": pl.Float64, "stop_words": pl.Int64}
)


def gopher_quality(text: pl.Expr, *, language: str = "language", from_words: int = 50) -> pl.Expr:
    """Keep texts that look like running text of the language asked for.

    The rules of Gopher (Rae et al. 2021, section A1.1) as FineWeb2 uses them, for texts of from_words words
    or more; shorter ones, which Gopher drops, are kept. Dropped, of texts of from_words words that hold a
    letter: words too short or too long on average, fewer different stop words than the language's texts have.
    Dropped, of the others too: too few words that hold a letter, over 100,000 words, over 0.1 hashes or
    ellipses per word, over 90 % of 20 lines or more with a bullet, over 30 % of 10 lines or more ending in an
    ellipsis.
    Limits of word length, letters and stop words are the language's own (120 in `quality.csv`), as are the
    25 stop words, a measured list (`stopwords.csv`): one or two different ones are asked for, none in 18
    languages such as Finnish and Korean, where human text of 50 words may have none. Other languages have the
    loosest limits of their script and no rule for stop words. Of 54,000 overlapping passages of NTREX-128,
    from lines that no limit was derived from, none is dropped, nor is any answer that people wrote for GSM8K.
    language: the column of tags such as `swh_Latn`.
    -> reason: empty (null), short_words, long_words, few_letters, few_stop_words, too_many_words, symbols,
    bullets, ellipses; words: their number; word_length: mean characters of the words that hold a letter;
    stop_words: how many different ones, null where the language has none.
    """
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    judge = partial(_judge, from_words=from_words)
    return rows.map_batches(judge, return_dtype=_JUDGED, is_elementwise=True)


def measures(text: pl.Series, stop: pl.Series) -> pl.DataFrame:
    """Return what the limits are for: words, word_length, letters (share of words that hold one), stop_words.

    stop: words with spaces between, or null, for each text.
    """
    lists = stop.drop_nulls().unique(maintain_order=True)
    of_text = stop.replace_strict(lists, range(len(lists)), default=-1, return_dtype=pl.Int64).to_numpy()
    known = measured(lists, lambda part: _with_list(part.words(), np.arange(part.height) + part.first))
    keys = np.unique(known["key"].to_numpy())
    frame = measured(text, lambda part: _measure(part, of_text[part.first : part.first + part.height], keys))
    none = pl.Series("none", of_text < 0)
    return frame.with_columns(pl.when(~none).then("stop_words").alias("stop_words"))


def _with_list(words: Pieces, of_text: Places) -> pl.DataFrame:
    """Return keys that are a word's in one list."""
    return pl.DataFrame({"key": words.key + of_text[words.row].astype(np.uint64) * _PRIME})


def _measure(part: Part, of_text: Places, stop: Keys) -> pl.DataFrame:
    words, height = part.words(), part.height
    lettered = words.letters > 0
    number = np.bincount(words.row, minlength=height)
    with_letters = np.bincount(words.row[lettered], minlength=height)
    chars = np.bincount(words.row[lettered], weights=words.chars[lettered], minlength=height)
    key = _with_list(words, of_text)["key"].to_numpy()
    may = np.zeros(1 << 16, np.bool_)  # most words are told apart by their first 16 bits
    may[stop >> _FIRST] = True
    found = np.flatnonzero(may[key >> _FIRST])
    place = np.searchsorted(stop, key[found])
    same = np.append(stop, np.uint64(0))[place] == key[found]
    found, place = found[same], place[same]
    different = np.unique(words.row[found] * (stop.size + 1) + place) // (stop.size + 1)
    return pl.DataFrame(
        {
            "words": number,
            "with_letters": with_letters,
            "word_length": np.where(with_letters > 0, chars / np.maximum(with_letters, 1), np.nan),
            "letters": with_letters / np.maximum(number, 1),
            "stop_words": np.bincount(different, minlength=height),
        }
    ).with_columns(pl.col("word_length").fill_nan(None))


def _line_counts(text: pl.Series) -> pl.DataFrame:
    """Count lines, and those with a bullet or an ellipsis; null for texts of few lines, as most are."""
    many = (text.str.count_matches("\n", literal=True) >= _FEWEST_LINES - 1).fill_null(value=False)
    counts = pl.DataFrame(schema=dict.fromkeys(("lines", "bullets", "ellipses"), pl.UInt32)).clear(len(text))
    if many.any():
        some, place = text.filter(many), many.arg_true()
        for name, sign in (("lines", _LINE), ("bullets", _BULLET), ("ellipses", _ELLIPSIS_END)):
            counts = counts.with_columns(counts[name].scatter(place, some.str.count_matches(sign)))
    return counts


def _judge(batch: pl.Series, from_words: int) -> pl.Series:
    language = batch.struct.field("language")
    text = joined_series(batch.struct.field("text")).alias("text")
    least = limits(language, *LIMITS).rename(lambda name: f"limit_{name}")
    frame = pl.concat([text.to_frame(), measures(text, stop_words(language)), least], how="horizontal")
    content = pl.col("text")
    frame = frame.hstack(_line_counts(text))
    symbols = pl.sum_horizontal(content.str.count_matches(sign, literal=True) for sign in _SYMBOLS)
    lines, bullets, ellipses = pl.col("lines"), pl.col("bullets"), pl.col("ellipses")
    running = (
        pl.col("words") * pl.col("letters") >= from_words
    )  # a sum worked out has few words beside numbers
    rules = {
        "short_words": running & (pl.col("word_length") < pl.col("limit_shortest_words")),
        "long_words": running & (pl.col("word_length") > pl.col("limit_longest_words")),
        "few_letters": pl.col("letters") < pl.col("limit_letters"),
        "few_stop_words": running & (pl.col("stop_words") < pl.col("limit_stop_words")),
        "too_many_words": pl.col("words") > _MOST_WORDS,
        "symbols": symbols > _MOST_SYMBOLS * pl.col("words"),
        "bullets": (bullets >= _FEWEST_BULLETS) & (bullets > _MOST_BULLETS * lines),
        "ellipses": (lines >= _FEWEST_LINES) & (ellipses > _MOST_ELLIPSES * lines),
    }
    broken = pl.coalesce(pl.when(rule).then(pl.lit(reason)) for reason, rule in rules.items())
    reason = pl.when(content.is_null()).then(pl.lit("empty")).when(pl.col("words") >= from_words).then(broken)
    return frame.select(pl.struct(reason.alias("reason"), "words", "word_length", "stop_words")).to_series()
