"""Drop texts decoded with the wrong encoding (`cafÃ©`), or with lost characters."""

import polars as pl

from glotmill.filters._text.words import joined_series

PACKAGES = ("ftfy",)

_SIGN = (
    r"\u{A0}-\u{BF}\u{D7}\u{F7}\u{192}\u{2B0}-\u{2DD}\u{384}\u{385}\u{2010}-\u{203A}"
    r"\u{20A0}-\u{20CF}\u{2100}-\u{214F}\u{2200}-\u{25FF}\u{FFFD}"
)
_LATIN = r"\u{C0}-\u{17F}\u{FB00}-\u{FB02}"
_CAPITAL = r"[[\u{C0}-\u{17E}Ґ]&&\p{Lu}]"
# Every text that ftfy finds bad matches one of these, few clean texts do; only texts that do are given to it.
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
# Private use, noncharacters, replacement characters, and control characters except tab and newlines.
_LOST = (
    r"[\p{Co}\u{FFFC}-\u{FFFF}\u{FDD0}-\u{FDEF}\u{0}-\u{8}\u{B}\u{C}\u{E}-\u{1F}\u{7F}-\u{9F}]"
    r"|锟斤拷|烫烫烫|屯屯屯"
)
# Letters of living languages (Ewe writes ƒ) and quotation marks beside a word are not signs of mojibake.
_HARMLESS = str.maketrans({"ƒ": "f", "“": '"', "”": '"', "„": '"'})
_MAX_CHARS = 100_000  # of a suspect text that ftfy reads
_VERDICT = pl.Struct({"reason": pl.String, "badness": pl.Int64})


def mojibake(text: pl.Expr, *, max_badness: int = 0) -> pl.Expr:
    """Keep texts with few signs of a wrong encoding.

    Counts the sequences that ftfy finds improbable (`cafÃ©`, `â€™`) and the characters that carry no text:
    U+FFFD, private use, noncharacters, and control characters except tab and newlines. Emoji, joiners and
    direction marks count as text.

    Covers text of any language that was decoded as Latin-1, Windows-1250, 1252, 1254, 1257 or cp437, where it
    has letters beyond ASCII; some languages for Windows-1251 and Mac Roman; Chinese only where the text is
    lost (`锟斤拷`).

    Options:
        max_badness: highest number of such signs that is kept; human text has none.
    Reasons: empty (null), mojibake.
    Adds `<column>_mojibake_badness`: number of signs.
    Source: the badness heuristic of ftfy (Speer, 2019).
    """
    return text.map_batches(
        lambda batch: _verdicts(batch, max_badness), return_dtype=_VERDICT, is_elementwise=True
    )


def _verdicts(batch: pl.Series, max_badness: int) -> pl.Series:
    frame = pl.DataFrame({"text": joined_series(batch)})
    frame = frame.with_columns(
        badness=pl.col("text").str.count_matches(_LOST).cast(pl.Int64),
        suspect=pl.col("text").str.contains(_SUSPECT),
    )
    if frame["suspect"].any():
        frame = frame.with_columns(badness=pl.col("badness") + _badness(frame))
    reason = (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("empty"))
        .when(pl.col("badness") > max_badness)
        .then(pl.lit("mojibake"))
    )
    return frame.select(pl.struct(reason.alias("reason"), "badness")).to_series()


def _badness(frame: pl.DataFrame) -> pl.Series:
    """Number of improbable sequences in the suspect texts, 0 for others (rows: text, suspect)."""
    from ftfy.badness import badness

    texts = frame.select(
        pl.when("suspect").then(pl.col("text").str.head(_MAX_CHARS).str.replace_all(_LOST, ""))
    ).to_series()
    return pl.Series([badness(text.translate(_HARMLESS)) if text else 0 for text in texts], dtype=pl.Int64)
