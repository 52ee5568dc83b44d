"""Drop texts that stop in the middle."""

import polars as pl

from glotmill.filters._text.words import joined_series

NO_FAULT_REASONS = ("truncated",)

_CUT = ["length", "max_tokens", "max_output_tokens", "model_length"]  # finish reasons of the usual engines
_FENCE = r"(?m)^[\s>]*(?:```|~~~)"
_OPEN, _CLOSE = r"(\[{（［｛【〔〖⟨", r")\]}）］｝】〕〗⟩"
_NOT_PROSE = (
    r"(?s)```.*?```|~~~.*?~~~|`[^`\n]*`",
    r"(?s)\$\$.*?\$\$|\$[^$\n]+\$|\\\[.*?\\\]|\\\(.*?\\\)",
    r"(?:^|\s)[:;=]['’]?-?[(\[{]+",  # emoticons
    r"[\]\[][-+−∞\d\s.,;/a-z]{1,20}[\]\[]",  # ]0; 1[ and [0; 1[
    *[rf"[{_OPEN}][^{_OPEN}{_CLOSE}]*[{_CLOSE}]"] * 3,  # pairs of brackets of any kind, nested three deep
)
# Text in round brackets is short: one opened long before the end was forgotten, not cut off.
_OPEN_BRACKET = rf"[{_OPEN}][^{_CLOSE}]*[\p{{L}}\p{{N}}][^{_CLOSE}]*\z"
_OLD_BRACKET = rf"[(（][^{_OPEN}]*\z"
_MAX_BRACKET, _MAX_QUOTE = 120, 300  # characters from the end
# An opening quotation mark without any that closes it in some locale: »this« opens with what closes «that».
_OPEN_QUOTE = "|".join(
    (
        r"(?s)\A[^«»]*«(?:.*«)?[^«»]*\z|\A[^«»]*».*«[^«»]*»[^«»]*\z",
        r"„[^“”\"‟»]*\z",
        r"\A[^„]*(?:^|[\s(—–\p{Hani}：，。、！？])“[^„“”\"]*\z",
        r"「[^」』]*\z|『[^』]*\z|《[^》]*\z|〈[^〉]*\z",
        # " both opens and closes: the last of an odd number, before a word
        r"(?:^|[\s(—–])\"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Armenian}\p{Georgian}¿¡][^\"]*\z",
    )
)
_LAST_QUOTE = r"([«»„“”\"「『《〈][^«»„“”\"「『《〈]*)\z"
_HALF = r"[[\p{L}\p{M}\p{N}]--[\p{Thai}\p{Lao}]]\z"  # these scripts have no sign that ends a sentence
_MAY_BE_OPEN = rf"[{_OPEN}`~«„“「『《〈\"]"
_END = r"[\p{Sentence_Terminal}…‥｡።៖༎՜՞♪]"
_SENTENCE_BEFORE = rf"{_END}[\p{{Pe}}\p{{Pf}}\p{{Pi}}\"'“]*[\s\p{{Lo}}]"
# A complete ending: such a sign, and any quotation marks, brackets, marks and emoji after it.
_ENDED = (
    rf"(?:{_END}|[\p{{Thai}}\p{{Lao}}\p{{Tibetan}}]|\u{{1361}}|\p{{Armenian}}:|\p{{Extended_Pictographic}}|```)"
    r"[\p{Pe}\p{Pf}\p{Pi}\p{M}\p{Extended_Pictographic}\"'“*_`~\s\u{200D}]*\z"
)
_SENTENCE_END = rf"{_END}[\p{{Pe}}\p{{Pf}}\p{{Pi}}\"'“]*\z"
_VERDICT = pl.Struct({"reason": pl.String, "by": pl.String})


