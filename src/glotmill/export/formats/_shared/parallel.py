"""A text and its translation, with the codes of their languages. A helper of formats."""

import polars as pl

from glotmill import languages
from glotmill.errors import UsageError
from glotmill.export.formats import needed


def aligned(
    rows: pl.DataFrame, source: str, target: str, source_language: str, name: str
) -> tuple[str, str, pl.DataFrame]:
    """Return the codes of both languages, and the rows that have both texts.

    Codes are BCP 47, two letters where there are two (sw, zh, zh-Hant): what the scripts of transformers and
    the Hub use, and what `Helsinki-NLP/opus-mt-en-sw` is named by. Left out: rows where a text is null or
    blank, an equal pair that comes again in `rows` (samples, views), and all rows of the source's own
    language.
    Raises UsageError for columns that there are not or that are no texts, and for unknown languages.
    """
    for option, column in (("source", source), ("target", target)):
        needed(rows, column, name, f"name another with --set {option}=COLUMN")
        if rows.schema[column] != pl.String:
            raise UsageError(f"{name}: column {column!r} is {rows.schema[column]}, not a text")
    first = languages.find(source_language)
    second = languages.find(rows["language"][0])
    said = pl.col(source, target).str.strip_chars() != ""
    both = rows.filter(pl.all_horizontal(said) & pl.lit(first != second))
    both = both.unique([source, target], keep="first", maintain_order=True)
    return first.bcp47, second.bcp47, both
