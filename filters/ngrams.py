"""Runs of words that stand in a text more than once. A helper of filters.

After Rae et al. 2021 (Gopher, arXiv 2112.11446, table A1), for many texts at once in numpy. A run of n words
stands twice only if the runs of n-1 words at its place and at the next do: all pairs are sorted once, and for
longer runs only the few places still in question.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

TOP, AGAIN = (2, 3, 4), (5, 6, 7, 8, 9, 10)
_FIELDS = [*(f"top_{n}" for n in TOP), *(f"again_{n}" for n in AGAIN), "runs"]
_AT_ONCE = 500_000  # words; bounds memory, and keeps sorts in the cache
_PRIME = np.uint64(0x9E3779B97F4A7C15)
Places = NDArray[np.int64]


def ngram_shares(words: pl.Series) -> pl.DataFrame:
    """Measure how much of each text is said again.

    words: a list of words a row; null counts as no words.
    top_2, top_3, top_4: share of the characters in the most frequent run of that many words (of equally
    frequent ones, the longest), all its places counted; 0 if none stands twice. Where it overlaps itself
    ("no no no") this can pass 1.
    again_5 to again_10: share of the characters in runs of that many words that stood before in the text,
    each character counted once.
    runs: share of the runs of 5 words, by number, that stood before.
    Characters are those of the words: spaces and punctuation count on neither side.
    """
    parts = [_measure(part) for part in _parts(words)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(_FIELDS, pl.Float64))


def _parts(words: pl.Series) -> Iterator[pl.Series]:
    ends = np.cumsum(words.list.len().fill_null(0).to_numpy())
    begin = 0
    while begin < len(words):
        limit = (ends[begin - 1] if begin else 0) + _AT_ONCE
        end = max(begin + 1, int(np.searchsorted(ends, limit, side="right")))
        yield words.slice(begin, end - begin)
        begin = end


def _measure(words: pl.Series) -> pl.DataFrame:
    height = len(words)
    numbers = words.list.len().fill_null(0).to_numpy()
    row = np.repeat(np.arange(height), numbers)
    flat = words.list.explode(empty_as_null=False, keep_nulls=False)
    hashes = flat.hash().to_numpy()
    ends = np.concatenate([[0], np.cumsum(flat.str.len_chars().to_numpy(), dtype=np.int64)])
    total = np.maximum(np.bincount(row, weights=np.diff(ends), minlength=height), 1)
    shares = {name: np.zeros(height) for name in _FIELDS}
    key = (hashes ^ row.astype(np.uint64)) * _PRIME
    place = np.flatnonzero(row[1:] == row[:-1])
    for n in range(2, AGAIN[-1] + 1):
        if not place.size:
            break
        key[place] = (key[place] ^ (key[place] >> np.uint64(29)) ^ hashes[place + n - 1]) * _PRIME
        first, later, times = _groups(key, place)
        if n in TOP:
            shares[f"top_{n}"] = (
                _most_frequent(row[first], times, ends[first + n] - ends[first], height) / total
            )
        elif later.size:
            shares[f"again_{n}"] = (
                np.bincount(row, weights=_covered(later, n, ends), minlength=height) / total
            )
        if n == AGAIN[0]:
            shares["runs"] = np.bincount(row[later], minlength=height) / np.maximum(numbers - n + 1, 1)
        place = _longer(np.concatenate([first, later]), row, n + 1)
    return pl.DataFrame(shares)


def _groups(key: NDArray[np.uint64], place: Places) -> tuple[Places, Places, Places]:
    """First and later places of the keys that stand more than once, and how often each first one's does."""
    order = place[np.argsort(key[place], kind="stable")]  # stable: equal keys stay in order of place
    starts = np.concatenate([[True], key[order[1:]] != key[order[:-1]]])
    begins = np.flatnonzero(starts)
    times = np.diff(begins, append=order.size)
    often = times > 1
    return order[begins[often]], order[~starts], times[often]


def _most_frequent(row: Places, times: Places, chars: Places, height: int) -> NDArray[np.float64]:
    """Per row, characters in all places of its most frequent run; of equals, the longest."""
    order = np.lexsort((chars, times))
    best = np.zeros(height)
    best[row[order]] = times[order] * chars[order]  # the last one written stays
    return best


def _covered(later: Places, n: int, ends: Places) -> Places:
    """Per word, its characters if it stands in a run of n that begins at one of the places, else 0."""
    change = np.zeros(ends.size, np.int64)
    np.add.at(change, later, 1)
    np.add.at(change, later + n, -1)
    inside = np.cumsum(change[:-1]) > 0
    return np.where(inside, np.diff(ends), 0)


def _longer(place: Places, row: Places, n: int) -> Places:
    """Places where a run of n words may stand twice: both runs of n-1 words in it do."""
    twice = np.zeros(row.size + 1, np.bool_)
    twice[place] = True
    found = np.flatnonzero(twice[:-1] & twice[1:])
    found = found[found + n <= row.size]
    longer: Places = found[row[found] == row[found + n - 1]]
    return longer
