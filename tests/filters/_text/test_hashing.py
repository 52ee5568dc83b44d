import numpy as np
import polars as pl
import pytest

from glotmill.filters._text import hashing
from glotmill.filters._text.hashing import BASE, mixed, running_sums, slice_hashes, text_hashes


def by_hand(values, base):
    return sum(value * base**place for place, value in enumerate(values)) % 2**64


@pytest.mark.parametrize("base", [BASE, 0x5851F42D4C957F2D])
def test_a_slice_hash_is_the_polynomial_of_its_values(base):
    values = np.random.default_rng(1).integers(0, 2**32, 50).astype(np.uint64)
    begins, ends = np.array([0, 3, 10, 49, 7]), np.array([50, 4, 30, 50, 7])
    hashes = slice_hashes(running_sums(values, base), begins, ends, base)
    assert hashes.tolist() == [by_hand(values[a:b].tolist(), base) for a, b in zip(begins, ends, strict=True)]


def test_equal_slices_have_equal_hashes_also_beyond_the_cached_powers(monkeypatch):
    values = np.tile(np.arange(1, 8, dtype=np.uint64), 1_000)
    begins = np.arange(0, 7_000, 7)
    whole = slice_hashes(running_sums(values), begins, begins + 7)
    assert len(set(whole.tolist())) == 1
    monkeypatch.setattr(hashing, "_SMALL", 1)
    monkeypatch.setattr(hashing, "_LARGE", 1)
    assert (slice_hashes(running_sums(values), begins, begins + 7) == whole).all()


def test_mixed_numbers_differ_in_half_of_their_bits():
    numbers = np.arange(1_000, dtype=np.uint64)
    bits = np.bitwise_count(mixed(numbers) ^ mixed(numbers ^ np.uint64(1)))
    assert 31 < bits.mean() < 33


def test_text_hashes_keep_nulls_and_order():
    hashes = text_hashes(pl.Series(["habari yako", None, "", "habari yako"]))
    assert hashes.dtype == pl.UInt64
    assert hashes.to_list()[:2] == [10648538223023796624, None]
    assert hashes[0] == hashes[3] != hashes[2]
    assert text_hashes(pl.Series([], dtype=pl.String)).dtype == pl.UInt64
