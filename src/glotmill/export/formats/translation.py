"""Texts with their translations, as datasets' `Translation`: transformers' seq2seq scripts."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from glotmill.export.formats import named
from glotmill.export.formats._shared.parallel import aligned

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
    """Return a pair of texts a row, by the codes of their languages: {"en": "...", "sw": "..."}.

    source, target: columns; the target is in the language of the row, the source in source_language. Codes
    are BCP 47: sw, zh, zh-Hant. Rows without one of the texts are left out, and languages
    that are the source's own.
    rows: source, target -> id, language, translation, columns (but source and target, which are in the pair).
    Each language is a config of its own.
    """
    first, second, both = aligned(rows, source, target, source_language, "translation")
    left = named(both, [c for c in columns if c not in (source, target)], "translation")
    if first == second:
        return left.insert_column(2, pl.Series("translation", [], pl.Struct({first: pl.String})))
    codes = sorted([(first, source), (second, target)])  # as datasets has them
    texts = both.select(pl.struct(pl.col(name).alias(code) for code, name in codes).alias("translation"))
    return left.insert_column(2, texts.to_series())


def features(schema: Any) -> Any:
    """Return the features of a file: those of its columns, and Translation."""
    from datasets import Features, Translation

    found = Features.from_arrow_schema(schema)
    found["translation"] = Translation(languages=list(found["translation"]))
    return found
