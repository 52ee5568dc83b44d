"""Drop texts copied from their source or prompt."""

from collections.abc import Sequence
from difflib import SequenceMatcher

import polars as pl

from glotmill.filters._text.words import UNSPACED, items_series, joined_series, squeezed, weighted_chars

_MIN_CHARS = 20  # a text of this length that appears verbatim in another is a copy; so is a line, by weight
_RUN, _RUN_UNSPACED = 8, 16  # words, or characters of scripts without spaces, that do not recur by chance
_MIN_RUNS = 8  # with fewer, a share is meaningless
_MIN_WORDS, _MIN_UNSPACED = 4, 8  # of a text that may nearly equal a line
_NEAR = 0.8  # twice the words in common, in order, by the words of both
_QUESTION = r"[?？؟;՞፧⸮]\s*\z"
_MAX_CHARS = 50_000  # of each text that are compared
_SPEAKER = r"\A\s*[^\s:：]{1,20}\s?[:：]\s"
# Full-width and half-width characters, ligatures, and positional forms of Arabic letters.
_COMPATIBILITY = (
    r"[\u{FF10}-\u{FF19}\u{FF21}-\u{FF3A}\u{FF41}-\u{FF5A}\u{FF66}-\u{FF9F}"
    r"\u{FB00}-\u{FDFB}\u{FE70}-\u{FEFC}]"
)
# Zero-width characters, tatweel, and the vowel signs of Arabic and Hebrew.
_IGNORED = r"[\u{AD}\u{200B}-\u{200F}\u{2060}\u{FEFF}\u{640}\u{64B}-\u{652}\u{591}-\u{5BD}]"
_VERDICT = pl.Struct({"reason": pl.String, "share": pl.Float64})


def echo(text: pl.Expr, *, source: str = "prompt", max_share: float = 0.5) -> pl.Expr:
    """Keep texts that are not copied from the column `source`.

    Drops a text that equals the source or one of its lines; a text of 20 or more characters that appears
    verbatim in the source; a text that contains a line of 20 or more characters of a source that is a list or
    a dialogue (a sentence of a persona, a turn of a demonstration), a Chinese character or kana counted as
    three; and a text that shares more than `max_share` of its runs of 8 words (16 characters in scripts
    without spaces) with the source. A shorter text, of 4 to 14 words (8 to 22 characters), is dropped if it
    nearly equals the source or a line: 80 % of the words in the same order. A sentence that is no question
    does not nearly equal one: it may be the answer. Case, spaces, punctuation, full-width forms and the vowel
    signs of Arabic and Hebrew are ignored. Rows without a source are kept. Covers all languages; a copy in
    another script is not recognized. Compares the first 50,000 characters of each.

    Options:
        source: column with the text that may be copied: a text, a list of texts, or a dialogue.
        max_share: highest share (0 to 1) of runs in common with the source.
    Reasons: empty (null text), echo.
    Adds `<column>_echo_share`: share of the runs in common, null for texts that are too short to have eight.
    Of 33,739 beginnings of sentences in 117 languages (NTREX-128; 5 to 14 words) with one word changed, added
    or left out, it drops 92 %; of 38,272 beginnings of the sentence behind, 0.07 % nearly equal the source.
    """
    rows = pl.struct(text.alias("text"), pl.col(source).alias("source"))
    return rows.map_batches(
        lambda batch: _verdicts(batch, max_share), return_dtype=_VERDICT, is_elementwise=True
    )


