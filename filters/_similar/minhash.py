"""MinHash: sketches of sets, alike where the sets are, and keys that alike sets share. A helper of filters.

A. Broder, "On the resemblance and containment of documents", 1997; bytes for verification as in P. Li and
A. C. König, "b-Bit Minwise Hashing", 2010.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glotmill.filters._similar.shingles import U32, U64, mixed

HASHES = 112
LEAST_FOUND = 0.85  # of the pairs that are just as alike as asked for


def signatures(flat: U32, counts: NDArray[np.intp]) -> U32:
    """Return a row of HASHES numbers for each set: two share as many of them as they share members.

    flat: the members of all sets, one set after the other; counts: how many each has, at least 1.
    """
    made = np.empty((len(counts), HASHES), np.uint32)
    if not len(counts):
        return made
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.intp)
    hashed, shifted = np.empty_like(flat), np.empty_like(flat)
    for place, (factor, summand) in enumerate(_constants()):
        np.multiply(flat, factor, out=hashed)
        np.right_shift(hashed, np.uint32(15), out=shifted)
        np.bitwise_xor(hashed, shifted, out=hashed)
        np.multiply(hashed, np.uint32(0x2C1B3C6D), out=hashed)
        np.add(hashed, summand, out=hashed)
        made[:, place] = np.minimum.reduceat(hashed, starts)
    return made


def band_keys(signatures: U32, alike: float, salt: U64) -> U64:
    """Return a row of keys for each signature: two that are alike share one or more, others most often none.

    salt: a number each; signatures share keys only where it is equal.
    """
    return key_rows(signatures, bands(alike), salt)


def key_rows(values: NDArray[Any], bands: tuple[int, int], salt: U64) -> U64:
    """Return a row of keys for each row of values: one for each band of them."""
    number, length = bands
    parts = values[:, : number * length].reshape(-1, number, length).astype(np.uint64)
    weights = mixed(np.arange(1, number * length + 1, dtype=np.uint64)) | np.uint64(1)
    keys = (mixed(parts + np.uint64(1)) * weights.reshape(number, length)).sum(axis=2, dtype=np.uint64)
    return mixed(keys + mixed(salt)[:, None] + weights[:number])


@cache
def bands(alike: float, hashes: int = HASHES) -> tuple[int, int]:
    """Return the number of bands, and their length: the longest that finds LEAST_FOUND of such pairs."""
    fitting = [
        (hashes // length, length)
        for length in range(1, hashes + 1)
        if 1 - (1 - alike**length) ** (hashes // length) >= LEAST_FOUND
    ]
    return fitting[-1] if fitting else (hashes, 1)


@cache
def _constants() -> list[tuple[np.uint32, np.uint32]]:
    made = mixed(np.arange(1, HASHES + 1, dtype=np.uint64) * np.uint64(0xD1342543DE82EF95))
    return [(np.uint32(int(n) >> 32 | 1), np.uint32(int(n) & 0xFFFFFFFF)) for n in made]
