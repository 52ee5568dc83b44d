"""Drop texts that are not running text, by Gopher's rules and limits for each language."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from glotmill.filters._text.code_points import Keys, Part, Pieces, Places, measured
from glotmill.filters._text.language_limits import limits, limits_by_tag, stop_words
from glotmill.filters._text.words import joined_series

PACKAGES = ("icu4py",)
LIMITS = ("shortest_words", "longest_words", "letters", "stop_words")

_MAX_WORDS = 100_000
_MAX_SYMBOLS = 0.1  # per word
_MAX_BULLETS, _MIN_LINES_BULLETS = 0.9, 20  # a list of ten items is an answer
_MAX_ELLIPSES, _MIN_LINES_ELLIPSES = 0.3, 10  # two of five lines that trail off are a style
_PRIME = np.uint64(0xD6E8FEB86659FD93)
_TOP_BITS = np.uint64(48)  # shift that leaves the first 16 bits of a key
_SYMBOLS = ("#", "...", "…")
_BULLET = r"(?m)^\s*[•‣◦▪●*·-]"
_LINE = r"(?m)^.*\S"
_ELLIPSIS_END = r"(?m)(?:\.\.\.|…|⋯|。。。)\s*$"
_VERDICT = pl.Struct(
    {"reason": pl.String, "words": pl.Int64, "word_length": pl.Float64, "stop_words": pl.Int64}
)


def gopher_quality(text: pl.Expr, *, language: str = "language", from_words: int = 50) -> pl.Expr:
    """Keep texts that look like running text of their language.

    Applies the rules of Gopher as FineWeb2 does to texts of `from_words` words or more; shorter ones, which
    Gopher drops, are kept. Drops a text in which too few words contain a letter, with more than 100,000
    words, with more than 0.1 hashes or ellipses per word, of 20 or more lines with a bullet before more than
    90 % of them, or of 10 or more lines with an ellipsis after more than 30 % of them. Among texts with
    `from_words` words that contain a letter, it also drops those whose words are too short or too long on
    average, and those with too few different stop words.

    The limits for word length, letters and stop words depend on the language (120 languages in
    `quality.csv`), as do the 25 most frequent words that count as stop words (`stopwords.csv`). One or two
    different ones are needed; none in 18 languages such as Finnish and Korean, where human text of 50 words
    may have none. Other languages use the loosest limits of their script and no rule for stop words.

    Drops none of 54,000 overlapping passages of NTREX-128, from lines that no limit was derived from, and
    none of the answers that people wrote for GSM8K.

    Options:
        language: column of language tags such as `swh_Latn`.
        from_words: texts of fewer words are kept; on a short text such shares are chance.
    Reasons: empty (null), short_words, long_words, few_letters, few_stop_words, too_many_words, symbols,
    bullets, ellipses.
    Adds `<column>_gopher_quality_words`: number of words; `<column>_gopher_quality_word_length`: mean number
    of characters of the words that contain a letter; and `<column>_gopher_quality_stop_words`: number of
    different stop words, null where the language has no list.
    Source: Gopher (Rae et al., 2021), section A1.1; FineWeb2 (Penedo et al., 2025).
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


def measures(text: pl.Series, stop_lists: pl.Series) -> pl.DataFrame:
    """Measure what the limits are for -> words, with_letters, word_length, letters, stop_words.

    letters: share of the words that contain one. stop_lists: for each text, its stop words with spaces
    between them, or null.
    """
    lists = stop_lists.drop_nulls().unique(maintain_order=True)
    numbers = range(len(lists))
    list_index = stop_lists.replace_strict(lists, numbers, default=-1, return_dtype=pl.Int64).to_numpy()
    stop_words = measured(
        lists,
        lambda part: pl.DataFrame({"key": _keys_in_list(part.words(), np.arange(part.height) + part.first)}),
    )
    stop_keys = np.unique(stop_words["key"].to_numpy())
    frame = measured(
        text,
        lambda part: _measure(part, list_index[part.first : part.first + part.height], stop_keys),
    )
    has_list = pl.Series(list_index >= 0)
    return frame.with_columns(pl.when(has_list).then("stop_words").alias("stop_words"))


def _keys_in_list(words: Pieces, list_index: Places) -> Keys:
    """Keys that are equal for the same word in the same list: the key of the word shifted by its list."""
    return words.key + list_index[words.row].astype(np.uint64) * _PRIME


