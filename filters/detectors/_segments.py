"""Segments: texts cut into pieces of one or a few sentences, long enough to detect their language.

All texts are joined and become one array of code points; tables say what each character is to a sentence
(see `_text.scripts`). Where a sentence begins depends on the last solid character before a place and on the
spaces since: running maxima give both. Sentences then join until a piece has enough letters, by binary
search in the running sum of their weights.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glotmill.filters._text.scripts import (
    BREAK,
    COMMON,
    FULL_STOP,
    GAP,
    LATIN,
    LETTER,
    PHRASE,
    SPACE,
    STOP,
    clipped_points,
    kind_table,
    letter_weights,
    letters_by_script,
    script_table,
)

_MIN_WEIGHT = 30  # of a piece: the letters of 40 characters
_MIN_LAST_WEIGHT = 20  # of a piece that ends with its text


class Segments(NamedTuple):
    """Pieces of texts, an entry each, in order. Every piece has letters."""

    text: NDArray[np.intp]  # number of the text in which it begins
    pieces: list[str]
    letters: NDArray[np.intp]
    scripts: NDArray[np.intp]  # (pieces, scripts): its letters, by `letters_by_script`


def cut(texts: Sequence[str], row: NDArray[np.intp]) -> Segments:
    """Cut texts after sentences, and join sentences until a piece has 30 letters; fewer in dense scripts: 10
    Han characters, 15 Hangul or Ethiopic syllables.

    A sentence ends with a mark of its script (. ! ? … 。 । ۔ ؟ ። ། and others) or with the line; in Thai and
    Lao, with a space, unless a name in other letters follows. Texts of one row (the items of a list, turns)
    share a piece only if the first has under 20 letters. The last piece of a row may be shorter.

    row: for each text the number of its row; texts of a row stand together.
    """
    joined = "".join([f"{text}\n" for text in texts])
    points = clipped_points(joined)
    begins = np.flatnonzero(_sentence_begins(kind_table()[points]) | _script_switches(points))
    weight = np.concatenate(([0], np.cumsum(letter_weights()[points], dtype=np.intp)))[begins]
    ends = np.cumsum(np.fromiter((len(text) + 1 for text in texts), np.intp, len(texts)))
    text = np.searchsorted(ends, begins, side="right")
    heads = begins[_heads(weight, text, row[text])]
    text = np.searchsorted(ends, heads, side="right")
    piece = np.repeat(np.arange(len(heads)), np.diff(heads, append=len(points)))
    in_pieces = points[len(points) - len(piece) :]
    is_letter = kind_table()[in_pieces] & LETTER
    letters = np.bincount(piece, weights=is_letter, minlength=len(heads)).astype(np.intp)
    row_ends = ends[np.searchsorted(row, row[text], "right") - 1] - 1
    stops = np.minimum(np.append(heads[1:], len(points)), row_ends)
    kept = np.flatnonzero(letters)
    pieces = [joined[a:b] for a, b in zip(heads[kept].tolist(), stops[kept].tolist(), strict=True)]
    scripts = letters_by_script(in_pieces, piece, len(heads))[kept]
    return Segments(text[kept], pieces, letters[kept], scripts)


def _sentence_begins(kind: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return whether a sentence begins with each character. kind: by `kind_table`."""
    position = np.arange(1, len(kind) + 1, dtype=np.int32)  # a slice of texts has fewer characters
    solid: NDArray[np.bool_] = kind & GAP == 0
    last = _last_before(
        position * solid
    )  # position of the solid character before, from 1; 0 if there is none
    before = np.concatenate(([BREAK], kind))[last]
    spaced = _last_before(position * (kind & SPACE != 0)) > last
    broken = (_last_before(position * (kind & BREAK != 0)) > last) | (last == 0)
    ended = broken | (before & FULL_STOP != 0) | ((before & STOP != 0) & spaced)
    ended |= (before & kind & PHRASE != 0) & spaced
    begins: NDArray[np.bool_] = solid & ended & (broken | (kind & (STOP | LETTER) != STOP))
    return begins


def _script_switches(points: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return whether a long run of Latin letters among those of another script begins here, or has ended."""
    is_break = kind_table()[points] & BREAK != 0
    position = np.flatnonzero((script_table()[points] > COMMON) | is_break)
    latin = script_table()[points[position]] == LATIN
    begin = np.flatnonzero(latin[1:] != latin[:-1]) + 1  # of each run but the first
    size = np.diff(begin, append=len(position))
    long = latin[begin] & (size >= _MIN_LAST_WEIGHT)
    switches = np.zeros(len(points), bool)
    switches[position[begin[long]]] = True
    switches[position[begin[1:][long[:-1]]]] = True
    switches[is_break] = False
    return switches


def _last_before(position: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return for each entry the greatest one before it."""
    maxima: NDArray[np.int32] = np.concatenate((np.zeros(1, np.int32), np.maximum.accumulate(position)))
    return maxima[: len(position)]


def _heads(weight: NDArray[np.intp], text: NDArray[np.intp], row: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the sentences that begin a piece: the first of each row, then each first one behind enough
    letters.

    weight: of all that precedes each sentence. text, row: the numbers of its text and of its row.
    """
    following = np.searchsorted(weight, weight + _MIN_WEIGHT)
    firsts = np.flatnonzero(np.diff(text, prepend=-1))
    next_text = np.append(firsts, len(text))[np.searchsorted(weight[firsts], weight + _MIN_LAST_WEIGHT)]
    following = np.minimum(following, next_text)
    head = np.flatnonzero(np.diff(row, prepend=-1))
    heads = [head]
    while len(head):  # in all rows at once: from each head to the next one in the same row
        candidate = following[head]
        same = candidate < len(row)
        same[same] = row[candidate[same]] == row[head[same]]
        head = candidate[same]
        heads.append(head)
    return np.sort(np.concatenate(heads))
