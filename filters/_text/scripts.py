"""The script of every letter of many texts, and the characters that end a sentence or a phrase.

`script_table` and `kind_table` have an entry for each code point, so that indexing them with the code points
of many joined texts classifies all characters at once; `letters_by_script` counts them with one bincount.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._text.characters import MORE_HAN, categories, code_points, matching
from glotmill.languages import COMBINED_SCRIPTS

# What a character is to a sentence: bits, added up in `kind_table`.
LETTER, MARK, STOP, FULL_STOP, GAP, SPACE, BREAK, PHRASE = 1, 2, 4, 8, 16, 32, 64, 128
_STOPS = ".!?…|؟‼⁇⁈⁉"
_FULL_STOPS = "。！？｡।॥۔։፡።፧፨။។៕།༎᙮᭞᭟᱾᱿꧉᠃᠉"  # no space need follow
_END = 0x323B0  # of the Han characters; no letter comes after it
_MAX_SLICE = 2_000_000  # bytes
_SINGLE = """
Adlm Arab Armn Bali Batk Beng Bopo Bugi Cakm Cans Cham Cher Copt Cyrl Deva Ethi Geor Goth Grek Gujr Guru Hang
Hebr Hira Java Kana Khmr Knda Lana Laoo Latn Lepc Limb Mlym Mong Mtei Mymr Nkoo Olck Orya Osge Osma Rohg
Runr Saur Sinh Sund Syrc Talu Taml Tavt Telu Tfng Tglg Thaa Thai Tibt Vaii Yiii
"""
_SCRIPTS = _SINGLE.split()
# Columns of the counts: no letter, letters of all scripts, of other scripts, three of Han, then _SCRIPTS.
_NONE, COMMON, _OTHER, _HAN, SIMPLIFIED, TRADITIONAL, _FIRST = range(7)
_COLUMNS = _FIRST + len(_SCRIPTS)
LATIN = _FIRST + _SCRIPTS.index("Latn")


def clipped_points(text: str) -> NDArray[np.intp]:
    """Return the code points of a text, for use as indices; all those above the last letter are one."""
    return np.minimum(code_points(text), _END).astype(np.intp)


def slices(texts: pl.Series) -> Iterator[tuple[int, int]]:
    """Yield begin and end of slices of some 2 MB of text, or of one longer text: they bound the memory."""
    sizes = np.cumsum(texts.str.len_bytes().fill_null(0).to_numpy().astype(np.intp) + 100)
    begin = 0
    while begin < len(texts):
        before = sizes[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(sizes, before + _MAX_SLICE)))
        yield begin, end
        begin = end


def count_letters(texts: Sequence[str]) -> NDArray[np.intp]:
    """Return the letters of each script in each text, as `letters_by_script` does."""
    sizes = np.fromiter((len(text) + 1 for text in texts), np.intp, len(texts))
    points = clipped_points("".join([f"{text}\n" for text in texts]))
    return letters_by_script(points, np.repeat(np.arange(len(texts)), sizes), len(texts))


def letters_by_script(points: NDArray[np.intp], text: NDArray[np.intp], number: int) -> NDArray[np.intp]:
    """Return how many letters of each script each text has, shape (number, scripts), weighted as by
    `letter_weights`.

    text: for each code point the number of its text, below `number`.
    """
    cell = text * _COLUMNS + script_table()[points]
    counts = np.bincount(cell, minlength=number * _COLUMNS).reshape(number, _COLUMNS)
    return counts * _script_weights()


def script_columns(script: str) -> NDArray[np.bool_]:
    """Return which columns of `letters_by_script` belong to a script (ISO 15924); none if it is unknown.

    Letters that all scripts share are in the column COMMON.
    """
    columns = np.zeros(_COLUMNS, bool)
    for part in COMBINED_SCRIPTS.get(script, (script,)):
        if part == "Hani":
            columns[[_HAN, SIMPLIFIED, TRADITIONAL]] = True
        elif part in _SCRIPTS:
            columns[_FIRST + _SCRIPTS.index(part)] = True
    return columns


@cache
def kind_table() -> NDArray[np.uint8]:
    """Return what each code point is to a sentence: LETTER, MARK and so on, added up."""
    table = np.zeros(_END + 1, np.uint8)
    category = categories()
    major = category.astype("U1")
    table[:MORE_HAN][major == "L"] = LETTER
    table[:MORE_HAN][major == "M"] = MARK
    table[:MORE_HAN][major == "Z"] = GAP | SPACE
    table[:MORE_HAN][np.isin(category, ["Ps", "Pe", "Pi", "Pf", "Cf"])] = GAP
    table[MORE_HAN:_END] = LETTER
    table[0x0E00:0x0F00] |= PHRASE  # Thai and Lao: a space is the only mark
    table[[ord(mark) for mark in _STOPS]] = STOP
    table[[ord(mark) for mark in _FULL_STOPS]] = STOP | FULL_STOP
    table[[ord(mark) for mark in "\"'*_"]] = GAP
    table[ord("\n")] = GAP | SPACE | BREAK
    return table


@cache
def script_table() -> NDArray[np.uint8]:
    """Return the column of `letters_by_script` of each code point."""
    table = np.zeros(_END + 1, np.uint8)
    table[MORE_HAN:_END] = _HAN
    letters = np.flatnonzero(kind_table()[:MORE_HAN] & (LETTER | MARK))
    table[letters] = _OTHER
    table[letters[matching(r"\p{sc:Zyyy}|\p{sc:Zinh}", letters)]] = COMMON
    table[letters[matching(r"\p{sc:Hani}", letters)]] = _HAN
    for column, script in enumerate(_SCRIPTS, _FIRST):
        table[letters[matching(rf"\p{{sc:{script}}}", letters)]] = column
    han = "".join(map(chr, range(0x4E00, 0xA000)))
    simple, full = (set(han.encode(name, "ignore").decode(name)) for name in ("gb2312", "big5"))
    table[[ord(sign) for sign in simple - full]] = SIMPLIFIED
    table[[ord(sign) for sign in full - simple]] = TRADITIONAL
    return table


@cache
def letter_weights() -> NDArray[np.uint8]:
    """Return how much each code point says: a letter or mark 1, a syllable of Hangul or Ethiopic 2, Han and
    kana 3."""
    return _script_weights()[script_table()].astype(np.uint8)


@cache
def _script_weights() -> NDArray[np.intp]:
    weights = np.ones(_COLUMNS, np.intp)
    weights[_NONE] = 0
    weights[script_columns("Kore") | script_columns("Ethi")] = 2
    weights[script_columns("Jpan")] = 3
    return weights