def truncated(text: pl.Expr, *, finish_reason: str = "", require_end: bool = False) -> pl.Expr:
    """Keep texts that do not stop in the middle.

    Drops a text that ends in an open code block; in an open bracket without the end of a sentence (a round
    bracket within the last 120 characters); or in half a sentence inside a quotation of up to 300 characters
    that follows a complete sentence, since a text of one sentence may quote what goes on elsewhere. Quotation
    marks are read as in any locale (« », » «, „ “, „ ”, “ ”, 「 」, 『 』, 《 》, and " before a word of
    Latin, Greek, Cyrillic, Armenian or Georgian letters), except those that look like an apostrophe. Code and
    formulas are ignored.

    Covers all languages. Drops 4 of 46,080 sentences and paragraphs of NTREX-128; of its pages cut inside
    round brackets 99 %, inside quotation marks 55 % (") to 82 % (“ ”).

    Options:
        finish_reason: column with the engine's finish reason, for tables that have one; `length` and its
            equivalents drop the row. A generate step needs no such option.
        require_end: also drop texts that do not end with a sign that ends a sentence, in scripts that have
            one. Headlines, list items and short answers do not have one.
    Reasons: empty (null), truncated.
    Adds `<column>_truncated_by`: finish_reason, code, bracket, quote or end.
    """
    finished = pl.col(finish_reason).cast(pl.String) if finish_reason else pl.lit(None, pl.String)
    return pl.struct(text.alias("text"), finished.alias("finished")).map_batches(
        lambda rows: _verdicts(rows, require_end), return_dtype=_VERDICT, is_elementwise=True
    )


def _verdicts(rows: pl.Series, require_end: bool) -> pl.Series:
    text = joined_series(rows.struct.field("text"))
    frame = pl.DataFrame({"text": text.str.replace(r"[\s\u{200B}\u{200E}\u{200F}\u{FEFF}]+\z", "")})
    # Few texts contain anything that could be open, and each pattern costs a pass.
    may_be_open = frame["text"].str.contains(_MAY_BE_OPEN).fill_null(False)
    opened = pl.Series("by", [None] * frame.height, pl.String)
    if may_be_open.any():
        opened = opened.scatter(may_be_open.arg_true(), _opened(frame["text"].filter(may_be_open)))
    no_end = pl.lit(require_end) & (pl.col("text") != "") & ~pl.col("text").str.contains(_ENDED)
    by = (
        pl.when(rows.struct.field("finished").str.to_lowercase().is_in(_CUT))
        .then(pl.lit("finish_reason"))
        .when(opened.is_not_null())
        .then(opened)
        .when(no_end)
        .then(pl.lit("end"))
    )
    reason = pl.when(pl.col("text").is_null()).then(pl.lit("empty")).when(by.is_not_null())
    return frame.select(
        pl.struct(reason.then(pl.lit("truncated")).alias("reason"), by.alias("by"))
    ).to_series()


def _opened(text: pl.Series) -> pl.Series:
    """What is open at the end of each text: code, bracket, quote or null."""
    prose = text
    for pattern in _NOT_PROSE:
        prose = prose.str.replace_all(pattern, " ")
    straight = prose.str.count_matches('"') % 2 == 1
    tail = prose.str.extract(_LAST_QUOTE)
    before = pl.select(pl.lit(prose).str.strip_suffix(pl.lit(tail).fill_null(""))).to_series()
    quote = (
        prose.str.contains(_HALF) & before.str.contains(_SENTENCE_BEFORE) & prose.str.contains(_OPEN_QUOTE)
    )
    quote &= tail.str.len_chars() <= _MAX_QUOTE
    bracket = prose.str.contains(_OPEN_BRACKET) & ~prose.str.contains(_SENTENCE_END)
    bracket &= ~(prose.str.extract(rf"({_OLD_BRACKET})").str.len_chars() > _MAX_BRACKET).fill_null(False)
    only_straight = ~prose.str.contains(r"[«„“「『《〈]")
    return pl.select(
        pl.when(text.str.count_matches(_FENCE) % 2 == 1)
        .then(pl.lit("code"))
        .when(bracket)
        .then(pl.lit("bracket"))
        .when(quote & (straight | ~only_straight))
        .then(pl.lit("quote"))
    ).to_series()
