"""Drop texts with words of letters from two alphabets, or with letters of stray scripts."""

from functools import cache
from typing import NamedTuple

import polars as pl

from glotmill.filters._text.prose import prose_series
from glotmill.filters._text.words import joined_series
from glotmill.languages import table

NO_FAULT_REASONS = ("unknown_script",)

# ISO 15924 codes, and the scripts that text of each is written in; any other code stands for its own.
_WRITTEN_IN = {
    "Jpan": ("Hira", "Kana", "Hani"),
    "Hrkt": ("Hira", "Kana"),
    "Kore": ("Hang", "Hani"),
    "Hang": ("Hang", "Hani"),
    "Hans": ("Hani", "Bopo"),
    "Hant": ("Hani", "Bopo"),
    "Hanb": ("Hani", "Bopo"),
}
# Latin words stand inside the words of these: there are no spaces, or both prefixes and endings.
_OPEN = frozenset({"Hani", "Hira", "Hang", "Thai", "Laoo", "Khmr", "Mymr", "Tibt", "Ethi"})
_UNSPACED = _OPEN - {"Hang", "Ethi"}
_ENOUGH = r"(?s)(?:\p{L}[^\p{L}]*){10}"  # letters from which a share says something
_WORD = r"[\p{L}\p{M}]+"
_SLIP = 0.15  # of the words: one mixed word is more than a slip of the hand in up to six of them
_SYLLABLES = r"[\p{Hani}\p{Hira}\p{Kana}\p{Hang}]"  # no hand slips from an alphabet to these
# Greek letters that are typed where a keyboard lacks one of the language: the open o of Ewe, accented vowels.
_STAND_INS = "ͻϙὸὺὼὲὴὶάέήίόύώ"
_GREEK = rf"[\p{{Greek}}--[{_STAND_INS}]]{{2}}"
_JUDGED = pl.Struct({"reason": pl.String, "share": pl.Float64, "example": pl.String})


class _Rules(NamedTuple):
    foreign: str  # a letter that is neither of the script nor Latin nor Greek
    touching: str  # letters that make a word mixed
    word: str  # the same; group 1 is the word
    glued: str  # letters that are in no one's word together
    suspect: str  # in any text that holds one of these


def mixed_script(
    text: pl.Expr, *, language: str = "language", max_share: float = 0.1, max_mixed: float = 0.03
) -> pl.Expr:
    """Keep texts whose words are each of one script, and that are not strewn with letters of others.

    Dropped is a text with a character or syllable of East Asia in a word of an alphabet (`необходимо确`), or
    of whose words over max_mixed are mixed. A single mixed word is a slip of a human hand, unless it is over
    15 % of the words.

    A word is mixed if a letter of a third script stands beside one of the language's own, or if Latin letters
    stand inside it. Between Latin, Cyrillic, Greek and Armenian, which look alike, a Latin
    end (`Уэльc` with a Latin c) or a single letter (`oд`) is enough, and in Latin words any Cyrillic letter.
    Whole are words in capitals alone, a Latin name with an ending of the language (`CNNның`) or, elsewhere, a
    prefix, Greek letters in formulas, and Chinese characters, kana and Hangul beside each other. Where words
    have no spaces between them, only Latin beside Cyrillic counts.
    max_share: of letters of other scripts, Latin ones and single Greek ones aside; Latin words are judged by
    `script`. Below ten letters there is no share. Code, formulas and addresses are set aside. Any language
    whose tag names a script. language: the column of tags.
    -> reason: empty (null), unknown_script, mixed_script; share: of foreign letters; example: a mixed word,
    in texts that are kept too.
    Of 38,400 sentences and 7,680 paragraphs of NTREX-128 none is dropped; with a look-alike letter planted in
    one of ten words, every paragraph is, and 64 of 100 sentences (most others have one such word, a slip).
    """
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    return rows.map_batches(
        lambda batch: _judge(batch, max_share, max_mixed), return_dtype=_JUDGED, is_elementwise=True
    )


