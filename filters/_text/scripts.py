"""Characters of many texts at once, by number: whose script a letter is, where a sentence may end. A helper
of filters."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

LETTER, MARK, STOP, FULL_STOP, GAP, SPACE, BREAK, PHRASE = 1, 2, 4, 8, 16, 32, 64, 128
_STOPS = ".!?…|؟‼⁇⁈⁉"
_FULL_STOPS = "。！？｡।॥۔։፡።፧፨။។៕།༎᙮᭞᭟᱾᱿꧉᠃᠉"  # no space need follow
_END = 0x323B0  # of the Han characters; no letter comes after it
_MORE_HAN = 0x20000  # from here on all are
_SLICE = 2_000_000  # bytes
_SINGLE = """
Adlm Arab Armn Bali Batk Beng Bopo Bugi Cakm Cans Cham Cher Copt Cyrl Deva Ethi Geor Goth Grek Gujr Guru Hang
Hebr Hira Java Kana Khmr Knda Lana Laoo Latn Lepc Limb Mlym Mong Mtei Mymr Nkoo Olck Orya Osge Osma Rohg
Runr Saur Sinh Sund Syrc Talu Taml Tavt Telu Tfng Tglg Thaa Thai Tibt Vaii Yiii
"""
_SCRIPTS = _SINGLE.split()
_NONE, COMMON, _OTHER, _HAN, SIMPLIFIED, TRADITIONAL, _FIRST = range(7)
_NUMBER = _FIRST + len(_SCRIPTS)
LATIN = _FIRST + _SCRIPTS.index("Latn")
_PARTS = {  # ISO 15924 codes that stand for several scripts
    "Jpan": ("Hani", "Hira", "Kana"),
    "Hrkt": ("Hira", "Kana"),
    "Kore": ("Hani", "Hang"),
    "Hanb": ("Hani", "Bopo"),
    "Hans": ("Hani",),
    "Hant": ("Hani",),
}


def points(text: str) -> NDArray[np.intp]:
    """Return the code points of a text; all those above the last letter are one."""
    found = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
    return np.minimum(found, _END).astype(np.intp)


def slices(texts: pl.Series) -> Iterator[tuple[int, int]]:
    """Yield begin and end of slices of texts of some 2 MB, or of one text: what is worked on at once."""
    sizes = np.cumsum(texts.str.len_bytes().fill_null(0).to_numpy().astype(np.intp) + 100)
    begin = 0
    while begin < len(texts):
        before = sizes[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(sizes, before + _SLICE)))
        yield begin, end
        begin = end


def count(texts: Sequence[str]) -> NDArray[np.intp]:
    """Return what `per_script` does, of whole texts."""
    sizes = np.fromiter((len(text) + 1 for text in texts), np.intp, len(texts))
    signs = points("".join([f"{text}\n" for text in texts]))
    return per_script(signs, np.repeat(np.arange(len(texts)), sizes), len(texts))


def per_script(points: NDArray[np.intp], text: NDArray[np.intp], number: int) -> NDArray[np.intp]:
    """Return how many letters of each script each text has, weighed as by `weights`.

    text: of each code point, the number of its text, below `number`.
    """
    key = text * _NUMBER + scripts()[points]
    found = np.bincount(key, minlength=number * _NUMBER).reshape(number, _NUMBER)
    return found * _script_weights()


def of_script(script: str) -> NDArray[np.bool_]:
    """Return which columns of `per_script` are letters of a script (ISO 15924), none if it is not known;
    those of all scripts are in COMMON."""
    found = np.zeros(_NUMBER, bool)
    for part in _PARTS.get(script, (script,)):
        if part == "Hani":
            found[[_HAN, SIMPLIFIED, TRADITIONAL]] = True
        elif part in _SCRIPTS:
            found[_FIRST + _SCRIPTS.index(part)] = True
    return found


@cache
def kinds() -> NDArray[np.uint8]:
    """What each code point is to a sentence: LETTER, MARK and so on, added."""
    table = np.zeros(_END + 1, np.uint8)
    for point in range(_MORE_HAN):
        category = unicodedata.category(chr(point))
        if category[0] in "LM":
            table[point] = LETTER if category[0] == "L" else MARK
        elif category[0] == "Z":
            table[point] = GAP | SPACE
        elif category in ("Ps", "Pe", "Pi", "Pf", "Cf"):
            table[point] = GAP
    table[_MORE_HAN:_END] = LETTER
    table[0x0E00:0x0F00] |= PHRASE  # Thai and Lao: a space is all the mark there is
    table[[ord(mark) for mark in _STOPS]] = STOP
    table[[ord(mark) for mark in _FULL_STOPS]] = STOP | FULL_STOP
    table[[ord(mark) for mark in "\"'*_"]] = GAP
    table[ord("\n")] = GAP | SPACE | BREAK
    return table


@cache
def scripts() -> NDArray[np.uint8]:
    """The column of `per_script` of each code point."""
    table = np.zeros(_END + 1, np.uint8)
    table[_MORE_HAN:_END] = _HAN
    number = np.flatnonzero(kinds()[:_MORE_HAN] & (LETTER | MARK))
    letters = pl.Series([chr(point) for point in number])
    table[number] = _OTHER
    table[number[letters.str.contains(r"\p{sc:Zyyy}|\p{sc:Zinh}").to_numpy()]] = COMMON
    table[number[letters.str.contains(r"\p{sc:Hani}").to_numpy()]] = _HAN
    for column, script in enumerate(_SCRIPTS, _FIRST):
        table[number[letters.str.contains(rf"\p{{sc:{script}}}").to_numpy()]] = column
    han = "".join(map(chr, range(0x4E00, 0xA000)))
    simple, full = (set(han.encode(name, "ignore").decode(name)) for name in ("gb2312", "big5"))
    table[[ord(sign) for sign in simple - full]] = SIMPLIFIED
    table[[ord(sign) for sign in full - simple]] = TRADITIONAL
    return table


@cache
def weights() -> NDArray[np.uint8]:
    """How much each code point says: a letter or mark 1, a syllable of Hangul or Ethiopic 2, Han and kana
    3."""
    return _script_weights()[scripts()].astype(np.uint8)


@cache
def _script_weights() -> NDArray[np.intp]:
    found = np.ones(_NUMBER, np.intp)
    found[_NONE] = 0
    found[of_script("Kore") | of_script("Ethi")] = 2
    found[of_script("Jpan")] = 3
    return found
