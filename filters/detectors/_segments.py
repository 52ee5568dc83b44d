"""A text in pieces of a sentence or a few, long enough for their language to be told. A helper of filters."""

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
_MIN_ITEM = 20  # of a piece that ends with its text


class Segments(NamedTuple):
    """Pieces of texts, in order, an entry a piece. None is without letters."""

    text: NDArray[np.intp]  # the number of the text that it begins in
    pieces: list[str]
    letters: NDArray[np.intp]
    scripts: NDArray[np.intp]  # its letters, by script, as `letters_by_script` counts


def cut(texts: Sequence[str], row: NDArray[np.intp]) -> Segments:
    """Cut texts after sentences, and put sentences together until a piece has 30 letters; of dense scripts
    fewer: 10 Han characters, 15 Hangul or Ethiopic syllables.

    A sentence ends with a mark of its script (. ! ? … 。 । ۔ ؟ ። ། and others) or with the line; in Thai and
    Lao, with a space, but not with that before a name in other letters. Texts of one row (the items of a
    list, turns) share a piece only where the first has under 20 letters. The last piece of a row may be
    shorter.

    row: of each text, the number of its row; texts of a row stand together.
    """
    whole = "".join([f"{text}\n" for text in texts])
    signs = clipped_points(whole)
    begins = np.flatnonzero(_begins(kind_table()[signs]) | _switches(signs))
    weight = np.concatenate(([0], np.cumsum(letter_weights()[signs], dtype=np.intp)))[begins]
    ends = np.cumsum(np.fromiter((len(text) + 1 for text in texts), np.intp, len(texts)))
    text = np.searchsorted(ends, begins, side="right")
    heads = begins[_heads(weight, text, row[text])]
    text = np.searchsorted(ends, heads, side="right")
    of = np.repeat(np.arange(len(heads)), np.diff(heads, append=len(signs)))
    counted = signs[len(signs) - len(of) :]
    letters = np.bincount(of, weights=kind_table()[counted] & LETTER, minlength=len(heads)).astype(np.intp)
    stops = np.minimum(
        np.append(heads[1:], len(signs)), ends[np.searchsorted(row, row[text], "right") - 1] - 1
    )
    keep = np.flatnonzero(letters)
    pieces = [whole[a:b] for a, b in zip(heads[keep].tolist(), stops[keep].tolist(), strict=True)]
    return Segments(text[keep], pieces, letters[keep], letters_by_script(counted, of, len(heads))[keep])


def _begins(kind: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether a sentence begins with the character."""
    place = np.arange(1, len(kind) + 1, dtype=np.int32)  # so many characters are not cut at once
    solid: NDArray[np.bool_] = kind & GAP == 0
    last = _last(place * solid)  # the solid character before, from 1; 0: none
    before = np.concatenate(([BREAK], kind))[last]
    spaced = _last(place * (kind & SPACE != 0)) > last
    broken = (_last(place * (kind & BREAK != 0)) > last) | (last == 0)
    ended = broken | (before & FULL_STOP != 0) | ((before & STOP != 0) & spaced)
    ended |= (before & kind & PHRASE != 0) & spaced
    found: NDArray[np.bool_] = solid & ended & (broken | (kind & (STOP | LETTER) != STOP))
    return found


def _switches(signs: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether a run of many Latin letters among those of another script, or what follows it, begins here."""
    place = np.flatnonzero((script_table()[signs] > COMMON) | (kind_table()[signs] & BREAK != 0))
    latin = script_table()[signs[place]] == LATIN
    begin = np.flatnonzero(latin[1:] != latin[:-1]) + 1  # of each run but the first
    size = np.diff(begin, append=len(place))
    long = latin[begin] & (size >= _MIN_ITEM)
    found = np.zeros(len(signs), bool)
    found[place[begin[long]]] = True
    found[place[begin[1:][long[:-1]]]] = True
    found[kind_table()[signs] & BREAK != 0] = False
    return found


def _last(place: NDArray[np.int32]) -> NDArray[np.int32]:
    """The greatest place before each."""
    found: NDArray[np.int32] = np.concatenate((np.zeros(1, np.int32), np.maximum.accumulate(place)))
    return found[: len(place)]


def _heads(weight: NDArray[np.intp], text: NDArray[np.intp], row: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which sentences begin a piece: the first of each row, and then the first behind enough letters.

    weight: of all that stands before a sentence. text, row: the number of its text and of its row.
    """
    following = np.searchsorted(weight, weight + _MIN_WEIGHT)
    firsts = np.flatnonzero(np.diff(text, prepend=-1))
    next_text = np.append(firsts, len(text))[np.searchsorted(weight[firsts], weight + _MIN_ITEM)]
    following = np.minimum(following, next_text)
    at = np.flatnonzero(np.diff(row, prepend=-1))
    found = [at]
    while len(at):
        there = following[at]
        same = there < len(row)
        same[same] = row[there[same]] == row[at[same]]
        at = there[same]
        found.append(at)
    return np.sort(np.concatenate(found))
