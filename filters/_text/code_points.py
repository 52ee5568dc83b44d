"""Words, sentences and lines of many texts as hashes, in numpy.

Filters that count repetitions need no strings: two words are equal if their hashes are. Some 100,000
characters of texts are joined and become one array of code points. Running sums over it give, for any place,
how many letters stand before it, and (see `hashing`) the hash of any slice. So a word, a sentence or a
line costs a few array operations, however long it is. Letters, marks and digits count, in lower case.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._text.characters import ALL, ASSIGNED, MORE_HAN, categories, code_points, matching
from glotmill.filters._text.hashing import BASE, running_sums, slice_hashes
from glotmill.filters._text.words import UNSPACED, put_spaces

Places: TypeAlias = NDArray[np.int64]
Keys: TypeAlias = NDArray[np.uint64]
# What a code point is: bits.
_WORD, _LETTER, _JOINER, _STOP, _UNSPACED = 1, 2, 4, 8, 16
# Two counters in one number: word characters in the lower 32 bits, letters in the upper 32.
_WEIGHTS = np.array([(kind & _WORD) + ((kind & _LETTER) << 31) for kind in range(32)], np.int64)
_LOWER_HALF = 0xFFFFFFFF
_SENTENCE_END = ".!?。！？।॥؟۔።…\n"
_PART_SIZE = 100_000  # characters: the arrays stay in the processor's cache
_CACHED_PARTS = 160  # the words of some 20,000 texts of 700 characters, 100 MB
_IDEOGRAPHS = slice(MORE_HAN, 0x40000)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Words, sentences or lines of texts, an entry each, in order."""

    row: Places  # number of the text, from 0 within its part
    key: Keys  # a hash, equal for pieces with the same letters, marks and digits
    chars: Places  # number of letters, marks and digits
    letters: Places  # number of letters


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring texts, joined; hashable, so that their words can be cached."""

    first: int  # number of the first text, among all that are measured
    height: int  # number of texts
    text: str  # the texts, a line end after each
    ends: bytes  # an int64 array: where each text ends

    def codes(self) -> "Codes":
        """Return the texts as code points."""
        return _encode(self.text, self.ends)

    def words(self) -> Pieces:
        """Return the words of the texts: runs of letters, marks and digits, with the joiners in them.

        They are cached, since several filters ask for the words of the same texts: do not write to them.
        """
        if len(self.text) > 2 * _PART_SIZE:
            return self.codes().words()
        return _words(self.text, self.ends)


@dataclass(frozen=True, slots=True)
class Codes:
    """The code points of a part's texts. n: code points; m: those of them that are in words."""

    height: int  # number of texts
    ends: Places  # (height,): where each text ends, at its line end
    codes: NDArray[np.uint32]  # (n,)
    kinds: NDArray[np.uint8]  # (n,): bits
    counts: Places  # (n + 1,): before each place, word characters, and in the upper half letters
    word_codes: NDArray[np.uint32]  # (m,): letters, marks and digits alone
    sums: Keys  # (m + 1,): running sums of their lower case

    def words(self) -> Pieces:
        """Return the words: runs of letters, marks and digits, with the joiners in them."""
        inside = np.concatenate([[False], self.kinds & (_WORD | _JOINER) != 0, [False]])
        bounds = np.flatnonzero(inside[1:] != inside[:-1])
        return self._pieces(bounds[::2], bounds[1::2], 1, 0)

    def sentences(self, letters: int) -> Pieces:
        """Return the sentences with at least so many letters, each from its first letter on."""
        return self._between(self.kinds & _STOP != 0, letters)

    def lines(self, letters: int) -> Pieces:
        """Return the lines with at least so many letters, each from its first letter on."""
        return self._between(self.codes == 10, letters)

    def paragraphs(self, letters: int) -> Pieces:
        """Return the paragraphs with at least so many letters, each from its first letter on."""
        ends = self.codes == 10
        ends[1:] &= ends[:-1]
        ends[self.ends] = True
        return self._between(ends, letters)

    def runs(self, length: int) -> Places:
        """Return the texts that may have a letter `length` times in a row: all that do, and a few others."""
        block = length // 2  # a run of that length fills one block, wherever it begins
        blocks = self.word_codes[: len(self.word_codes) // block * block].reshape(-1, block)
        same = np.flatnonzero((blocks == blocks[:, :1]).all(axis=1)) * block
        ends = self.counts[self.ends] & _LOWER_HALF
        return np.unique(np.searchsorted(ends, same, side="right"))

    def _between(self, ends: NDArray[np.bool_], letters: int) -> Pieces:
        bounds = np.flatnonzero(ends)
        begins = np.concatenate([[0], bounds[:-1] + 1])
        long = (self.counts[bounds] >> 32) - (self.counts[begins] >> 32) >= letters
        begins, bounds = begins[long], bounds[long]
        first = np.searchsorted(self.counts, ((self.counts[begins] >> 32) + 1) << 32) - 1
        return self._pieces(first, bounds, 1, letters)

    def _pieces(self, begins: Places, ends: Places, chars: int, letters: int) -> Pieces:
        """Return the slices from `begins` to `ends` that have at least so many characters and letters."""
        before, after = self.counts[begins], self.counts[ends]
        a, b, size = before & _LOWER_HALF, after & _LOWER_HALF, (after >> 32) - (before >> 32)
        kept = (b - a >= chars) & (size >= letters)
        if not kept.all():
            begins, a, b, size = begins[kept], a[kept], b[kept], size[kept]
        key = slice_hashes(self.sums, a, b)
        key ^= key >> np.uint64(29)
        last = np.searchsorted(begins, self.ends, side="right")  # pieces are many, texts few
        row = np.repeat(np.arange(self.height), np.diff(last, prepend=0))
        return Pieces(row, key * np.uint64(BASE), b - a, size)


def measured(text: pl.Series, measure: Callable[[Part], pl.DataFrame]) -> pl.DataFrame:
    """Call `measure` with part after part of the texts, and return its tables as one: a row per text.

    Null counts as an empty text.
    """
    text = text.fill_null("")
    lengths = text.str.len_chars().to_numpy().astype(np.int64)
    part = (np.cumsum(lengths + 1) - 1) // _PART_SIZE
    bounds = np.flatnonzero(np.diff(part, prepend=-1, append=-1))
    if not len(text):
        bounds = np.zeros(2, np.int64)  # one part without rows, for its columns
    texts = text.to_list()
    parts = [
        Part(a, b - a, "\n".join([*texts[a:b], ""]), (np.cumsum(lengths[a:b] + 1) - 1).tobytes())
        for a, b in pairwise(bounds.tolist())
    ]
    return pl.concat(map(measure, parts))


@lru_cache(maxsize=_CACHED_PARTS)
def _words(text: str, ends: bytes) -> Pieces:
    return _encode(text, ends).words()


@lru_cache(maxsize=1)  # a filter asks for the words, then for other pieces of the same part
def _encode(text: str, end_bytes: bytes) -> Codes:
    """Return a part as code points; words of scripts without spaces are separated first."""
    kind_table, lower_table = _tables()
    codes, ends = code_points(text), np.frombuffer(end_bytes, np.int64)
    kinds = kind_table[codes]
    if (unspaced := np.flatnonzero(kinds & _UNSPACED)).size:
        texts = [text[a:b] for a, b in pairwise([0, *(ends + 1).tolist()])]
        rows = np.unique(np.searchsorted(ends, unspaced)).tolist()
        spaced = put_spaces(pl.Series([texts[row][:-1] for row in rows], dtype=pl.String))
        for row, row_text in zip(rows, spaced, strict=True):
            texts[row] = f"{row_text}\n"
        codes = code_points("".join(texts))
        ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts))) - 1
        kinds = kind_table[codes]
    counts = np.zeros(codes.size + 1, np.int64)
    np.cumsum(_WEIGHTS[kinds], out=counts[1:])
    word_codes = codes[(kinds & _WORD).view(np.bool_)]
    return Codes(len(ends), ends, codes, kinds, counts, word_codes, running_sums(lower_table[word_codes]))


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint8], Keys]:
    """Return what each code point is, and the lower case of those that words hold."""
    kinds = np.zeros(ALL, np.uint8)
    major = categories().astype("U1")
    kinds[:MORE_HAN][np.isin(major, ["L", "M", "N"])] = _WORD
    kinds[:MORE_HAN][major == "L"] |= _LETTER
    kinds[_IDEOGRAPHS] = _WORD | _LETTER
    letters = np.flatnonzero(kinds[:ASSIGNED])
    kinds[letters[matching(f"[{UNSPACED}]", letters)]] |= _UNSPACED
    kinds[[0x200C, 0x200D]] = _JOINER
    kinds[[ord(sign) for sign in _SENTENCE_END]] |= _STOP
    lower = np.arange(_IDEOGRAPHS.stop, dtype=np.uint64)
    lower[:MORE_HAN] = [ord(chr(code).lower()[0]) if kinds[code] else code for code in range(MORE_HAN)]
    return kinds, lower
