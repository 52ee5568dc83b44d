"""Runs of words that stand in a text more than once. A helper of filters.

After Rae et al. 2021 (Gopher, arXiv 2112.11446, table A1), for many texts at once in numpy. A run of n words
stands twice only if the runs of n-1 words at its place and at the next do: all pairs are sorted once, and for
longer runs only the few places still in question.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.filters._text.code_points import Keys, Pieces, Places

TOP, AGAIN = (2, 3, 4), (5, 6, 7, 8, 9, 10)
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def ngram_shares(words: Pieces, height: int) -> pl.DataFrame:
    """Measure how much of each of `height` texts is said again.

    top_2, top_3, top_4: share of the characters in the most frequent run of that many words (of equally
    frequent ones, the longest), all its places counted; 0 if none stands twice. Where it overlaps itself
    ("no no no") this can pass 1.
    again_5 to again_10: share of the characters in runs of that many words that stood before in the text,
    each character counted once.
    runs: share of the runs of 5 words, by number, that stood before.
    Characters are those of the words: spaces and punctuation count on neither side.
    """
    row = words.row
    ends = np.concatenate([[0], np.cumsum(words.chars)])
    numbers = np.bincount(row, minlength=height)
    total = np.maximum(np.bincount(row, weights=words.chars, minlength=height), 1)
    names = [*(f"top_{n}" for n in TOP), *(f"again_{n}" for n in AGAIN), "runs"]
    shares = {name: np.zeros(height) for name in names}
    key = (words.key ^ row.astype(np.uint64)) * _PRIME
    place = np.flatnonzero(row[1:] == row[:-1])
    for n in range(2, AGAIN[-1] + 1):
        if not place.size:
            break
        before = key[place]
        key[place] = (before ^ (before >> np.uint64(29)) ^ words.key[place + n - 1]) * _PRIME
        first, later, times = _groups(key, place)
        if n in TOP:
            shares[f"top_{n}"] = (
                _most_frequent(row[first], times, ends[first + n] - ends[first], height) / total
            )
        elif later.size:
            inside = np.unique(later[:, None] + np.arange(n))
            shares[f"again_{n}"] = np.bincount(row[inside], words.chars[inside], height) / total
        if n == AGAIN[0]:
            shares["runs"] = np.bincount(row[later], minlength=height) / np.maximum(numbers - n + 1, 1)
        place = _longer(np.concatenate([first, later]), row, n + 1)
    return pl.DataFrame(shares)


def _groups(key: Keys, place: Places) -> tuple[Places, Places, Places]:
    """First and later places of the keys that stand more than once, and how often each first one's does."""
    order = place[np.argsort(key[place])]
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
    """Per row, characters in all places of its most frequent run; of equals, the longest."""
    order = np.lexsort((chars, times))
    best = np.zeros(height)
    best[row[order]] = times[order] * chars[order]  # the last one written stays
    return best


def _longer(place: Places, row: Places, n: int) -> Places:
    """Places where a run of n words may stand twice: both runs of n-1 words in it do."""
    twice = np.zeros(row.size + 1, np.bool_)
    twice[place] = True
    found = np.flatnonzero(twice[:-1] & twice[1:])
    found = found[found + n <= row.size]
    longer: Places = found[row[found] == row[found + n - 1]]
    return longer
