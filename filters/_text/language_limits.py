"""Limits and frequent words of each language, from quality.csv and stopwords.csv.

`tools/quality_limits.py` makes both files. A language without a row gets the loosest limits of the languages
in its script, or the loosest of all if its script has none. It has no stop words then, and the rule that
counts them is off.
"""

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import polars as pl

LIMITS, STOP_WORDS = Path(__file__).with_name("quality.csv"), Path(__file__).with_name("stopwords.csv")
ANY = "any"  # stands for a language (with a script) or for both
_SCRIPT = r"(_[A-Z][a-z]{3})\b"


def limits(language: pl.Series, *names: str) -> pl.DataFrame:
    """Return the named limits of each row's language, a column each."""
    table = _limits()
    frame = language.cast(pl.String).to_frame("language")
    script = ANY + pl.col("language").str.extract(_SCRIPT)
    return frame.select(
        pl.coalesce(
            pl.col("language").replace_strict(table[name], default=None, return_dtype=pl.Float64),
            script.replace_strict(table[name], default=None, return_dtype=pl.Float64),
            pl.lit(table[name][ANY]),
        ).alias(name)
        for name in names
    )


def limits_by_tag(tags: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the named limits of each language: tag -> name -> limit."""
    table = limits(pl.Series(tags, dtype=pl.String), *names)
    return dict(zip(tags, table.to_dicts(), strict=True))


def stop_words(language: pl.Series) -> pl.Series:
    """Return the most frequent words of each row's language, separated by spaces; null if none are known."""
    rows = language.cast(pl.String).to_frame("language")
    return rows.join(_stop_words(), on="language", how="left", maintain_order="left")["words"]


@cache
def _limits() -> dict[str, dict[str, float]]:
    limits: dict[str, dict[str, float]] = {}
    with LIMITS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            limits.setdefault(row["name"], {})[row["language"]] = float(row["value"])
    return limits


@cache
def _stop_words() -> pl.DataFrame:
    return pl.read_csv(STOP_WORDS, schema_overrides={"words": pl.String}).select("language", "words")
