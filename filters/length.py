"""Length of a text in characters or words."""

import polars as pl

from glotmill.filters._text.words import UNSPACED, joined

_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]"
_WORD = rf"{_LETTER}+(?:['\u{{2019}}\u{{2BC}}\u{{200C}}\u{{200D}}]{_LETTER}+)*"
# In how many letters these scripts say what takes one word elsewhere: news in 8 such languages against the
# median of the same news in 120 languages with spaces. Vowel signs are no letters.
_LETTERS_A_WORD = {
    r"\p{Hani}": 1.7,
    r"[\p{Hira}\p{Kana}]": 2.8,
    r"[[\p{Thai}\p{Lao}\p{Khmr}\p{Mymr}]--\p{M}]": 4.0,
}


def length(
    text: pl.Expr,
    *,
    min_chars: int = 1,
    max_chars: int = 20_000,
    min_words: int = 0,
    max_words: int | None = None,
) -> pl.Expr:
    """Keep texts of min_chars to max_chars characters and of min_words to max_words words.

    Spaces and invisible characters around a text do not count. Of a list or of turns, all items count
    together. A word is a run of letters and digits, also with an apostrophe or joiner in it; where the script
    puts no space between words, 1.7 Chinese characters, 2.8 kana, or 4 letters of Thai, Lao, Khmer or Burmese
    are one, and each syllable of Tibetan is. All languages. For tokens see the filter `tokens`.
    Reasons: empty (null), too_short, too_long.
    """
    bare = joined(text).str.replace_all(r"\A[\s\p{C}]+|[\s\p{C}]+\z", "")
    chars = bare.str.len_chars()
    too_short, too_long = chars < min_chars, chars > max_chars
    if min_words > 0:
        too_short |= _words(bare) < min_words
    if max_words is not None:
        too_long |= _words(bare) > max_words
    return (
        pl.when(chars.is_null())
        .then(pl.lit("empty"))
        .when(too_short)
        .then(pl.lit("too_short"))
        .when(too_long)
        .then(pl.lit("too_long"))
    )


def _words(text: pl.Expr) -> pl.Expr:
    counts = [text.str.count_matches(letters) / each for letters, each in _LETTERS_A_WORD.items()]
    return text.str.count_matches(_WORD) + pl.sum_horizontal(counts)
