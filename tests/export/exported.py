"""Finished runs to export, and what an export holds."""

from pathlib import Path
from typing import Any

import polars as pl
from finished import SAID, finished, rows

from glotmill.runner.run_folder import Run


def all_languages(folder: Path, count: int = 30, **options: Any) -> Run:
    """Rows in every language of SAID."""
    return finished(folder / "run", {tag: rows(tag, count) for tag in SAID}, **options)


def ids(folder: Path, tag: str = "*", split: str = "*") -> list[str]:
    """Return the ids that an export in parquet holds, in their order."""
    files = sorted(folder.glob(f"{tag}/{split}-*.parquet"))
    return [i for path in files for i in pl.read_parquet(path)["id"]]
