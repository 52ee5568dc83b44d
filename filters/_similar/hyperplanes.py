"""Random hyperplanes: sketches of vectors, and keys that vectors of nearly one direction share.

A plane through the origin separates two vectors with a probability of their angle / pi. So the share of
planes that have both on one side tells the angle, as the share of equal minima tells the similarity of sets
in `minhash` (M. Charikar, "Similarity estimation techniques from rounding algorithms", 2002).
"""

from functools import cache
from math import acos, pi

import numpy as np
from numpy.typing import NDArray

from glotmill.filters._similar.minhash import bands, key_rows
from glotmill.filters._text.hashing import U64, mixed

PLANES = 1024
SKETCH_PLANES = 256  # planes whose sides make the sketch


def sides(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return 0 or 1 for each vector and plane, shape (vectors, PLANES): the side that the vector is on."""
    return np.asarray(vectors @ _planes(vectors.shape[1]) > 0, np.uint8)


def equal_share(cosine: float) -> float:
    """Return the expected share of planes that have two vectors on the same side, by their cosine."""
    return 1 - acos(min(1.0, cosine)) / pi


def side_keys(sides: NDArray[np.uint8], cosine: float, salt: U64) -> U64:
    """Return the keys of each row of sides, as `minhash.band_keys` does for signatures."""
    return key_rows(sides, bands(equal_share(cosine), PLANES), salt)


@cache
def _planes(dimensions: int) -> NDArray[np.float32]:
    """Return normals of -1 and 1 only, shape (dimensions, PLANES), the same on every machine."""
    bits = mixed(np.arange(1, dimensions * PLANES + 1, dtype=np.uint64)) >> np.uint64(63)
    return (bits.astype(np.float32) * 2 - 1).reshape(dimensions, PLANES)
