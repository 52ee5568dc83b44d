"""Many texts as one array of code points: words, sentences and lines as numbers. A helper of filters.

What filters count needs no strings: two words are compared by keys. The key of a piece is a polynomial of its
letters, marks and digits in lower case, modulo 2 to the 64th, from sums over the whole array; so any cut of
the texts into pieces costs a few operations a piece. Two different words share a key by a chance of 1 in
10 to the 19th.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._text.words import UNSPACED, put_spaces

Places: TypeAlias = NDArray[np.int64]
Keys: TypeAlias = NDArray[np.uint64]
_WORD, _LETTER, _JOINER, _STOP, _UNSPACED = 1, 2, 4, 8, 16
_WEIGHTS = np.array([(kind & _WORD) + ((kind & _LETTER) << 31) for kind in range(32)], np.int64)
_LOWER_HALF = 0xFFFFFFFF
_SENTENCE_END = ".!?。！？।॥؟۔።…\n"
_AT_ONCE = 100_000  # characters: the arrays stay in the processor's cache
_REMEMBERED = 160  # parts: the words of some 20,000 texts of 700 characters, 100 MB
_PRIME = 0x9E3779B97F4A7C15
_TABLED = 0x20000  # beyond it there are ideographs, and signs that no word holds
_IDEOGRAPHS = slice(0x20000, 0x40000)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of texts, in order."""

    row: Places  # of the text
    key: Keys  # equal for pieces with the same letters, marks and digits
    chars: Places  # how many of those
    letters: Places


@dataclass(frozen=True, slots=True)
class Part:
    """Some texts, one after the other."""

    first: int  # number of the first text, among all that are measured
    height: int  # number of texts
    whole: str  # with a line end after each text
    ends: bytes  # of an array: where each text ends

    def codes(self) -> "Codes":
        """Return the texts as code points."""
        return _coded(self.whole, self.ends)

    def words(self) -> Pieces:
        """Return the words of the texts: runs of letters, marks and digits, with the joiners in them.

        They are remembered, as several filters ask for those of the same texts; callers do not write on them.
        """
        if len(self.whole) > 2 * _AT_ONCE:
            return self.codes().words()
        return _words(self.whole, self.ends)


