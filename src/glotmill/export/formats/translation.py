"""Parallel texts, as the `Translation` feature of datasets: transformers' seq2seq scripts."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from glotmill.export.formats import select_columns
from glotmill.export.formats._shared.text_pairs import aligned_texts

ALIKE = False
SCHEMA = {"translation": pl.Struct}
EMPTY = "both texts are needed, in two languages"


def translation(
    rows: pl.DataFrame,
    *,
    source: str,
    target: str,
    source_language: str = "eng_Latn",
    columns: Sequence[str] = (),
) -> pl.DataFrame:
    """Return one pair of texts per row, keyed by language code: {"en": "...", "sw": "..."}.

    source, target: columns; the target is in the language of the row, the source in source_language. Codes
    are BCP 47: sw, zh, zh-Hant. Rows without one of the texts, and rows in the source language, are left out.
    rows: source, target -> id, language, translation, columns (without source and target).
    Each language is a separate config, since its rows have their own type.
    """
    first, second, pairs = aligned_texts(rows, source, target, source_language, "translation")
    table = select_columns(pairs, [c for c in columns if c not in (source, target)], "translation")
    if first == second:
        return table.insert_column(2, pl.Series("translation", [], pl.Struct({first: pl.String})))
    codes = sorted([(first, source), (second, target)])  # the order that datasets uses
    texts = pairs.select(pl.struct(pl.col(name).alias(code) for code, name in codes).alias("translation"))
    return table.insert_column(2, texts.to_series())


def features(schema: Any) -> Any:
    """Return the features of a file, with `translation` as a Translation."""
    from datasets import Features, Translation

    features = Features.from_arrow_schema(schema)
    features["translation"] = Translation(languages=list(features["translation"]))
    return features
