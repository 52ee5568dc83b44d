"""Mojibake: text that was decoded by the wrong table, and characters that stand for no text."""

import polars as pl

from glotmill.filters._text.words import joined_series

_SIGN = (
    r"\u{A0}-\u{BF}\u{D7}\u{F7}\u{192}\u{2B0}-\u{2DD}\u{384}\u{385}\u{2010}-\u{203A}"
    r"\u{20A0}-\u{20CF}\u{2100}-\u{214F}\u{2200}-\u{25FF}\u{FFFD}"
)
_LATIN = r"\u{C0}-\u{17F}\u{FB00}-\u{FB02}"
_CAPITAL = r"[[\u{C0}-\u{17E}Ґ]&&\p{Lu}]"
# Whatever ftfy finds bad holds one of these; few clean texts do, and only those that do are put to it.
_SUSPECT = "|".join(
    (
        r"[\u{80}-\u{9F}]",
        rf"[{_LATIN}{_SIGN}][{_SIGN}]",
        rf"[{_SIGN}][{_LATIN}]",
        rf"[{_LATIN}\p{{Greek}}\p{{Cyrillic}}]{_CAPITAL}",
        rf"[a-zA-Z][\p{{Greek}}\p{{Cyrillic}}Þ][{_SIGN}]",
        rf"[ВГРСΒΓΞΟβ][-{_SIGN}]",
        r"[Œœ](?:[^A-Za-z]|\z)",
        r"[ÃÂØÙ]\s",
        r"Ђ",
    )
)
# Private use, noncharacters, what stands for a lost character, and control characters but tab and newlines.
_LOST = (
    r"[\p{Co}\u{FFFC}-\u{FFFF}\u{FDD0}-\u{FDEF}\u{0}-\u{8}\u{B}\u{C}\u{E}-\u{1F}\u{7F}-\u{9F}]"
    r"|锟斤拷|烫烫烫|屯屯屯"
)
# Letters of living languages, and quotes set against a word, are no sign of mojibake: ƒ is a letter of Ewe.
_HARMLESS = str.maketrans({"ƒ": "f", "“": '"', "”": '"', "„": '"'})
_SEEN = 100_000  # characters of a suspect text that ftfy is given
_JUDGED = pl.Struct({"reason": pl.String, "badness": pl.Int64})


def mojibake(text: pl.Expr, *, max_badness: int = 0) -> pl.Expr:
    """Keep texts with at most max_badness signs of a wrong decoding.

    Counted are the sequences that ftfy finds unlikely (as in `cafÃ©` or `â€™`), and characters that carry no
    text: U+FFFD, private use, noncharacters, control characters other than tab and newlines. Emoji, joiners
    and direction marks are text. Lone surrogates cannot stand in a column of texts.
    Languages: text of any that was read as Latin-1, Windows-1250, 1252, 1254, 1257 or cp437, where it has
    letters beyond ASCII; read as Windows-1251 or Mac Roman, not of all; Chinese text only where it was lost
    (`锟斤拷`).
    -> reason: empty (null), mojibake; badness: the number of signs.
    Source: ftfy (Speer, 2019), its badness heuristic.
    """
    return text.map_batches(
        lambda batch: _judge(batch, max_badness), return_dtype=_JUDGED, is_elementwise=True
    )


def _judge(batch: pl.Series, max_badness: int) -> pl.Series:
    frame = pl.DataFrame({"text": joined_series(batch)})
    frame = frame.with_columns(
        badness=pl.col("text").str.count_matches(_LOST).cast(pl.Int64),
        suspect=pl.col("text").str.contains(_SUSPECT),
    )
    if frame["suspect"].any():
        frame = frame.with_columns(badness=pl.col("badness") + _unlikely(frame))
    reason = (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("empty"))
        .when(pl.col("badness") > max_badness)
        .then(pl.lit("mojibake"))
    )
    return frame.select(pl.struct(reason.alias("reason"), "badness")).to_series()


def _unlikely(frame: pl.DataFrame) -> pl.Series:
    from ftfy.badness import badness

    texts = frame.select(pl.when("suspect").then(pl.col("text").str.head(_SEEN).str.replace_all(_LOST, "")))
    return pl.Series(
        [badness(text.translate(_HARMLESS)) if text else 0 for text in texts.to_series()], dtype=pl.Int64
    )
