"""Hashes of texts."""

import polars as pl

from glotmill.filters._text.hashing import text_hashes


def test_a_hash_for_each_text_and_null_for_null() -> None:
    hashes = text_hashes(pl.Series(["a", None, "b", "a"]))
    assert hashes.dtype == pl.UInt64
    assert hashes[0] == hashes[3] == 4681665781835383343  # BLAKE2b of 8 bytes
    assert hashes[1] is None
    assert hashes[0] != hashes[2]


def test_no_texts() -> None:
    assert text_hashes(pl.Series([], dtype=pl.String)).dtype == pl.UInt64
