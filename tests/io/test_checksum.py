"""A checksum within a parquet file."""

import random
from pathlib import Path

import polars as pl
import pytest

from glotmill.io import checksum


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    path = tmp_path / "a.parquet"
    table = pl.DataFrame({f"column {n}": ["crc32:00000000", "é"] for n in range(40)})
    table.write_parquet(path, metadata={"a": "1", "checksum": checksum.BLANK, "z": "2"})
    checksum.sign(path)
    assert pl.read_parquet(path).equals(table)
    return path


def test_every_flipped_bit_is_seen(signed: Path) -> None:
    assert checksum.is_intact(signed) is True
    whole = signed.read_bytes()
    mark = whole.rfind(b"crc32:")
    draw = random.Random(1)
    places = {*(draw.randrange(len(whole)) for _ in range(300)), 0, len(whole) - 1, mark + 6, mark + 13}
    for place in places - {*range(mark, mark + 6)}:  # within the mark there is none to compare with
        damaged = bytearray(whole)
        damaged[place] ^= 1 << draw.randrange(8)
        signed.write_bytes(damaged)
        assert not checksum.is_intact(signed), place


def test_a_file_without_a_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": ["x"]}).write_parquet(path)
    assert checksum.is_intact(path) is None
    with pytest.raises(ValueError, match="without a blank checksum"):
        checksum.sign(path)
