"""The text of a column (a text, a list of texts, or turns): its words, one spelling of them, its prose.

Words are runs of letters, marks and digits. Chinese, Japanese, Thai, Lao, Khmer and Burmese put no space
between words: there, ICU's dictionaries find them. Tibetan separates only syllables, which count as its
words. Every filter that counts per word uses these words.
"""

from functools import lru_cache

import polars as pl

PACKAGES = ("icu4py",)
TOKENIZER = "words-1"  # recorded in the tables of limits in words; change it when `words_series` changes

# Letters of scripts that put no space between words.
UNSPACED = r"\p{Thai}\p{Lao}\p{Khmr}\p{Mymr}\p{Hani}\p{Hira}\p{Kana}"
# What a letter counts beside its one character, as `script` and `language` weigh letters.
_EXTRA_CHARS = {r"[\p{Hani}\p{Hira}\p{Kana}]": 2, r"[\p{Hang}\p{Ethi}]": 1}
_WORD = r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}\u{200C}\u{200D}]*"  # joiners: Persian, Sinhala
_MAX_CACHED = 5_000  # characters of a text
# Marks, Hangul letters, and single characters that NFC replaces.
_COMPOSABLE = (
    r"[\p{M}\u{1100}-\u{11FF}\u{374}\u{37E}\u{387}\u{958}-\u{95F}\u{9DC}-\u{9DF}\u{A33}-\u{A5E}\u{B5C}\u{B5D}"
    r"\u{F43}-\u{F69}\u{1F71}-\u{1FFD}\u{2000}\u{2001}\u{2126}-\u{212B}\u{2329}\u{232A}\u{2ADC}\u{F900}-\u{FAFF}"
    r"\u{FB1D}-\u{FB4E}\u{1D15E}-\u{1D1C0}\u{2F800}-\u{2FA1D}]"
)


def joined(column: pl.Expr) -> pl.Expr:
    """Return each row's text; the items of a list, or the texts of turns, become its lines. Null stays
    null."""
    return column.map_batches(joined_series, return_dtype=pl.String, is_elementwise=True)


def joined_series(column: pl.Series) -> pl.Series:
    """Do what `joined` does, for a Series."""
    if not isinstance(column.dtype, pl.List):
        return column if column.dtype == pl.String else column.cast(pl.String, strict=False)
    return items_series(column).list.join("\n")


def items_series(column: pl.Series) -> pl.Series:
    """Return lists of texts: a list's items, the texts of turns, or a text as a list of one. Null stays
    null."""
    if not isinstance(column.dtype, pl.List):
        texts = joined_series(column).to_frame("text")
        return texts.select(pl.when(pl.col("text").is_not_null()).then(pl.concat_list("text"))).to_series()
    item = pl.element()
    if isinstance(column.dtype.inner, pl.Struct):
        item = item.struct.field("text")
    return column.list.eval(item.cast(pl.String, strict=False).drop_nulls())


def composed_series(text: pl.Series) -> pl.Series:
    """Return the texts in NFC. Few have anything to compose, and checking costs a tenth of composing."""
    composable = text.str.contains(_COMPOSABLE).fill_null(value=False)
    if not composable.any():
        return text
    return text.scatter(composable.arg_true(), text.filter(composable).str.normalize("NFC"))


def trimmed(text: pl.Expr) -> pl.Expr:
    """Return the text without spaces and invisible characters at its ends."""
    return text.str.replace_all(r"\A[\s\p{C}]+|[\s\p{C}]+\z", "")


def weighted_chars(text: pl.Expr) -> pl.Expr:
    """Return the number of characters as of an alphabet: a Chinese character or kana counts as three."""
    extra = [text.str.count_matches(letters) * more for letters, more in _EXTRA_CHARS.items()]
    return text.str.len_chars() + pl.sum_horizontal(extra)


def squeezed(text: pl.Expr) -> pl.Expr:
    """Return the text in NFC and lower case, with one space for each run of spaces and punctuation.

    Texts that differ in nothing else become equal. Signs that carry meaning between numbers stay: 12/4 and
    12*4 remain two texts.
    """
    lower = text.str.normalize("NFC").str.to_lowercase()
    return lower.str.replace_all(r"[\s\p{C}[\p{P}--[-−*/%#&@]]]+", " ").str.strip_chars()


def words_series(text: pl.Series) -> pl.Series:
    """Return the words of each text in lower case, a list per row; null stays null.

    ICU (by icu4py, whose wheels hold ICU 78) takes 16,000 texts of 600 characters a CPU second, a third of
    the speed of scripts with spaces.
    """
    return _spaced_series(text.str.to_lowercase()).str.extract_all(_WORD)


def put_spaces(text: pl.Series) -> pl.Series:
    """Return texts of scripts without spaces with one between all words that ICU finds."""
    return pl.Series([_spaced(t) if len(t) <= _MAX_CACHED else _segment(t) for t in text], dtype=pl.String)


