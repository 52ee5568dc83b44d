"""Filtering as the tests do it."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.cli import main

FRENCH = "Le chat dort sur la chaise."


def jsonl(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def run_filter(source: object, out: Path, *more: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Filter, and return what was kept and what was not."""
    assert main(["filter", str(source), "-o", str(out), *more]) == 0
    kept, rejects = (pl.read_parquet(out / kind / "*.parquet") for kind in ("kept", "rejects"))
    return kept, rejects


def funnel(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "funnel.json").read_text())
    return found
