"""Files of one split."""

import json
from pathlib import Path

import polars as pl
import pytest

from glotmill.export.split_files import write


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_json_has_no_nan_and_no_infinity(tmp_path: Path, suffix: str) -> None:
    inf, nan = float("inf"), float("nan")
    rows = [{"a": nan, "b": {"c": [1.5, -inf], "d": "NaN"}}, {"a": 0.5, "b": {"c": [], "d": "é"}}]
    assert write(tmp_path, "train", [pl.DataFrame(rows)], suffix, lambda schema: schema) == 2
    said = (tmp_path / f"train.{suffix}").read_text("utf-8")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    lines = [said] if suffix == "json" else said.splitlines()
    read = [json.loads(line, parse_constant=refuse) for line in lines]
    there = [{"a": None, "b": {"c": [1.5, None], "d": "NaN"}}, rows[1]]
    assert (read[0] if suffix == "json" else read) == there
    assert "é" in said
