"""Shingles: the set of runs of three words of a text, each as a number of 32 bits.

In scripts without spaces between words, Tibetan too, a letter or a vowel sign stands for a word.

Algorithm, for about 200,000 characters of texts at once: a table gives each code point a kind (does it begin
a word, go on with one, or separate words?) and a random number of 64 bits. A word is the polynomial hash of
its characters' numbers, a shingle a mix of three words of one text.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._text.characters import ALL, ASSIGNED, code_points, matching
from glotmill.filters._text.hashing import BASE, U32, U64, mixed, running_sums, slice_hashes
from glotmill.filters._text.words import UNSPACED

MAX_CHARS = 200_000  # of a text that are read, and of texts that are processed at once
_SPACE, _WORD, _MARK, _SINGLE = 0, 1, 2, 3  # separates; letter or digit; joins what it follows; one word
_SEPARATORS = r"^[\s\p{C}[\p{P}--[-−*/%#&@]]]"  # as in `words.squeezed`
_WORD_BASE = 0x5851F42D4C957F2D


def shingles_of(texts: pl.Series) -> tuple[U32, NDArray[np.intp]]:
    """Return the shingles of all texts, one text after the other, and the number of shingles of each text.

    Texts must be lower case. What `words.squeezed` turns into a space separates words; a sign that it keeps
    is a word. A text of one or two words is one shingle; null and a text without words have none. The numbers
    are equal on every machine.
    """
    parts = [_part_shingles(part) for part in _parts(texts.fill_null("").str.slice(0, MAX_CHARS))]
    if not parts:
        return np.zeros(0, np.uint32), np.zeros(0, np.intp)
    return np.concatenate([flat for flat, _ in parts]), np.concatenate([counts for _, counts in parts])


def _parts(texts: pl.Series) -> Iterator[list[str]]:
    """Yield the texts in lists of about MAX_CHARS characters."""
    part: list[str] = []
    size = 0
    for text in texts.to_list():
        if part and size + len(text) > MAX_CHARS:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text) + 1
    if part:
        yield part


def _part_shingles(texts: list[str]) -> tuple[U32, NDArray[np.intp]]:
    codes = code_points("\n".join([*texts, ""]))
    kinds, values = _tables()
    kind = kinds[codes]
    before = np.concatenate([np.zeros(1, np.uint8), kind[:-1]])
    after_word = (before == _WORD) | (before == _MARK)
    is_start = (kind == _SINGLE) | ((kind == _WORD) & ~after_word) | ((kind == _MARK) & (before == _SPACE))
    begins = np.flatnonzero(is_start)
    if not len(begins):
        return np.zeros(0, np.uint32), np.zeros(len(texts), np.intp)
    ends = np.append(begins[1:], len(codes))  # the separators between two words are zeros
    words = mixed(slice_hashes(running_sums(values[codes], _WORD_BASE), begins, ends, _WORD_BASE))
    text_ends = np.cumsum([len(text) + 1 for text in texts])
    return _triples(words, np.searchsorted(text_ends, begins, side="right"), len(texts))


def _triples(words: U64, row: NDArray[np.intp], rows: int) -> tuple[U32, NDArray[np.intp]]:
    """Return a hash for each three neighbouring words of a row; shorter rows have one hash.

    words, row: for each word its hash and the number of its row, below `rows`.
    """
    padded = np.concatenate([words, np.zeros(2, np.uint64)])
    padded_row = np.concatenate([row, [-1, -1]])
    second = np.where(padded_row[1:-1] == row, padded[1:-1], 0)
    is_full = padded_row[2:] == row
    third = np.where(is_full, padded[2:], 0)
    is_first = np.concatenate([[True], row[1:] != row[:-1]])
    triple = (
        words * np.uint64(BASE)
        + second * np.uint64(0xD6E8FEB86659FD93)
        + third * np.uint64(0xA0761D6478BD642F)
    )
    kept = is_full | is_first
    hashes = (mixed(triple[kept]) >> np.uint64(32)).astype(np.uint32)
    return hashes, np.bincount(row[kept], minlength=rows)


@cache
def _tables() -> tuple[NDArray[np.uint8], U64]:
    """Return the kind of each code point, and a number for each; 0 for separators."""
    points = np.arange(ASSIGNED)
    kinds = np.full(ALL, _WORD, np.uint8)
    kinds[:ASSIGNED] = _SINGLE
    for pattern, kind in ((r"^[\p{L}\p{N}]", _WORD), (r"^\p{M}", _MARK), (_SEPARATORS, _SPACE)):
        kinds[:ASSIGNED][matching(pattern, points)] = kind
    kinds[:ASSIGNED][matching(rf"^[[{UNSPACED}\p{{Tibt}}]&&[\p{{L}}\p{{M}}]]", points)] = _SINGLE
    values = mixed(np.arange(1, ALL + 1, dtype=np.uint64) * np.uint64(BASE))
    values[kinds == _SPACE] = 0
    return kinds, values
