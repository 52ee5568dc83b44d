"""Script of a text: whether it is written in the letters of the language asked for."""

from collections.abc import Iterable
from functools import cache

import polars as pl

from glotmill.filters.text import joined_series, prose_series

# ISO 15924 codes that stand for several scripts, and the one of them no text of some length is without.
_MIXED = {
    "Jpan": (("Hira", "Kana", "Hani"), ("Hira", "Kana")),
    "Hrkt": (("Hira", "Kana"), ()),
    "Kore": (("Hang", "Hani"), ("Hang",)),
    "Hans": (("Hani",), ()),
    "Hant": (("Hani",), ()),
    "Hanb": (("Hani", "Bopo"), ()),
}
_SINGLE = """
Adlm Arab Armn Bali Batk Beng Bopo Bugi Cakm Cans Cham Cher Copt Cyrl Deva Ethi Geor Goth Grek Gujr Guru Hang
Hani Hebr Hira Java Kana Khmr Knda Lana Laoo Latn Lepc Limb Mlym Mong Mtei Mymr Nkoo Olck Orya Osge Osma Rohg
Runr Saur Sinh Sund Syrc Talu Taml Tavt Telu Tfng Tglg Thaa Thai Tibt Vaii Yiii
"""
_JUDGED = pl.Struct({"reason": pl.String, "share": pl.Float64})
_LONG = 20  # letters from which a Japanese text has kana and a Korean one Hangul


def script(text: pl.Expr, *, language: str = "language", min_share: float = 0.4) -> pl.Expr:
    """Keep texts of which at least min_share of the letters are of the script in the language's tag.

    Code, formulas and addresses do not count; a text without letters is kept. Simplified and traditional
    Chinese are told apart by the characters that only one of GB 2312 and Big5 has.
    language: the column of tags such as `swh_Latn`.
    -> reason: empty (null), unknown_script, wrong_script; share: of the letters, null if there are none.
    """
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    return rows.map_batches(lambda batch: _judge(batch, min_share), return_dtype=_JUDGED, is_elementwise=True)


def _judge(batch: pl.Series, min_share: float) -> pl.Series:
    text = prose_series(joined_series(batch.struct.field("text")))
    frame = pl.DataFrame(
        [
            text.str.replace_all(r"\P{L}+", "").alias("letters"),
            batch.struct.field("language").str.extract(r"_([A-Z][a-z]{3})\b").alias("code"),
        ]
    )
    frame = frame.with_columns(
        pl.col("letters").str.len_chars().alias("all"),
        _count(_letters()).alias("own"),
        _count(_core()).alias("core"),
        _count({"Hans": _variant("gb2312"), "Hant": _variant("big5")}).alias("variant"),
        _count({"Hans": _variant("big5"), "Hant": _variant("gb2312")}).alias("other_variant"),
    )
    telling = pl.col("variant") + pl.col("other_variant")
    of_letters = pl.when(pl.col("all") > 0).then(pl.col("own") / pl.col("all"))
    of_telling = pl.when(telling > 0).then(pl.col("variant") / telling)
    frame = frame.with_columns(of_letters.alias("share"), of_telling.alias("telling_share"))
    reason = (
        pl.when(pl.col("letters").is_null())
        .then(pl.lit("empty"))
        .when(pl.col("own").is_null())
        .then(pl.lit("unknown_script"))
        .when(pl.col("share") < min_share)
        .then(pl.lit("wrong_script"))
        .when((pl.col("telling_share") < 0.5) | ((pl.col("all") >= _LONG) & (pl.col("core") == 0)))
        .then(pl.lit("wrong_script"))
    )
    return frame.select(pl.struct(reason.alias("reason"), "share")).to_series()


def _count(patterns: dict[str, str]) -> pl.Expr:
    """How many letters match the pattern for the row's script; null where there is none for it."""
    codes = pl.col("code").replace_strict(patterns, default=None, return_dtype=pl.String)
    return pl.col("letters").str.count_matches(codes)


@cache
def _letters() -> dict[str, str]:
    single = {code: _class((code,)) for code in _SINGLE.split()}
    return single | {code: _class(parts) for code, (parts, _) in _MIXED.items()}


@cache
def _core() -> dict[str, str]:
    return {code: _class(core) for code, (_, core) in _MIXED.items() if core}


def _class(codes: Iterable[str]) -> str:
    return "[" + "".join(rf"\p{{scx:{code}}}" for code in codes) + "]"


@cache
def _variant(charset: str) -> str:
    """A pattern for the Chinese characters that this one of the two charsets has and the other has not."""
    other = "big5" if charset == "gb2312" else "gb2312"
    han = "".join(map(chr, range(0x4E00, 0xA000)))
    only = set(han.encode(charset, "ignore").decode(charset)) - set(han.encode(other, "ignore").decode(other))
    return "[" + "".join(sorted(only)) + "]"
