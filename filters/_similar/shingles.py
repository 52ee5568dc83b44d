"""Shingles: the runs of three words that a text is made of, as numbers. A helper of filters.

In scripts without spaces between words, Tibetan too, a letter or a vowel sign stands for a word.
"""

from collections.abc import Iterator
from functools import cache
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._text.words import UNSPACED

LONGEST = 200_000  # characters of a text that are looked at
_LAST = 0x32400  # code points from here on are letters of words
_SPACE, _WORD, _MARK, _SINGLE = 0, 1, 2, 3
_BETWEEN = r"^[\s\p{C}[\p{P}--[-−*/%#&@]]]"
_ODD = 0x9E3779B97F4A7C15

U32: TypeAlias = NDArray[np.uint32]
U64: TypeAlias = NDArray[np.uint64]


def shingles_of(texts: pl.Series) -> tuple[U32, NDArray[np.intp]]:
    """Return the shingles of texts one after the other, and how many each text has.

    Texts are lower case. What `text.squeezed` makes a space stands between words; a sign that it leaves is a
    word. A text of one or two words is one shingle; null and a text without words have none. Numbers are
    equal on every machine.
    """
    parts = [_of(part) for part in _parts(texts.fill_null("").str.slice(0, LONGEST))]
    if not parts:
        return np.zeros(0, np.uint32), np.zeros(0, np.intp)
    return np.concatenate([flat for flat, _ in parts]), np.concatenate([counts for _, counts in parts])


def mixed(numbers: U64) -> U64:
    """Return numbers in which every bit depends on every bit of the ones given."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _parts(texts: pl.Series) -> Iterator[list[str]]:
    """Yield texts in lists of about LONGEST characters."""
    part: list[str] = []
    size = 0
    for text in texts.to_list():
        if part and size + len(text) > LONGEST:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text) + 1
    if part:
        yield part


def _of(texts: list[str]) -> tuple[U32, NDArray[np.intp]]:
    codes = np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le"), np.uint32)
    kinds, values = _tables()
    kind = kinds[codes]
    before = np.concatenate([np.zeros(1, np.uint8), kind[:-1]])
    begins = (kind == _SINGLE) | ((kind == _WORD) & (before % 3 == 0)) | ((kind == _MARK) & (before == 0))
    at = np.flatnonzero(begins)
    if not len(at):
        return np.zeros(0, np.uint32), np.zeros(len(texts), np.intp)
    powers, inverses = _powers()
    words = np.add.reduceat(values[codes] * powers[: len(codes)], at) * inverses[at]
    ends = np.cumsum([len(text) + 1 for text in texts])
    return _runs(mixed(words), np.searchsorted(ends, at, side="right"), len(texts))


def _runs(words: U64, row: NDArray[np.intp], rows: int) -> tuple[U32, NDArray[np.intp]]:
    """Three words each, of one text."""
    padded = np.concatenate([words, np.zeros(2, np.uint64)])
    rows_padded = np.concatenate([row, [-1, -1]])
    second = np.where(rows_padded[1:-1] == row, padded[1:-1], 0)
    whole = rows_padded[2:] == row
    third = np.where(whole, padded[2:], 0)
    first_of_row = np.concatenate([[True], row[1:] != row[:-1]])
    run = (
        words * np.uint64(_ODD)
        + second * np.uint64(0xD6E8FEB86659FD93)
        + third * np.uint64(0xA0761D6478BD642F)
    )
    there = whole | first_of_row
    return (mixed(run[there]) >> np.uint64(32)).astype(np.uint32), np.bincount(row[there], minlength=rows)


@cache
def _tables() -> tuple[NDArray[np.uint8], U64]:
    """The kind of each code point, and a number for each; 0 for spaces."""
    known = pl.Series([chr(code) if not 0xD800 <= code < 0xE000 else " " for code in range(_LAST)])
    kinds = np.full(0x110000, _WORD, np.uint8)
    kinds[:_LAST] = _SINGLE
    for pattern, kind in ((r"^[\p{L}\p{N}]", _WORD), (r"^\p{M}", _MARK), (_BETWEEN, _SPACE)):
        kinds[:_LAST][known.str.contains(pattern).to_numpy()] = kind
    kinds[:_LAST][known.str.contains(rf"^[[{UNSPACED}\p{{Tibt}}]&&[\p{{L}}\p{{M}}]]").to_numpy()] = _SINGLE
    values = mixed(np.arange(1, 0x110001, dtype=np.uint64) * np.uint64(_ODD))
    values[kinds == _SPACE] = 0
    return kinds, values


@cache
def _powers() -> tuple[U64, U64]:
    """Powers of a number modulo 2**64, and of its inverse, as many as a part has characters."""
    base = 0x5851F42D4C957F2D
    many = np.full(LONGEST + 2, base, np.uint64)
    inverse = np.full(LONGEST + 2, pow(base, -1, 2**64), np.uint64)
    many[0] = inverse[0] = 1
    return np.cumprod(many), np.cumprod(inverse)
