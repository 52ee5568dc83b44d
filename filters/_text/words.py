"""The text of a judged column: a text, a list of texts, or turns. A helper of filters.

Two ways to take a text apart. `words` gives words: runs of letters, marks and digits; in the scripts that put
no space between words, Chinese, Japanese, Thai, Lao, Khmer and Burmese, those of ICU's dictionaries, and in
Tibetan, whose words nothing separates either but whose syllables are, syllables. Whatever is counted per word
uses it. `units` gives words, or single characters in those scripts: what comparing two texts needs, without a
dictionary.
"""

from functools import lru_cache

import polars as pl

TOKENIZER = "words-1"  # what thresholds in words were derived with; another number where `words` changes

# Letters of scripts that put no space between words; a run of them is counted in characters, not in words.
UNSPACED = r"\p{Thai}\p{Lao}\p{Khmr}\p{Mymr}\p{Hani}\p{Hira}\p{Kana}"
_UNIT = rf"[{UNSPACED}]\p{{M}}*|[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]+"
_WORD = r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}\u{200C}\u{200D}]*"  # joiners: Persian, Sinhala
_LONG = 5_000  # characters; shorter texts are remembered
# Marks, Hangul letters, and single characters that NFC replaces.
_COMPOSABLE = (
    r"[\p{M}\u{1100}-\u{11FF}\u{374}\u{37E}\u{387}\u{958}-\u{95F}\u{9DC}-\u{9DF}\u{A33}-\u{A5E}\u{B5C}\u{B5D}"
    r"\u{F43}-\u{F69}\u{1F71}-\u{1FFD}\u{2000}\u{2001}\u{2126}-\u{212B}\u{2329}\u{232A}\u{2ADC}\u{F900}-\u{FAFF}"
    r"\u{FB1D}-\u{FB4E}\u{1D15E}-\u{1D1C0}\u{2F800}-\u{2FA1D}]"
)


def joined(column: pl.Expr) -> pl.Expr:
    """Return the column as one text a row: its items or turns, a line each. Null stays null."""
    return column.map_batches(joined_series, return_dtype=pl.String, is_elementwise=True)


def joined_series(column: pl.Series) -> pl.Series:
    """Return what `joined` does, for values at hand."""
    if not isinstance(column.dtype, pl.List):
        return column if column.dtype == pl.String else column.cast(pl.String, strict=False)
    return items_series(column).list.join("\n")


def items_series(column: pl.Series) -> pl.Series:
    """Return lists of texts: the items of a list, the texts of turns, a text as a list of one. Null stays
    null."""
    if not isinstance(column.dtype, pl.List):
        texts = joined_series(column).to_frame("text")
        return texts.select(pl.when(pl.col("text").is_not_null()).then(pl.concat_list("text"))).to_series()
    item = pl.element()
    if isinstance(column.dtype.inner, pl.Struct):
        item = item.struct.field("text")
    return column.list.eval(item.cast(pl.String, strict=False).drop_nulls())


def composed_series(text: pl.Series) -> pl.Series:
    """Return the texts in NFC. Few scripts have anything to compose, and to look is a tenth of the work."""
    some = text.str.contains(_COMPOSABLE).fill_null(value=False)
    if not some.any():
        return text
    return text.scatter(some.arg_true(), text.filter(some).str.normalize("NFC"))


def squeezed(text: pl.Expr) -> pl.Expr:
    """Return the text as equal texts share it: composed, lower case, its spaces and punctuation one space
    each.

    Signs that carry meaning between numbers stay: 12/4 and 12*4 are two texts.
    """
    lower = text.str.normalize("NFC").str.to_lowercase()
    return lower.str.replace_all(r"[\s\p{C}[\p{P}--[-−*/%#&@]]]+", " ").str.strip_chars()


def units(text: pl.Expr) -> pl.Expr:
    """Return the words of a text in lower case; in scripts without spaces, its characters."""
    return text.str.to_lowercase().str.extract_all(_UNIT)


def words_series(text: pl.Series) -> pl.Series:
    """Return the words of each text in lower case, a list a row; null stays null.

    Thai, Khmer and the like by the dictionaries of ICU (by icu4py, whose wheels hold ICU 78): 16,000 texts of
    600 characters a CPU second, a third of what other scripts need.
    """
    return spaced_series(text.str.to_lowercase()).str.extract_all(_WORD)


def spaced_series(text: pl.Series) -> pl.Series:
    """Put a space between the words of texts in scripts that have none there; other texts stay."""
    unspaced = text.str.contains(f"[{UNSPACED}]").fill_null(value=False)
    if not unspaced.any():
        return text
    return text.scatter(unspaced.arg_true(), put_spaces(text.filter(unspaced)))


def put_spaces(text: pl.Series) -> pl.Series:
    """Put a space between all words that ICU finds in texts of such a script."""
    return pl.Series(
        [_remembered(each) if len(each) <= _LONG else _broken(each) for each in text], dtype=pl.String
    )


@lru_cache(maxsize=2_048)  # a row's filters ask one after the other
def _remembered(text: str) -> str:
    return _broken(text)


def _broken(text: str) -> str:
    from icu4py.breakers import WordBreaker  # 40 MB of dictionaries

    return " ".join(WordBreaker(text, "und"))
