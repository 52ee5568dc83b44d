"""Spellings of one word that look alike become one. A helper of filters."""

import polars as pl

# Signs that change no word: of zero width, soft hyphens, the stretched line of Arabic.
_UNSEEN = r"[\u{AD}\u{200B}-\u{200D}\u{2060}\u{FEFF}\u{640}]"
# Vowel signs that most Arabic and Hebrew texts leave out, and signs of recitation.
_POINTS = (
    r"[\u{64B}-\u{65F}\u{670}\u{6D6}-\u{6DC}\u{6DF}-\u{6E4}\u{6E7}\u{6E8}\u{6EA}-\u{6ED}"
    r"\u{591}-\u{5BD}\u{5BF}\u{5C1}\u{5C2}\u{5C4}\u{5C5}\u{5C7}]"
)
_LETTERS = {"[أإآٱ]": "ا", "[ىی]": "ي", "[کڪ]": "ك"}
_CHILLU = {"ണ്": "ൺ", "ന്": "ൻ", "ര്": "ർ", "ല്": "ൽ", "ള്": "ൾ", "ക്": "ൿ"}  # Malayalam, before a joiner
_MAY_HOLD_SUCH = r"[\u{AD}\u{591}-\u{6ED}\u{200B}-\u{200D}\u{2060}\u{FEFF}]"


def folded(text: pl.Expr) -> pl.Expr:
    """Return the text composed (NFC), without joiners, soft hyphens, tatweel, harakat and niqqud, with one
    form of alef, of yeh and of kaf. Nuktas come out one way: NFC does that. Null stays null."""
    return text.map_batches(folded_series, return_dtype=pl.String, is_elementwise=True)


def folded_series(text: pl.Series) -> pl.Series:
    """Return what `folded` does, for values at hand."""
    text = text.str.normalize("NFC")
    if not text.str.contains(_MAY_HOLD_SUCH).any():
        return text
    for letter, chillu in _CHILLU.items():
        text = text.str.replace_all(f"{letter}\u200d", chillu, literal=True)
    text = text.str.replace_all(_UNSEEN, "").str.replace_all(_POINTS, "")
    for variants, letter in _LETTERS.items():
        text = text.str.replace_all(variants, letter)
    return text
