"""Echo: a text that copies what it was given."""

from collections.abc import Sequence

import polars as pl

from glotmill.filters.text import items_series, joined_series, squeezed, units

_COPIED_WHOLE = 20  # characters from which a text that stands whole in another is a copy
_RUN, _RUN_UNSPACED = 8, 16  # words, or characters in scripts without spaces, that are not the same by chance
_FEWEST_RUNS = 8  # below it a share says nothing
_SPEAKER = r"\A\s*[^\s:：]{1,20}\s?[:：]\s"
_JUDGED = pl.Struct({"reason": pl.String, "share": pl.Float64})


def echo(text: pl.Expr, *, source: str = "prompt", max_share: float = 0.5) -> pl.Expr:
    """Keep texts that are not copied from the column `source`: a text, a list of texts, or turns.

    Dropped: a text equal to the source or to a line of it; one of 20 characters or more that stands whole in
    the source; one that holds a whole line of 20 characters or more of a source that is a list or turns (a
    persona's sentence, a turn of a demonstration); and one of whose runs of 8 words (16 characters in scripts
    without spaces) more than max_share stand in the source. Case, spaces and punctuation do not count. A row
    without a source is kept.
    -> reason: empty (null text), echo; share: of the runs, null where the text is too short for one.
    """
    rows = pl.struct(text.alias("text"), pl.col(source).alias("source"))
    return rows.map_batches(lambda batch: _judge(batch, max_share), return_dtype=_JUDGED, is_elementwise=True)


def _judge(batch: pl.Series, max_share: float) -> pl.Series:
    column, source = batch.struct.field("text"), batch.struct.field("source")
    lines = items_series(source).list.join("\n").str.split("\n").alias("lines")
    frame = pl.DataFrame([joined_series(column).alias("text"), joined_series(source).alias("source")])
    frame = frame.select(
        squeezed(pl.col("text")),
        squeezed(pl.col("source")),
        units(pl.col("text")).alias("words"),
        units(pl.col("source")).alias("source_words"),
        lines.list.eval(squeezed(pl.element().str.replace(_SPEAKER, ""))),
    )
    listed = isinstance(source.dtype, pl.List)
    judged: list[dict[str, str | float | None]] = []
    for text, given, words, given_words, parts in frame.iter_rows():
        if text is None or not given:
            judged.append({"reason": "empty" if text is None else None, "share": None})
            continue
        share = _share(words, given_words)
        copied = (
            text == given
            or text in parts
            or (len(text) >= _COPIED_WHOLE and text in given)
            or (listed and any(len(part) >= _COPIED_WHOLE and part in text for part in parts))
            or (share is not None and share > max_share)
        )
        judged.append({"reason": "echo" if copied else None, "share": share})
    return pl.Series(judged, dtype=_JUDGED)


def _share(words: Sequence[str], given: Sequence[str]) -> float | None:
    """Share of the text's runs of words that stand in the source; None if there are too few."""
    size = _RUN if sum(map(len, words)) > 2.5 * len(words) else _RUN_UNSPACED
    runs = set(_runs(words, size))
    if len(runs) < _FEWEST_RUNS:
        return None
    return len(runs & set(_runs(given, size))) / len(runs)


def _runs(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[i:] for i in range(size)), strict=False))