def _judge(batch: pl.Series, max_share: float, max_mixed: float) -> pl.Series:
    text = prose_series(joined_series(batch.struct.field("text")))
    frame = pl.DataFrame(
        [text.alias("text"), batch.struct.field("language").str.extract(r"_([A-Z][a-z]{3})\b").alias("code")]
    ).with_row_index("place")
    parts = [_measured(part, code) for (code,), part in frame.group_by("code", maintain_order=True)]
    if not parts:
        return pl.Series([], dtype=_JUDGED)
    frame = pl.concat(parts).sort("place")
    mixed = pl.col("mixed") > pl.max_horizontal(1.0, max_mixed * pl.col("words"))
    mixed |= (pl.col("mixed") > _SLIP * pl.col("words")) | pl.col("glued")
    reason = (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("empty"))
        .when(~pl.col("known"))
        .then(pl.lit("unknown_script"))
        .when(mixed | (pl.col("share") > max_share))
        .then(pl.lit("mixed_script"))
    )
    return frame.select(pl.struct(reason.alias("reason"), "share", "example")).to_series()


def _measured(part: pl.DataFrame, code: object) -> pl.DataFrame:
    """Rows of one script -> + share, example, mixed, words, glued, known."""
    rules = _rules(code) if isinstance(code, str) else None
    nothing = pl.lit(None, pl.Float64)
    frame = part.with_columns(share=nothing, mixed=nothing, words=nothing, known=pl.lit(rules is not None))
    frame = frame.with_columns(example=pl.lit(None, pl.String), glued=pl.lit(False))
    if rules is None:
        return frame
    # few texts have a letter that counts, and fewer a mixed word: only there are letters and words counted
    suspect = part["text"].str.contains(rules.suspect).fill_null(False)
    enough = pl.col("text").str.contains(_ENOUGH)
    clean, frame = frame.filter(~suspect).with_columns(share=pl.when(enough).then(0.0)), frame.filter(suspect)
    content = pl.col("text")
    foreign = content.str.count_matches(rules.foreign)
    if code != "Grek":  # one Greek letter is a formula's, two are a word's
        foreign += content.str.count_matches(_GREEK) * 2
    frame = frame.with_columns(share=pl.when(enough).then(foreign / content.str.count_matches(r"\p{L}")))
    touching = frame["text"].str.contains(rules.touching)
    mixed = frame.filter(touching).with_columns(
        mixed=content.str.count_matches(rules.word).cast(pl.Float64),
        words=content.str.count_matches(_WORD).cast(pl.Float64),
        glued=content.str.contains(rules.glued),
        example=content.str.extract(rules.word, 1).str.extract(rf"({_WORD})\z", 1),
    )
    return pl.concat([clean, frame.filter(~touching), mixed])


@cache
def _rules(code: str) -> _Rules | None:
    """The rules for text in a script; None if no language of the table is written in it."""
    if code not in {*_WRITTEN_IN, *(language.script for language in table())}:
        return None
    scripts = _WRITTEN_IN.get(code, (code,))
    own = "[" + "".join(rf"\p{{scx:{script}}}" for script in scripts) + "]"
    third = rf"[\p{{L}}--[{own}\p{{Latin}}\p{{Common}}\p{{Inherited}}]]"
    foreign = rf"[{third}--\p{{Greek}}]"
    touching = [] if code == "Cyrl" else [r"\p{Latin}\p{Cyrillic}", r"\p{Cyrillic}\p{Latin}"]
    if code == "Latn":
        touching += [rf"\p{{Latin}}{foreign}", rf"{foreign}\p{{Latin}}"]
        touching += [rf"\p{{Latin}}[\p{{Greek}}--[{_STAND_INS}]]+\p{{Latin}}"]
    elif scripts[0] not in _UNSPACED:
        touching += [rf"{own}\p{{M}}*{third}", rf"{third}\p{{M}}*{own}"]
    if code in ("Cyrl", "Grek", "Armn"):  # in capitals alone it is a slip in an abbreviation
        small = rf"[{own}&&\p{{Ll}}]"
        touching += [rf"{small}\p{{Latin}}", rf"{own}[\p{{Latin}}&&\p{{Ll}}]"]
        touching += [rf"(?:\A|[^\p{{L}}\p{{M}}])\p{{Latin}}{small}"]
    elif code != "Latn" and scripts[0] not in _OPEN:
        touching += [rf"{own}\p{{M}}*\p{{Latin}}+{own}"]
    union = "|".join(touching)
    word = rf"((?:{_WORD})?(?:{union})(?:{_WORD})?)"
    other = rf"[{third}&&{_SYLLABLES}]"
    glued = r"[^\s\S]" if scripts[0] in _UNSPACED else rf"{own}\p{{M}}*{other}|{other}{own}"
    suspects = [foreign, union, *([_GREEK] if code != "Grek" else [])]
    return _Rules(foreign, union, word, glued, "|".join(suspects))
