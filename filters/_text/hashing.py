"""Hashes of texts and of slices of arrays, the same in every process and on every machine.

The hash of a slice is a polynomial of its values in an odd base, modulo 2**64 (Karp and Rabin, 1987):

    hash(v[a:b]) = v[a] + v[a+1] * base + ... + v[b-1] * base**(b-a-1)

`running_sums` adds up v[i] * base**i once for the whole array. A slice is then the difference of two sums,
divided by base**a, which an odd base allows modulo 2**64. Equal slices have equal hashes wherever they stand,
and two different ones share a hash with a probability of about 1 in 10**19. uint64 wraps around by itself.
"""

import hashlib
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

U32: TypeAlias = NDArray[np.uint32]
U64: TypeAlias = NDArray[np.uint64]

BASE = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio
_SMALL, _LARGE = 1 << 17, 1 << 21  # powers: computed at least, and cached at most


def running_sums(values: NDArray[Any], base: int = BASE) -> U64:
    """Return the sums of values[i] * base**i before each place: one entry more than there are values."""
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values * _powers(len(values), base)[0][: len(values)], dtype=np.uint64, out=sums[1:])
    return sums


def slice_hashes(sums: U64, begins: NDArray[np.integer], ends: NDArray[np.integer], base: int = BASE) -> U64:
    """Return the hash of each slice from a place in `begins` to the one in `ends`, by `running_sums`."""
    hashes: U64 = (sums[ends] - sums[begins]) * _powers(len(sums), base)[1][begins]
    return hashes


def mixed(numbers: U64) -> U64:
    """Return numbers whose every bit depends on all bits of the input (the finalizer of SplitMix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def text_hashes(texts: pl.Series) -> pl.Series:
    """Return the first 8 bytes of each text's BLAKE2b as a UInt64; null for null."""
    by_text: dict[str | None, int | None] = {None: None}
    for text in texts.unique().drop_nulls().to_list():
        by_text[text] = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return pl.Series([by_text[text] for text in texts.to_list()], dtype=pl.UInt64)


def _powers(size: int, base: int) -> tuple[U64, U64]:
    """Return at least `size` powers of the base, and of its inverse."""
    rounded = max(_SMALL, 1 << size.bit_length())  # few sizes, so that few are computed
    return _cached_powers(rounded, base) if rounded <= _LARGE else _compute_powers(rounded, base)


def _compute_powers(size: int, base: int) -> tuple[U64, U64]:
    powers, inverses = np.full(size, base, np.uint64), np.full(size, pow(base, -1, 1 << 64), np.uint64)
    powers[0] = inverses[0] = 1
    return np.cumprod(powers), np.cumprod(inverses)


_cached_powers = lru_cache(maxsize=4)(_compute_powers)