def _verdicts(batch: pl.Series, max_share: float) -> pl.Series:
    column, source = batch.struct.field("text"), batch.struct.field("source")
    frame = pl.DataFrame([_fold(joined_series(column), "text"), _fold(joined_series(source), "source")])
    frame = frame.select(squeezed(pl.col("text")), squeezed(pl.col("source")))
    frame = frame.with_columns(
        text_words=_space_characters(frame["text"]), source_words=_space_characters(frame["source"])
    )
    is_list = isinstance(source.dtype, pl.List)
    # Polars would make a regular expression of each text, which has a limit and is slow.
    pairs = frame.select("source", "text").iter_rows()
    contained = pl.lit(
        pl.Series([None if None in pair else pair[1] in pair[0] for pair in pairs], dtype=pl.Boolean)
    )
    short = pl.col("text").str.len_chars() < _MIN_CHARS
    comparable = (pl.col("text").is_not_null() & (pl.col("source") != "")).fill_null(False)
    few = pl.col("text_words").str.count_matches(" ") < _RUN_UNSPACED + _MIN_RUNS
    needs_lines = frame.select((comparable & (pl.lit(is_list) | (contained & short) | few)).fill_null(False))
    frame = frame.with_columns(
        comparable.alias("comparable"),
        (contained & ~short).alias("verbatim"),
        _lines(source, needs_lines.to_series()),
        asks=joined_series(column).str.contains(_QUESTION),
        source_asks=joined_series(source).str.contains(_QUESTION),
    )
    heavy = pl.element().filter(weighted_chars(pl.element()) >= _MIN_CHARS)
    frame = frame.with_columns(long_lines=pl.col("lines").list.eval(heavy) if is_list else None)
    verdicts: list[tuple[str | None, float | None]] = []
    for text, _, text_words, source_words, is_comparable, verbatim, lines, *asks, long in frame.iter_rows():
        if not is_comparable:
            verdicts.append(("empty" if text is None else None, None))
            continue
        share = _share(text_words, source_words)
        copied = (
            verbatim
            or (share is not None and share > max_share)
            or text in (lines or ())
            or any(line in text for line in long or ())
            or (share is None and asks[0] >= asks[1] and _is_near(text_words, lines or ()))
        )
        verdicts.append(("echo" if copied else None, share))
    return pl.DataFrame(verdicts, schema=_VERDICT.to_schema(), orient="row").to_struct()


def _fold(text: pl.Series, name: str) -> pl.Series:
    """Replace compatibility forms of letters; remove vowel signs and invisible characters."""
    text = text.str.slice(0, _MAX_CHARS)
    if text.str.contains(_COMPATIBILITY).any():
        text = text.str.normalize("NFKC")
    return text.str.replace_all(_IGNORED, "").alias(name)


def _space_characters(text: pl.Series) -> pl.Series:
    """Put a space around each character of scripts that put none between words."""
    if text.str.contains(f"[{UNSPACED}]").any():
        text = text.str.replace_all(rf"([{UNSPACED}]\p{{M}}*)", " $1 ").str.replace_all("  +", " ")
    return text


def _lines(source: pl.Series, selected: pl.Series) -> pl.Series:
    """The lines of each selected source without the names of speakers; null for other rows."""
    lines = _fold(items_series(source.filter(selected)).list.join("\n"), "lines").str.split("\n")
    lines = lines.list.eval(squeezed(pl.element().str.replace(_SPEAKER, "")))
    nulls = pl.Series("lines", [None] * len(source), pl.List(pl.String))
    return (
        nulls.to_frame()
        .with_row_index("row")
        .update(pl.DataFrame([selected.arg_true().alias("row"), lines.alias("lines")]), on="row")["lines"]
    )


def _is_near(text: str, lines: Sequence[str]) -> bool:
    """Whether the words of a short text are nearly those of a line. Lines have no spaces put in."""
    words = text.split()
    unspaced = len(text) + 1 <= 3.5 * len(words)
    if len(words) < (_MIN_UNSPACED if unspaced else _MIN_WORDS):
        return False
    for line in lines:
        line_words = list(line.replace(" ", "")) if unspaced else line.split()
        both = len(words) + len(line_words)
        if 2 * min(len(words), len(line_words)) >= _NEAR * both:
            matcher = SequenceMatcher(None, words, line_words, autojunk=False)
            if matcher.ratio() >= _NEAR:
                return True
    return False


def _share(text: str, source: str) -> float | None:
    """Share of the text's runs of words that appear in the source; None if it has too few runs."""
    words = text.split()
    size = _RUN if len(text) + 1 > 3.5 * len(words) else _RUN_UNSPACED
    if len(words) - size + 1 < _MIN_RUNS:
        return None
    # Any run contains one of the half runs that begin at every half + 1 words: without one, no run matches.
    half = size // 2
    if not any(" ".join(words[i : i + half]) in source for i in range(0, len(words) - half + 1, half + 1)):
        return 0.0
    runs = _runs(words, size)
    return len(runs & _runs(source.split(), size)) / len(runs)


def _runs(words: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return set(zip(*(words[i:] for i in range(size)), strict=False))
