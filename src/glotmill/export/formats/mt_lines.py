"""Texts with their translations in two plain files, a text a line: `train.en-sw.en`, `train.en-sw.sw`."""

import polars as pl

from glotmill.export.formats._shared.parallel import aligned

SUFFIX = "txt"
ALIKE = False
EMPTY = "both texts are needed, in two languages"


def mt_lines(
    rows: pl.DataFrame, *, source: str, target: str, source_language: str = "eng_Latn"
) -> pl.DataFrame:
    """Return two columns, a file each: line n of one is the translation of line n of the other.

    source, target: columns; the target is in the language of the row, the source in source_language. Files
    are named by pair and code, as fairseq, Marian and OPUS do; codes are BCP 47: sw, zh, zh-Hant. Line breaks
    within a text become a space. Rows without one of the texts are left out, and languages that are the
    source's own.
    """
    first, second, both = aligned(rows, source, target, source_language, "mt-lines")
    if first == second:
        return pl.DataFrame()
    pair = f"{first}-{second}"
    return both.select(pl.col(source).alias(f"{pair}.{first}"), pl.col(target).alias(f"{pair}.{second}"))
