"""Parallel texts in two plain files, one text per line: `train.en-sw.en`, `train.en-sw.sw`."""

import polars as pl

from glotmill.export.formats._shared.text_pairs import aligned_texts

SUFFIX = "txt"
ALIKE = False
EMPTY = "both texts are needed, in two languages"


def mt_lines(
    rows: pl.DataFrame, *, source: str, target: str, source_language: str = "eng_Latn"
) -> pl.DataFrame:
    """Return two columns, written as one file each; line n of one translates line n of the other.

    source, target: columns; the target is in the language of the row, the source in source_language. Files
    are named by pair and code, as in fairseq, Marian and OPUS; codes are BCP 47: sw, zh, zh-Hant. Line breaks
    within a text become spaces. Rows without one of the texts, and rows in the source language, are left out.
    """
    first, second, pairs = aligned_texts(rows, source, target, source_language, "mt-lines")
    if first == second:
        return pl.DataFrame()
    pair = f"{first}-{second}"
    return pairs.select(pl.col(source).alias(f"{pair}.{first}"), pl.col(target).alias(f"{pair}.{second}"))
