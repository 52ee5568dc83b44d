"""How much of each text repeats: runs of words (n-grams) that occur more than once in it.

The measures of Gopher (Rae et al. 2021, arXiv 2112.11446, table A1), for many texts at once in numpy. A run
of n words can occur twice only if the runs of n - 1 words at its place and at the next one do: all pairs of
words are sorted once, and for longer runs only the few places that still qualify.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._text.code_points import Keys, Pieces, Places
from glotmill.filters._text.hashing import BASE

TOP, AGAIN = (2, 3, 4), (5, 6, 7, 8, 9, 10)
_FACTOR = np.uint64(BASE)


def ngram_shares(words: Pieces, height: int) -> pl.DataFrame:
    """Measure how much of each of `height` texts repeats -> a row per text, 0 where nothing does.

    top_2, top_3, top_4: share of the characters in the most frequent run of that many words, over all its
        places; the longest, if several are as frequent. A run that overlaps itself ("no no no") may exceed 1.
    again_5 to again_10: share of the characters in runs of that many words that occurred earlier in the
        text, each character counted once.
    runs: share of the runs of 5 words, by number, that occurred earlier.
    Characters are those of words: spaces and punctuation do not count.
    """
    row = words.row
    ends = np.concatenate([[0], np.cumsum(words.chars)])
    numbers = np.bincount(row, minlength=height)
    total = np.maximum(np.bincount(row, weights=words.chars, minlength=height), 1)
    names = [*(f"top_{n}" for n in TOP), *(f"again_{n}" for n in AGAIN), "runs"]
    shares = {name: np.zeros(height) for name in names}
    key = (words.key ^ row.astype(np.uint64)) * _FACTOR  # the same word in two texts has two keys
    position = np.flatnonzero(row[1:] == row[:-1])
    for n in range(2, AGAIN[-1] + 1):
        if not position.size:
            break
        previous = key[position]
        key[position] = (previous ^ (previous >> np.uint64(29)) ^ words.key[position + n - 1]) * _FACTOR
        first, later, times = _repeated(key, position)
        if n in TOP:
            chars = _most_frequent(row[first], times, ends[first + n] - ends[first], height)
            shares[f"top_{n}"] = chars / total
        elif later.size:
            inside = np.unique(later[:, None] + np.arange(n))
            shares[f"again_{n}"] = np.bincount(row[inside], words.chars[inside], height) / total
        if n == AGAIN[0]:
            shares["runs"] = np.bincount(row[later], minlength=height) / np.maximum(numbers - n + 1, 1)
        position = _candidates(np.concatenate([first, later]), row, n + 1)
    return pl.DataFrame(shares)


def _repeated(key: Keys, position: Places) -> tuple[Places, Places, Places]:
    """Return the first and the later places of keys that occur more than once, and for each first place how
    often its key occurs."""
    order = position[np.argsort(key[position])]
    same = key[order[1:]] == key[order[:-1]]
    twice = np.concatenate([same, [False]]) | np.concatenate([[False], same])
    order = np.sort(order[twice])
    order = order[np.argsort(key[order], kind="stable")]  # equal keys in order of place
    if not order.size:
        return order, order, order
    starts = np.concatenate([[True], key[order[1:]] != key[order[:-1]]])
    begins = np.flatnonzero(starts)
    return order[begins], order[~starts], np.diff(begins, append=order.size)


def _most_frequent(row: Places, times: Places, chars: Places, height: int) -> NDArray[np.float64]:
    """Return for each row the characters in all places of its most frequent run; of equals, the longest."""
    order = np.lexsort((chars, times))
    best = np.zeros(height)
    best[row[order]] = times[order] * chars[order]  # the last value written to a row stays
    return best


def _candidates(position: Places, row: Places, n: int) -> Places:
    """Return the places where a run of n words may occur twice: both runs of n - 1 words in it do."""
    twice = np.zeros(row.size + 1, np.bool_)
    twice[position] = True
    both = np.flatnonzero(twice[:-1] & twice[1:])
    both = both[both + n <= row.size]
    candidates: Places = both[row[both] == row[both + n - 1]]
    return candidates
