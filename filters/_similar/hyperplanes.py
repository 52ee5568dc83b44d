"""Hyperplanes: keys that vectors of nearly one direction share. A helper of filters.

M. Charikar, "Similarity estimation techniques from rounding algorithms", 2002.
"""

from functools import cache
from math import acos, pi

import numpy as np
from numpy.typing import NDArray

from glotmill.filters._similar.minhash import bands, key_rows
from glotmill.filters._similar.shingles import U64, mixed

PLANES = 1024
CHECKED = 256  # planes whose sides make the sketch


def sides(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return for each vector a row of 0 and 1: the side of each plane that it lies on."""
    return np.asarray(vectors @ _planes(vectors.shape[1]) > 0, np.uint8)


def equal_share(cosine: float) -> float:
    """Return the share of planes that have two vectors on the same side, by the cosine between them."""
    return 1 - acos(min(1.0, cosine)) / pi


def side_keys(sides: NDArray[np.uint8], cosine: float, salt: U64) -> U64:
    """Return a row of keys for each row of sides, as `minhash.band_keys` does for signatures."""
    return key_rows(sides, bands(equal_share(cosine), PLANES), salt)


@cache
def _planes(dimensions: int) -> NDArray[np.float32]:
    """Directions of 1 and -1 only, the same everywhere."""
    bits = mixed(np.arange(1, dimensions * PLANES + 1, dtype=np.uint64)) >> np.uint64(63)
    return (bits.astype(np.float32) * 2 - 1).reshape(dimensions, PLANES)
