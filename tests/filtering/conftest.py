"""What all tests of `glotmill filter` find."""

from pathlib import Path

import pytest

from glotmill.filtering import process_parts
from glotmill.io.rows import text_blocks

OWN = """
import os, signal
import polars as pl

def deadly(text):
    def die(series):
        if (series == "bomb").any():
            os.kill(os.getpid(), signal.SIGKILL)
        return pl.Series([None] * len(series), dtype=pl.String)
    return text.map_batches(die, return_dtype=pl.String, is_elementwise=True)

def ranked(text):
    return pl.when(text.rank() > 3).then(pl.lit("not_best"))
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder_filters.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_blocks, "ROWS", 3)
    monkeypatch.setattr(process_parts, "PART_ROWS", 7)