@dataclass(frozen=True, slots=True)
class Codes:
    """The code points of some texts, one after the other, and what their characters are."""

    height: int  # number of texts
    ends: Places  # where each text ends; one more code point stands between two texts
    codes: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    counts: Places  # before each place: letters, marks and digits, and in the upper half letters
    held: NDArray[np.uint32]  # the letters, marks and digits alone
    sums: Keys

    def words(self) -> Pieces:
        """Return the words: runs of letters, marks and digits, with the joiners in them."""
        inside = np.concatenate([[False], self.kinds & (_WORD | _JOINER) != 0, [False]])
        bounds = np.flatnonzero(inside[1:] != inside[:-1])
        return self._pieces(bounds[::2], bounds[1::2], 1, 0)

    def sentences(self, letters: int) -> Pieces:
        """Return the sentences with so many letters, from their first letter on."""
        return self._between(self.kinds & _STOP != 0, letters)

    def lines(self, letters: int) -> Pieces:
        """Return the lines with so many letters, from their first letter on."""
        return self._between(self.codes == 10, letters)

    def paragraphs(self, letters: int) -> Pieces:
        """Return the paragraphs with so many letters, from their first letter on."""
        ends = self.codes == 10
        ends[1:] &= ends[:-1]
        ends[self.ends] = True
        return self._between(ends, letters)

    def runs(self, length: int) -> Places:
        """Return which texts may have a letter `length` times in a row, and a few others."""
        block = length // 2  # so long a run fills one, wherever blocks begin
        blocks = self.held[: len(self.held) // block * block].reshape(-1, block)
        same = np.flatnonzero((blocks == blocks[:, :1]).all(axis=1)) * block
        ends = self.counts[self.ends] & _LOWER_HALF
        return np.unique(np.searchsorted(ends, same, side="right"))

    def _between(self, ends: NDArray[np.bool_], letters: int) -> Pieces:
        bounds = np.flatnonzero(ends)
        begins = np.concatenate([[0], bounds[:-1] + 1])
        found = (self.counts[bounds] >> 32) - (self.counts[begins] >> 32) >= letters
        begins, bounds = begins[found], bounds[found]
        first = np.searchsorted(self.counts, ((self.counts[begins] >> 32) + 1) << 32) - 1
        return self._pieces(first, bounds, 1, letters)

    def _pieces(self, begins: Places, ends: Places, chars: int, letters: int) -> Pieces:
        """Return pieces with so many characters and letters."""
        before, after = self.counts[begins], self.counts[ends]
        a, b, long = before & _LOWER_HALF, after & _LOWER_HALF, (after >> 32) - (before >> 32)
        if not (kept := (b - a >= chars) & (long >= letters)).all():
            begins, a, b, long = begins[kept], a[kept], b[kept], long[kept]
        key = (self.sums[b] - self.sums[a]) * _powers(len(self.sums))[1][a]
        key ^= key >> np.uint64(29)
        until = np.searchsorted(begins, self.ends, side="right")  # pieces are many, texts few
        row = np.repeat(np.arange(self.height), np.diff(until, prepend=0))
        return Pieces(row, key * np.uint64(_PRIME), b - a, long)


def measured(text: pl.Series, measure: Callable[[Part], pl.DataFrame]) -> pl.DataFrame:
    """Measure texts, some at a time: a row for each. Null is measured as an empty text.

    Words of scripts without spaces are made to stand apart first.
    """
    text = text.fill_null("")
    lengths = text.str.len_chars().to_numpy().astype(np.int64)
    part = (np.cumsum(lengths + 1) - 1) // _AT_ONCE
    bounds = np.flatnonzero(np.diff(part, prepend=-1, append=-1))
    if not len(text):
        bounds = np.zeros(2, np.int64)  # one part without rows, for its columns
    texts = text.to_list()
    parts = [
        Part(a, b - a, "\n".join([*texts[a:b], ""]), (np.cumsum(lengths[a:b] + 1) - 1).tobytes())
        for a, b in pairwise(bounds.tolist())
    ]
    return pl.concat(map(measure, parts))


@lru_cache(maxsize=_REMEMBERED)
def _words(whole: str, ends: bytes) -> Pieces:
    return _coded(whole, ends).words()


@lru_cache(maxsize=1)  # the words and other pieces of a part are asked for one after the other
def _coded(whole: str, until: bytes) -> Codes:
    kind_of, lower_of = _tables()
    codes, ends = _code_points(whole), np.frombuffer(until, np.int64)
    kinds = kind_of[codes]
    if (unspaced := np.flatnonzero(kinds & _UNSPACED)).size:
        texts = [whole[a:b] for a, b in pairwise([0, *(ends + 1).tolist()])]
        rows = np.unique(np.searchsorted(ends, unspaced)).tolist()
        spaced = put_spaces(pl.Series([texts[row][:-1] for row in rows], dtype=pl.String))
        for row, text in zip(rows, spaced, strict=True):
            texts[row] = f"{text}\n"
        codes = _code_points("".join(texts))
        ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts))) - 1
        kinds = kind_of[codes]
    counts = np.zeros(codes.size + 1, np.int64)
    np.cumsum(_WEIGHTS[kinds], out=counts[1:])
    held = codes[(kinds & _WORD).view(np.bool_)]
    sums = np.zeros(held.size + 1, np.uint64)
    np.cumsum(lower_of[held] * _powers(held.size)[0][: held.size], out=sums[1:])
    return Codes(len(ends), ends, codes, kinds, counts, held, sums)


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _powers(size: int) -> tuple[Keys, Keys]:
    """At least so many powers of an odd number, and of its inverse."""
    return _computed_powers(1 << max(size, _AT_ONCE).bit_length())


@lru_cache(maxsize=2)
def _computed_powers(size: int) -> tuple[Keys, Keys]:
    inverse = pow(_PRIME, -1, 1 << 64)
    powers = (np.full(size, base, np.uint64) for base in (_PRIME, inverse))
    up, down = map(np.cumprod, powers)
    return up, down


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint8], Keys]:
    """What each code point is, and the lower case of those that words hold."""
    kinds = np.zeros(0x110000, np.uint8)
    categories = [unicodedata.category(chr(code))[0] for code in range(_TABLED)]
    of = {"L": _WORD | _LETTER, "M": _WORD, "N": _WORD}
    kinds[:_TABLED] = [of.get(category, 0) for category in categories]
    kinds[_IDEOGRAPHS] = _WORD | _LETTER
    assigned = [code for code in range(_IDEOGRAPHS.stop) if kinds[code]]
    letters = pl.Series([chr(code) for code in assigned], dtype=pl.String)
    kinds[np.array(assigned)[letters.str.contains(f"[{UNSPACED}]").to_numpy()]] |= _UNSPACED
    kinds[[0x200C, 0x200D]] = _JOINER
    kinds[[ord(sign) for sign in _SENTENCE_END]] |= _STOP
    lower = np.arange(_IDEOGRAPHS.stop, dtype=np.uint64)
    lower[:_TABLED] = [ord(chr(code).lower()[0]) if kinds[code] else code for code in range(_TABLED)]
    return kinds, lower
