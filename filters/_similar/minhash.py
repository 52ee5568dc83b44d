"""MinHash: sketches of sets, and keys that similar sets are likely to share.

Each of 112 hash functions maps a set to the smallest hash of its members. Two sets have the same smallest
hash with a probability equal to their Jaccard similarity, so the share of equal entries estimates it
(A. Broder, "On the resemblance and containment of documents", 1997). To find similar sets without comparing
all pairs, the entries are cut into bands; a hash of each band is a key. The lowest byte of each entry is kept
to check the pairs that share a key (P. Li and A. C. König, "b-Bit Minwise Hashing", 2010).
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glotmill.filters._text.hashing import U32, U64, mixed

HASHES = 112
MIN_RECALL = 0.85  # of pairs whose similarity is just the threshold


def signatures(flat: U32, counts: NDArray[np.intp]) -> U32:
    """Return the signature of each set, shape (sets, HASHES).

    flat: the members of all sets, one set after the other; counts: the size of each, at least 1.
    """
    minima = np.empty((len(counts), HASHES), np.uint32)
    if not len(counts):
        return minima
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.intp)
    hashed, shifted = np.empty_like(flat), np.empty_like(flat)
    for number, (factor, summand) in enumerate(_constants()):
        np.multiply(flat, factor, out=hashed)
        np.right_shift(hashed, np.uint32(15), out=shifted)
        np.bitwise_xor(hashed, shifted, out=hashed)
        np.multiply(hashed, np.uint32(0x2C1B3C6D), out=hashed)
        np.add(hashed, summand, out=hashed)
        minima[:, number] = np.minimum.reduceat(hashed, starts)
    return minima


def band_keys(signatures: U32, similarity: float, salt: U64) -> U64:
    """Return the keys of each signature, shape (sets, bands): sets of at least this similarity share one with
    a probability of MIN_RECALL or more, dissimilar ones rarely.

    salt: a number for each set; sets of different salt share no key.
    """
    return key_rows(signatures, bands(similarity), salt)


def key_rows(values: NDArray[Any], bands: tuple[int, int], salt: U64) -> U64:
    """Return a hash of each band of each row of values, shape (rows, bands)."""
    number, length = bands
    parts = values[:, : number * length].reshape(-1, number, length).astype(np.uint64)
    weights = mixed(np.arange(1, number * length + 1, dtype=np.uint64)) | np.uint64(1)
    keys = (mixed(parts + np.uint64(1)) * weights.reshape(number, length)).sum(axis=2, dtype=np.uint64)
    return mixed(keys + mixed(salt)[:, None] + weights[:number])


@cache
def bands(similarity: float, hashes: int = HASHES) -> tuple[int, int]:
    """Return the number of bands and their length: the longest that finds MIN_RECALL of such pairs."""
    options = [
        (hashes // length, length)
        for length in range(1, hashes + 1)
        if 1 - (1 - similarity**length) ** (hashes // length) >= MIN_RECALL
    ]
    return options[-1] if options else (hashes, 1)


@cache
def _constants() -> list[tuple[np.uint32, np.uint32]]:
    """Return an odd factor and a summand for each hash function."""
    numbers = mixed(np.arange(1, HASHES + 1, dtype=np.uint64) * np.uint64(0xD1342543DE82EF95))
    return [(np.uint32(int(n) >> 32 | 1), np.uint32(int(n) & 0xFFFFFFFF)) for n in numbers]
