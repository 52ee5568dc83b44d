"""Drop texts with too few or too many characters or words."""

import polars as pl

from glotmill.filters._text.words import UNSPACED, joined, trimmed, weighted_chars

_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]"
_WORD = rf"{_LETTER}+(?:['\u{{2019}}\u{{2BC}}\u{{200C}}\u{{200D}}]{_LETTER}+)*"
# Letters of these scripts that say as much as one word elsewhere: from the same news in 8 such languages and,
# in the median, 120 languages with spaces. Vowel signs are not counted as letters.
_LETTERS_PER_WORD = {
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
    """Keep texts of `min_chars` to `max_chars` characters and `min_words` to `max_words` words.

    Characters are counted as of an alphabet: a Chinese character or kana counts as three, a syllable of
    Hangul or Ethiopic as two, anything else as one (我是一名护士。 has 19), so that one limit fits all
    languages. The same news (FLORES-200, NTREX-128) has 0.76 to 1.15 times as many in these scripts as in the
    median of languages in Latin script; counted alike, it has 0.27 to 0.65 times as many.

    Spaces and invisible characters at the ends of a text are not counted. The items of a list and the turns
    of a dialogue count together. A word is a run of letters and digits, with apostrophes or joiners in it. In
    scripts without spaces, 1.7 Chinese characters, 2.8 kana, or 4 letters of Thai, Lao, Khmer or Burmese
    count as one word; in Tibetan a syllable does. Covers all languages. For a length in tokens, see `tokens`.

    Options:
        min_chars, max_chars: characters of an alphabet; the defaults exclude only empty and runaway texts.
        min_words, max_words: words; not limited by default.
    Reasons: empty (null), too_short, too_long.
    """
    stripped = trimmed(joined(text))
    chars = weighted_chars(stripped)
    too_short, too_long = chars < min_chars, chars > max_chars
    if min_words > 0:
        too_short |= _words(stripped) < min_words
    if max_words is not None:
        too_long |= _words(stripped) > max_words
    return (
        pl.when(chars.is_null())
        .then(pl.lit("empty"))
        .when(too_short)
        .then(pl.lit("too_short"))
        .when(too_long)
        .then(pl.lit("too_long"))
    )


def _words(text: pl.Expr) -> pl.Expr:
    counts = [text.str.count_matches(letters) / size for letters, size in _LETTERS_PER_WORD.items()]
    return text.str.count_matches(_WORD) + pl.sum_horizontal(counts)