def _spaced_series(text: pl.Series) -> pl.Series:
    """Apply `put_spaces` to the texts that hold a letter of such a script."""
    unspaced = text.str.contains(f"[{UNSPACED}]").fill_null(value=False)
    if not unspaced.any():
        return text
    return text.scatter(unspaced.arg_true(), put_spaces(text.filter(unspaced)))


def _segment(text: str) -> str:
    from icu4py.breakers import WordBreaker  # 40 MB of dictionaries

    return " ".join(WordBreaker(text, "und"))


_spaced = lru_cache(maxsize=2_048)(_segment)  # several filters ask for the words of the same row


# Folding: spellings of a word that look alike become one spelling.

# Signs that do not change a word: of zero width, soft hyphens, tatweel (the stretched line of Arabic).
_IGNORED = r"[\u{AD}\u{200B}-\u{200D}\u{2060}\u{FEFF}\u{640}]"
# Vowel signs that most Arabic and Hebrew texts leave out, and signs of recitation.
_POINTS = (
    r"[\u{64B}-\u{65F}\u{670}\u{6D6}-\u{6DC}\u{6DF}-\u{6E4}\u{6E7}\u{6E8}\u{6EA}-\u{6ED}"
    r"\u{591}-\u{5BD}\u{5BF}\u{5C1}\u{5C2}\u{5C4}\u{5C5}\u{5C7}]"
)
_LETTERS = {"[أإآٱ]": "ا", "[ىی]": "ي", "[کڪ]": "ك"}
_CHILLU = {"ണ്": "ൺ", "ന്": "ൻ", "ര്": "ർ", "ല്": "ൽ", "ള്": "ൾ", "ക്": "ൿ"}  # Malayalam, before a joiner
_MAY_NEED_FOLDING = r"[\u{AD}\u{591}-\u{6ED}\u{200B}-\u{200D}\u{2060}\u{FEFF}]"


def folded(text: pl.Expr) -> pl.Expr:
    """Return the text in NFC (which also unifies nuktas), without joiners, soft hyphens, tatweel, harakat and
    niqqud, and with one form of alef, of yeh and of kaf. Null stays null."""
    return text.map_batches(folded_series, return_dtype=pl.String, is_elementwise=True)


def folded_series(text: pl.Series) -> pl.Series:
    """Do what `folded` does, for a Series."""
    text = text.str.normalize("NFC")
    if not text.str.contains(_MAY_NEED_FOLDING).any():
        return text
    for letter, chillu in _CHILLU.items():
        text = text.str.replace_all(f"{letter}\u200d", chillu, literal=True)
    text = text.str.replace_all(_IGNORED, "").str.replace_all(_POINTS, "")
    for variants, letter in _LETTERS.items():
        text = text.str.replace_all(variants, letter)
    return text


# Prose: the part of a text that tells its language.

_NOT_PROSE = (
    r"(?s)```.*?(?:```|\z)",
    r"`[^`\n]*`",
    r"<<[^<>\n]*>>",
    r"(?s)\$\$.*?\$\$|\\\[.*?\\\]|\\\(.*?\\\)",
    r"\$[^$\n]*[\\^_{][^$\n]*\$",
    r"(?:https?|ftp|file)://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+",
    r"</?[a-zA-Z][^<>]*>",
    r"\\[a-zA-Z]+",
)
_MAY_HOLD_OTHER = r"[`<$\\@]|://|www\."
# A cited source: a line quoted with >, or text in quotation marks after a colon.
_CITED = (
    r"(?m)^[ \t]*>.*$",
    r'([:：]\s*)(?:"[^"\n]{20,2000}"|«[^«»\n]{20,2000}»|[„“][^„“”\n]{20,2000}[“”]|「[^「」\n]{10,2000}」)',
)
_MAY_CITE = r"[:：]\s*[\"«„“「]|>"
_MIN_LETTERS = 10  # that remain where a citation is removed


def prose_series(text: pl.Series) -> pl.Series:
    """Return the texts in NFC, without code, formulas, addresses, markup, digits, cited text and control
    characters; line ends stay.

    A line that begins with `>` is cited, and so is a longer text in quotation marks after a colon
    (`Translate: "…"`). It is removed if 10 letters remain without it.
    """
    if text.str.contains(_MAY_HOLD_OTHER).any():  # few texts do, and each pattern costs a pass
        for pattern in _NOT_PROSE:
            text = text.str.replace_all(pattern, " ")
    cites = text.str.contains(_MAY_CITE).fill_null(False)
    if cites.any():
        rest = text.filter(cites).str.replace_all(_CITED[0], " ").str.replace_all(_CITED[1], "$1 ")
        rest = rest.zip_with(rest.str.count_matches(r"\p{L}") >= _MIN_LETTERS, text.filter(cites))
        text = text.scatter(cites.arg_true(), rest) if len(text) > len(rest) else rest
    return composed_series(text).str.replace_all(r"[[\p{N}\p{Cc}]--[\n]]+|\u{FFFD}+", " ")
