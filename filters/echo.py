"""Echo: a text that copies what it was given."""

from collections.abc import Sequence

import polars as pl

from glotmill.filters._text.words import UNSPACED, items_series, joined_series, squeezed

_COPIED_WHOLE = 20  # characters from which a text that stands whole in another is a copy
_RUN, _RUN_UNSPACED = 8, 16  # words, or characters in scripts without spaces, that are not the same by chance
_FEWEST_RUNS = 8  # below it a share says nothing
_SEEN = 50_000  # characters of each that are looked at
_SPEAKER = r"\A\s*[^\s:：]{1,20}\s?[:：]\s"
# Wide and narrow letters, ligatures and Arabic forms by place.
_SEVERAL_FORMS = (
    r"[\u{FF10}-\u{FF19}\u{FF21}-\u{FF3A}\u{FF41}-\u{FF5A}\u{FF66}-\u{FF9F}"
    r"\u{FB00}-\u{FDFB}\u{FE70}-\u{FEFC}]"
)
# Of no width; tatweel, and the vowel signs of Arabic and Hebrew.
_UNSEEN = r"[\u{AD}\u{200B}-\u{200F}\u{2060}\u{FEFF}\u{640}\u{64B}-\u{652}\u{591}-\u{5BD}]"
_JUDGED = pl.Struct({"reason": pl.String, "share": pl.Float64})


def echo(text: pl.Expr, *, source: str = "prompt", max_share: float = 0.5) -> pl.Expr:
    """Keep texts that are not copied from the column `source`: a text, a list of texts, or turns.

    Dropped: a text equal to the source or to a line of it; one of 20 characters or more that stands whole in
    the source; one that holds a whole line of 20 characters or more of a source that is a list or turns (a
    persona's sentence, a turn of a demonstration); and one of whose runs of 8 words (16 characters in scripts
    without spaces) more than max_share stand in the source. Case, spaces, punctuation, the width of letters
    and the vowel signs of Arabic and Hebrew do not count. A row without a source is kept. All languages; a
    copy in another script is not seen. The first 50,000 characters of each are looked at.
    -> reason: empty (null text), echo; share: of the runs, null where the text is too short for one.
    """
    rows = pl.struct(text.alias("text"), pl.col(source).alias("source"))
    return rows.map_batches(lambda batch: _judge(batch, max_share), return_dtype=_JUDGED, is_elementwise=True)


def _judge(batch: pl.Series, max_share: float) -> pl.Series:
    column, source = batch.struct.field("text"), batch.struct.field("source")
    frame = pl.DataFrame([_plain(joined_series(column), "text"), _plain(joined_series(source), "source")])
    frame = frame.select(squeezed(pl.col("text")), squeezed(pl.col("source")))
    frame = frame.hstack([_words(frame["text"]).alias("words"), _words(frame["source"]).alias("given")])
    inside = pl.col("source").str.contains(pl.col("text"), literal=True)
    short = pl.col("text").str.len_chars() < _COPIED_WHOLE
    listed = isinstance(source.dtype, pl.List)
    asked = pl.col("text").is_not_null() & (pl.col("source") != "")
    frame = frame.with_columns(
        asked.fill_null(False).alias("asked"),
        (inside & ~short).alias("whole"),
        _lines(
            source, frame.select((asked & (pl.lit(listed) | (inside & short))).fill_null(False)).to_series()
        ),
    )
    judged: list[tuple[str | None, float | None]] = []
    for text, _, words, given, asks, whole, parts in frame.iter_rows():
        if not asks:
            judged.append(("empty" if text is None else None, None))
            continue
        share, lines = _share(words, given), parts or ()
        copied = (
            whole
            or text in lines
            or (share is not None and share > max_share)
            or (listed and any(len(line) >= _COPIED_WHOLE and line in text for line in lines))
        )
        judged.append(("echo" if copied else None, share))
    return pl.DataFrame(judged, schema=_JUDGED.to_schema(), orient="row").to_struct()


def _plain(text: pl.Series, name: str) -> pl.Series:
    """One form of letters that come in several, without vowel signs and signs that cannot be seen."""
    text = text.str.slice(0, _SEEN)
    if text.str.contains(_SEVERAL_FORMS).any():
        text = text.str.normalize("NFKC")
    return text.str.replace_all(_UNSEEN, "").alias(name)


def _words(squeezed: pl.Series) -> pl.Series:
    """The words with spaces between them; in scripts without spaces, the characters."""
    if squeezed.str.contains(f"[{UNSPACED}]").any():
        squeezed = squeezed.str.replace_all(rf"([{UNSPACED}]\p{{M}}*)", " $1 ").str.replace_all("  +", " ")
    return squeezed


def _lines(source: pl.Series, wanted: pl.Series) -> pl.Series:
    """The lines of each source, without speakers, for the rows where they are wanted; a text may be one."""
    lines = _plain(items_series(source.filter(wanted)).list.join("\n"), "lines").str.split("\n")
    lines = lines.list.eval(squeezed(pl.element().str.replace(_SPEAKER, "")))
    none = pl.Series("lines", [None] * len(source), pl.List(pl.String))
    return (
        none.to_frame()
        .with_row_index("row")
        .update(pl.DataFrame([wanted.arg_true().alias("row"), lines.alias("lines")]), on="row")["lines"]
    )


def _share(words: str, given: str) -> float | None:
    """Share of the text's runs of words that stand in the source; None if there are too few."""
    own = words.split()
    size = _RUN if len(words) + 1 > 3.5 * len(own) else _RUN_UNSPACED
    if len(own) - size + 1 < _FEWEST_RUNS:
        return None
    half = size // 2  # a run holds one of the pieces of this length that begin each half + 1 words
    if not any(" ".join(own[i : i + half]) in given for i in range(0, len(own) - half + 1, half + 1)):
        return 0.0
    runs = set(_runs(own, size))
    return len(runs & set(_runs(given.split(), size))) / len(runs)


def _runs(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[i:] for i in range(size)), strict=False))
