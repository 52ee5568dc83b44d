"""Language of a text: whether it is the one asked for."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill import languages
from glotmill.errors import RecipeError
from glotmill.filters._text.prose import prose_series
from glotmill.filters._text.scripts import slices
from glotmill.filters._text.words import items_series, joined_series
from glotmill.filters.detectors import installed, load
from glotmill.filters.detectors._cascade import Pieces, ask, group, of_another
from glotmill.filters.detectors._english import english_parts
from glotmill.filters.detectors._segments import cut
from glotmill.filters.detectors._thresholds import threshold
from glotmill.filters.detectors._votes import votes
from glotmill.filters.script import share_of

NO_FAULT_REASONS = ("no_detector",)

POLICIES = ("group", "strict", "script")
UNJUDGED = ("error", "keep")
DETECTORS = ("pycld2", "py3langid")  # those of them that are installed, where none are named
_MIN_LETTERS = 10  # of a piece; fewer tell no language
_MIN_SCRIPT = 0.25  # of a piece; long runs of Latin are pieces of their own, and what stays is names
_LONG = 20  # letters from which a piece that no detector is sure of is held against the row
_CLEAR = 0.1  # below it a piece is clearly in another language or script
_ENGLISH = 0.15  # of max_foreign: English is what leaks into other languages, and hardly mistaken for them
_PARAGRAPH = 300  # letters from which a very language can be told from those like it
_FIELDS = {
    "reason": pl.String,
    "detected": pl.String,
    "score": pl.Float64,
    "runner_up": pl.String,
    "share": pl.Float64,
    "english_share": pl.Float64,
    "votes": pl.String,
}


class _Options(NamedTuple):
    detectors: tuple[str, ...]
    policy: str
    min_score: float | str | None
    max_foreign: float
    unjudged: str


def language(
    text: pl.Expr,
    *,
    language: str = "language",
    detectors: Sequence[str] = (),
    policy: str = "group",
    min_score: float | str | None = None,
    max_foreign: float = 0.2,
    unjudged: str = "error",
) -> pl.Expr:
    """Keep texts that a detector finds to be in the language asked for, in its script, and not mixed.

    A text is cut after sentences into pieces of some 40 characters. Of each piece, the detectors that know
    the language are asked for the probability of the language and of those it cannot be told from (its
    group), among all languages they know; one must find it no less than its threshold for this language and
    length. A piece with a trace of English, such as a headline that runs on into the next sentence, is looked
    at in parts of 25 letters. Before all that, code, formulas, addresses, markup, digits and cited text are
    left out. A piece of fewer than 10 letters is not judged, nor one of fewer than 20 of which no detector is
    sure.

    detectors: names of `filters/detectors`, asked in turn, the next only of what is not yet accepted; none:
       pycld2 if it is installed, then py3langid.
    policy: group, as above; strict, for texts of 300 letters and more the very language of the group, where a
       detector tells it (of paragraphs, the default stack keeps all Indonesian, Malay, Xhosa, Bokmål and
       Nynorsk and 97 % of the Zulu, and 0 to 3 % of the other's; Bosnian, Croatian and Serbian it cannot
       tell); script, no detector, only the script.
    min_score: one threshold for all languages, or a file of thresholds that `glotmill calibrate` made, as
       seen from the working folder. max_foreign: the greatest share of letters in others; of
       English, 0.15 of it.
    unjudged: keep, for languages that no detector knows: their texts are held to the script only.
    language: the column of languages asked for.
    -> reason: empty (null); wrong_language, wrong_script (less than half is in the language, in the script);
       mixed_language (over max_foreign is in another language or script, or a whole item of a list or turn,
       of 20 letters or more); no_detector (none knows the language: see `cannot_judge`);
       detected: the language of most of it, `und` if unjudged; score: the probability of the group, mean of
       the pieces, null if unjudged; runner_up: the language next to it; share, english_share: of the
       letters, those in the language and in English; votes: what each detector found in what was put to it,
       such as `pycld2=fra_Latn py3langid=oci_Latn`.

    Raises RecipeError if there is no such detector or policy.
    """
    _refuse(policy, POLICIES, "policy")
    _refuse(unjudged, UNJUDGED, "unjudged")
    if isinstance(min_score, str):
        threshold("", "", 0, min_score)  # a file that cannot be read is told of now
    options = _Options(_stack(detectors), policy, min_score, max_foreign, unjudged)
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    return rows.map_batches(
        lambda batch: _judge(batch, options), return_dtype=pl.Struct(_FIELDS), is_elementwise=True
    )


def cannot_judge(
    tag: str,
    *,
    detectors: Sequence[str] = (),
    policy: str = "group",
    unjudged: str = "error",
    **_: object,
) -> str | None:
    """Return why texts in this language cannot be judged with these options of `language`; None if they can.

    Raises RecipeError if there is no such language or detector.
    """
    names, asked = _stack(detectors), languages.find(tag)
    if policy == "script" or unjudged == "keep" or any(group(name, asked.tag) for name in names):
        return None
    know = "does not know" if len(names) == 1 else ": none knows"
    return f"{', '.join(names)}{' ' * (len(names) == 1)}{know} {asked.tag} ({asked.name})"


def _stack(detectors: Sequence[str]) -> tuple[str, ...]:
    if isinstance(detectors, str):
        raise RecipeError(f"language: detectors is a list; write [{detectors}]")
    names = tuple(detectors) or tuple(name for name in DETECTORS if installed(name))
    for name in names:
        load(name)
    return names


def _refuse(given: str, known: Sequence[str], option: str) -> None:
    if given not in known:
        raise RecipeError(f"language: {option} {given!r}; there is {', '.join(known)}")


class _Rows(NamedTuple):
    """A slice of rows, cut into pieces that are long enough to be judged."""

    pieces: Pieces
    item: NDArray[np.intp]
    scripts: NDArray[np.intp]
    asked: NDArray[np.intp]
    tags: list[str]  # a language, or what is none


def _judge(batch: pl.Series, options: _Options) -> pl.Series:
    column, asked = batch.struct.field("text"), batch.struct.field("language").fill_null("")
    whole = joined_series(column)
    said = [_slice(column[a:b], asked[a:b], options) for a, b in slices(whole)]
    frame = pl.concat([pl.DataFrame(schema=_FIELDS), *said])
    return frame.with_columns(
        pl.when(whole.is_null()).then(pl.lit("empty")).otherwise("reason").alias("reason")
    ).to_struct()


def _slice(column: pl.Series, asked: pl.Series, options: _Options) -> pl.DataFrame:
    rows = _cut(column, asked)
    pieces, number = rows.pieces, len(column)
    detectors = options.detectors if options.policy != "script" else ()
    answer = ask(detectors, pieces, rows.tags, options.min_score)
    known = np.array([any(group(name, tag) for name in detectors) for tag in rows.tags], bool)
    spoken = answer.accepted | ~known[pieces.asked]
    written, unlike = _written(rows)
    good = spoken & written
    clear = unlike | (~spoken & (answer.score < _CLEAR) & (answer.other >= 0.5))

    parts = english_parts(detectors, pieces, rows.tags, answer, options.min_score)

    def amount(of: NDArray[np.bool_] | NDArray[np.floating]) -> NDArray[np.float64]:
        return np.bincount(pieces.row, pieces.weight * of, number).astype(np.float64)

    with np.errstate(invalid="ignore"):  # nan: nothing to judge
        long = pieces.letters >= _LONG
        sure = amount(good) >= amount(~good)  # then what may be the language is not held against the row
        total = np.where(sure, amount(good | clear), amount(good | clear | long))
        total[total == 0] = np.nan
        right, english = amount(good * (1 - parts)) / total, amount(answer.english + parts) / total
        score = amount(answer.score) / amount(np.ones(len(good), bool))
        foreign = (1 - right > options.max_foreign) | (english > options.max_foreign * _ENGLISH)
        foreign |= _strange_items(rows, clear, number)
        reason = np.full(number, None, object)
        reason[foreign] = "mixed_language"
        reason[foreign & (right < 0.5)] = "wrong_script"
        reason[foreign & (right < 0.5) & (amount(spoken) / total < 0.5)] = "wrong_language"
    if options.policy == "strict":
        reason[_of_another(rows, detectors, ~foreign)] = "wrong_language"
    unknown = ~known[rows.asked]
    if options.policy != "script" and options.unjudged == "error":
        reason[unknown] = "no_detector"
    score[unknown] = np.nan
    numbers = [score, right, english]
    columns = [
        pl.Series(name, np.where(total > 0, values, np.nan).round(4), nan_to_null=True)
        for name, values in zip(("score", "share", "english_share"), numbers, strict=True)
    ]
    detected = pl.when(pl.Series(total > 0)).then("detected").otherwise(pl.lit("und")).alias("detected")
    reasons = pl.Series("reason", reason.tolist(), dtype=pl.String)
    found = votes(answer, pieces, rows.tags, rows.asked)
    return found.with_columns(reasons, detected, *columns).select(*_FIELDS)


def _cut(column: pl.Series, asked: pl.Series) -> _Rows:
    tags = asked.unique(maintain_order=True).to_list()
    number_of = {tag: number for number, tag in enumerate(tags)}
    asked_of = asked.replace_strict(number_of, return_dtype=pl.Int64).to_numpy().astype(np.intp)
    items = items_series(column).to_frame("item").with_row_index("row").explode("item")
    row_of = items["row"].to_numpy().astype(np.intp)
    found = cut(prose_series(items["item"]).fill_null("").to_list(), row_of)
    long = np.flatnonzero(found.letters >= _MIN_LETTERS)
    row, scripts = row_of[found.text[long]], found.scripts[long]
    texts = [found.pieces[piece] for piece in long.tolist()]
    pieces = Pieces(texts, found.letters[long], scripts.sum(axis=1), row, asked_of[row])
    return _Rows(pieces, found.text[long], scripts, asked_of, [_tag(tag) for tag in tags])


def _written(rows: _Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each piece is in the script asked for, and whether it clearly is not."""
    right, wrong = np.ones(len(rows.item), bool), np.zeros(len(rows.item), bool)
    for number, tag in enumerate(rows.tags):
        of = rows.pieces.asked == number
        if tag and of.any():
            share, other = share_of(languages.find(tag).script, rows.scripts[of])
            right[of] = (share >= _MIN_SCRIPT) & ~other
            wrong[of] = (share < _CLEAR) | other
    return right, wrong