def _measure(part: Part, list_index: Places, stop_keys: Keys) -> pl.DataFrame:
    words, height = part.words(), part.height
    lettered = words.letters > 0
    number = np.bincount(words.row, minlength=height)
    with_letters = np.bincount(words.row[lettered], minlength=height)
    chars = np.bincount(words.row[lettered], weights=words.chars[lettered], minlength=height)
    return pl.DataFrame(
        {
            "words": number,
            "with_letters": with_letters,
            "word_length": np.where(with_letters > 0, chars / np.maximum(with_letters, 1), np.nan),
            "letters": with_letters / np.maximum(number, 1),
            "stop_words": _different_stop_words(words, height, list_index, stop_keys),
        }
    ).with_columns(pl.col("word_length").fill_nan(None))


def _different_stop_words(words: Pieces, height: int, list_index: Places, stop_keys: Keys) -> Places:
    """Count the different stop words of each text.

    stop_keys is sorted, so each word is looked up by binary search, and the pairs of text and stop word that
    occur are counted once. A table of the first 16 bits of all stop words skips most words before that.
    """
    key = _keys_in_list(words, list_index)
    possible = np.zeros(1 << 16, np.bool_)
    possible[stop_keys >> _TOP_BITS] = True
    word = np.flatnonzero(possible[key >> _TOP_BITS])
    index = np.searchsorted(stop_keys, key[word])
    equal = np.append(stop_keys, np.uint64(0))[index] == key[word]
    word, index = word[equal], index[equal]
    row = np.unique(words.row[word] * (stop_keys.size + 1) + index) // (stop_keys.size + 1)
    return np.bincount(row, minlength=height)


def _line_counts(text: pl.Series) -> pl.DataFrame:
    """Count lines -> lines, bullets, ellipses; null for texts of few lines, as most are."""
    long = (text.str.count_matches("\n", literal=True) >= _MIN_LINES_ELLIPSES - 1).fill_null(value=False)
    names = ("lines", "bullets", "ellipses")
    counts = pl.DataFrame(schema=dict.fromkeys(names, pl.UInt32)).clear(len(text))
    if long.any():
        long_texts, rows = text.filter(long), long.arg_true()
        for name, pattern in zip(names, (_LINE, _BULLET, _ELLIPSIS_END), strict=True):
            counts = counts.with_columns(counts[name].scatter(rows, long_texts.str.count_matches(pattern)))
    return counts


def _verdicts(batch: pl.Series, from_words: int) -> pl.Series:
    language = batch.struct.field("language")
    text = joined_series(batch.struct.field("text")).alias("text")
    language_limits = limits(language, *LIMITS).rename(lambda name: f"limit_{name}")
    parts = [text.to_frame(), measures(text, stop_words(language)), language_limits, _line_counts(text)]
    frame = pl.concat(parts, how="horizontal")
    symbols = pl.sum_horizontal(pl.col("text").str.count_matches(sign, literal=True) for sign in _SYMBOLS)
    lines, bullets, ellipses = pl.col("lines"), pl.col("bullets"), pl.col("ellipses")
    # Word lengths and stop words say little about a calculation, which has few words and many numbers.
    running = pl.col("words") * pl.col("letters") >= from_words
    rules = {
        "short_words": running & (pl.col("word_length") < pl.col("limit_shortest_words")),
        "long_words": running & (pl.col("word_length") > pl.col("limit_longest_words")),
        "few_letters": pl.col("letters") < pl.col("limit_letters"),
        "few_stop_words": running & (pl.col("stop_words") < pl.col("limit_stop_words")),
        "too_many_words": pl.col("words") > _MAX_WORDS,
        "symbols": symbols > _MAX_SYMBOLS * pl.col("words"),
        "bullets": (bullets >= _MIN_LINES_BULLETS) & (bullets > _MAX_BULLETS * lines),
        "ellipses": (lines >= _MIN_LINES_ELLIPSES) & (ellipses > _MAX_ELLIPSES * lines),
    }
    broken = pl.coalesce(pl.when(rule).then(pl.lit(reason)) for reason, rule in rules.items())
    reason = (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("empty"))
        .when(pl.col("words") >= from_words)
        .then(broken)
    )
    return frame.select(pl.struct(reason.alias("reason"), "words", "word_length", "stop_words")).to_series()