def _strange_items(rows: _Rows, strange: NDArray[np.bool_], number: int) -> NDArray[np.bool_]:
    """Which rows have an item that is all strange, and long enough to be sure."""
    letters = np.bincount(rows.item, rows.pieces.letters)
    odd = (letters >= _LONG) & (np.bincount(rows.item, rows.pieces.letters * strange) == letters)
    found = np.zeros(number, bool)
    found[rows.pieces.row[odd[rows.item]]] = True
    return found


def _of_another(rows: _Rows, detectors: Sequence[str], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which kept rows, of those long enough to tell, are in another language of the group."""
    row = rows.pieces.row
    long = np.flatnonzero(kept & (np.bincount(row, rows.pieces.letters, len(kept)) >= _PARAGRAPH))
    begins, ends = np.searchsorted(row, long).tolist(), np.searchsorted(row, long, "right").tolist()
    texts = [" ".join(rows.pieces.texts[a:b]) for a, b in zip(begins, ends, strict=True)]
    found = np.zeros(len(kept), bool)
    found[long] = of_another(detectors, texts, [rows.tags[number] for number in rows.asked[long]])
    return found


@cache
def _tag(text: str) -> str:
    """The tag of a language; empty for what is none."""
    try:
        return languages.find(text).tag
    except RecipeError:
        return ""
