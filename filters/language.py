"""Drop texts that are not in the requested language."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill import languages
from glotmill.errors import GlotmillError, RecipeError
from glotmill.filters._text.scripts import slices
from glotmill.filters._text.words import items_series, joined_series, prose_series
from glotmill.filters.detectors import installed, load, version
from glotmill.filters.detectors._cascade import Pieces, ask, group, in_other_member
from glotmill.filters.detectors._english import english_shares
from glotmill.filters.detectors._leads import foreign_leads
from glotmill.filters.detectors._segments import cut
from glotmill.filters.detectors._thresholds import LENGTHS, threshold
from glotmill.filters.detectors._votes import votes
from glotmill.filters.script import share_of

NO_FAULT_REASONS = ("no_detector",)
LIMITS_NOTE = (
    "the lowest probability at which a detector is trusted, by length of text; "
    "– means that it does not know the language"
)

Policy: TypeAlias = Literal["group", "strict", "script"]
Unjudged: TypeAlias = Literal["error", "keep"]
DETECTORS = ("pycld2", "py3langid")  # the default stack: those of them that are installed
_TAG = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_MIN_LETTERS = 10  # of a piece; fewer do not tell a language
_MIN_SCRIPT = 0.25  # of a piece; long runs of Latin are pieces of their own, and shorter ones are names
_LONG = 20  # letters from which a piece counts against the row if no detector is sure of it
_CLEAR = 0.1  # below it a piece is clearly in another language or script
_ENGLISH = 0.15  # of max_foreign: English is what leaks into other languages, and is rarely mistaken for them
_PARAGRAPH = 300  # letters from which a language can be told from others in its group
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
    policy: Policy = "group",
    min_score: float | str | None = None,
    max_foreign: float = 0.2,
    unjudged: Unjudged = "error",
) -> pl.Expr:
    """Keep texts in the requested language and its script, not mixed with another language.

    A text is cut after sentences into pieces of some 40 characters. The detectors that know the language
    give each piece a probability of its group: the language and those that cannot be told apart from it.
    One of them must reach its threshold for this language and length. A piece with a trace of English,
    such as a headline that runs on into the next sentence, is checked in parts of 25 letters. Code,
    formulas, addresses, markup, digits and cited text do not count. Pieces of fewer than 10 letters are not
    judged, nor of fewer than 20 if no detector is sure. A beginning ("Sure, here it is:") is judged alone.

    Options:
        language: column of requested languages, or one language for all rows, such as `eng_Latn`.
        detectors: names from `filters/detectors`. The next one judges only what none before it has accepted.
            By default pycld2, if it is installed, then py3langid.
        policy: `group` as above. `strict` also tells apart the languages of a group, in texts of 300 letters
            and more, where a detector can: of paragraphs, the default stack keeps all in Indonesian, Malay,
            Xhosa, Bokmål and Nynorsk, 97 % in Zulu, and 0 to 3 % in the other language of each group. It
            cannot tell apart Bosnian, Croatian and Serbian. `script` judges only the script.
        min_score: one threshold for all languages, or a file that `glotmill calibrate` has made.
        max_foreign: greatest share of letters in other languages or scripts; of English, 0.15 of it.
        unjudged: `keep` judges languages that no detector knows by their script only; `error` refuses them.
    Reasons: empty (null); wrong_language, wrong_script (less than half is in the language, in the script);
        mixed_language (over max_foreign is in another, or the beginning, a whole item of a list or a turn
        of 20 letters or more is); no_detector (none knows the language).
    Adds `<column>_language_...`:
        detected, runner_up: language of most of the text, `und` if it was not judged; and the second likely.
        score: probability of the group, mean of the pieces; null if it was not judged.
        share, english_share: shares of the letters in the requested language and in English.
        votes: what each detector found in the pieces it judged: `pycld2=fra_Latn py3langid=oci_Latn`.
    Raises RecipeError for an unknown detector or policy.
    """
    _check_choice(policy, get_args(Policy), "policy")
    _check_choice(unjudged, get_args(Unjudged), "unjudged")
    options = _Options(_stack(detectors), policy, min_score, max_foreign, unjudged)
    if isinstance(min_score, str):
        threshold(options.detectors[0], "", 0, min_score)  # fail now if the file cannot be read
    requested = pl.lit(languages.find(language).tag) if _TAG.fullmatch(language) else pl.col(language)
    rows = pl.struct(text.alias("text"), requested.cast(pl.String).alias("language"))
    dtype = pl.Struct(_FIELDS)
    return rows.map_batches(lambda batch: _verdicts(batch, options), return_dtype=dtype, is_elementwise=True)


def cannot_judge(
    tag: str,
    *,
    language: str = "language",
    detectors: Sequence[str] = (),
    policy: str = "group",
    unjudged: str = "error",
    **_: object,
) -> str | None:
    """Return why the filter with these options cannot check texts in a language; None if it can.

    Raises RecipeError for an unknown language or detector.
    """
    requested = languages.find(language if _TAG.fullmatch(language) else tag)
    names = _stack(detectors)
    if policy == "script" or unjudged == "keep" or any(group(name, requested.tag) for name in names):
        return None
    subject = f"{names[0]} does not know" if len(names) == 1 else f"{', '.join(names)}: none knows"
    return f"{subject} {requested.tag} ({requested.name}); choose other detectors, or unjudged: keep"


def limits_by_language(
    tags: Sequence[str], versions: Mapping[str, str], **options: Any
) -> dict[str, dict[str, float]]:
    """Return the thresholds of each language: the detector and the length of text -> least probability.

    Covers the detectors that are installed in the version that a run had (`versions`, by package). The user's
    own models are not loaded, so they have none.
    """
    min_score = options.get("min_score")
    if options.get("language", "language") != "language":  # tags are those of the column `language`
        return {}
    if options.get("policy") == "script" or not (min_score is None or isinstance(min_score, str)):
        return {}
    limits: dict[str, dict[str, float]] = {}
    for name in options.get("detectors") or [name for name in DETECTORS if name in versions]:
        try:
            if ":" in name or version(name) != versions.get(name, version(name)):
                continue
            for tag in tags:
                if group(name, tag):
                    scores = {size: threshold(name, tag, n, min_score or "") for size, n in LENGTHS.items()}
                    by_length = {f"{name} {size}": round(score, 3) for size, score in scores.items()}
                    limits.setdefault(tag, {}).update(by_length)
        except GlotmillError:  # the detector, or the user's file of thresholds, is gone
            continue
    return limits


def _stack(detectors: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the detectors, all loaded."""
    if isinstance(detectors, str):
        raise RecipeError(f"language: detectors is a list; write [{detectors}]")
    names = tuple(detectors) or tuple(name for name in DETECTORS if installed(name))
    for name in names:
        load(name)
    return names


def _check_choice(value: str, choices: Sequence[str], option: str) -> None:
    if value not in choices:
        raise RecipeError(f"language: {option} {value!r}; choose from {', '.join(choices)}")


class _Rows(NamedTuple):
    """A slice of rows, cut into pieces. p: pieces that are long enough to check; r: rows."""

    pieces: Pieces
    item: NDArray[np.intp]  # (p,): number of the item of a list or turn
    items: list[str]  # these items
    item_row: NDArray[np.intp]  # (items,): number of the row
    scripts: NDArray[np.intp]  # (p, scripts): letters, by `letters_by_script`
    language: NDArray[np.intp]  # (r,): number of the requested language
    tags: list[str]  # the requested languages, by number; empty for a text that names none


def _verdicts(batch: pl.Series, options: _Options) -> pl.Series:
    column, language = batch.struct.field("text"), batch.struct.field("language").fill_null("")
    texts = joined_series(column)
    parts = [_slice_verdicts(column[a:b], language[a:b], options) for a, b in slices(texts)]
    frame = pl.concat([pl.DataFrame(schema=_FIELDS), *parts])
    return frame.with_columns(
        pl.when(texts.is_null()).then(pl.lit("empty")).otherwise("reason").alias("reason")
    ).to_struct()


def _slice_verdicts(column: pl.Series, language: pl.Series, options: _Options) -> pl.DataFrame:
    """Judge some rows: the verdicts on their pieces, weighted by letters, add up to shares of each row.

    A piece is good if a detector accepts it and its script is right, and clear if it is certainly something
    else. What is neither counts against a row only in long pieces, and only if less of the row is good.
    """
    rows = _cut(column, language)
    pieces, number = rows.pieces, len(column)
    detectors = options.detectors if options.policy != "script" else ()
    findings = ask(detectors, pieces, rows.tags, options.min_score)
    covered = np.array([any(group(name, tag) for name in detectors) for tag in rows.tags], bool)
    right_language = findings.accepted | ~covered[pieces.language]
    right_script, wrong_script = _check_scripts(rows)
    good = right_language & right_script
    clear = wrong_script | (~right_language & (findings.score < _CLEAR) & (findings.other >= 0.5))
    parts = english_shares(detectors, pieces, rows.tags, findings, options.min_score)

    def row_sums(values: NDArray[np.bool_] | NDArray[np.floating]) -> NDArray[np.float64]:
        return np.bincount(pieces.row, pieces.weight * values, number).astype(np.float64)

    with np.errstate(invalid="ignore"):  # NaN: nothing to judge
        long = pieces.letters >= _LONG
        mostly_good = row_sums(good) >= row_sums(~good)
        total = np.where(mostly_good, row_sums(good | clear), row_sums(good | clear | long))
        total[total == 0] = np.nan
        share, english = row_sums(good * (1 - parts)) / total, row_sums(findings.english + parts) / total
        score = row_sums(findings.score) / row_sums(np.ones(len(good), bool))
        foreign = (1 - share > options.max_foreign) | (english > options.max_foreign * _ENGLISH)
        foreign |= _has_clear_item(rows, clear, number) | (_has_lead(rows, options, number) & (share > 0))
        reason = np.full(number, None, object)
        reason[foreign] = "mixed_language"
        reason[foreign & (share < 0.5)] = "wrong_script"
        reason[foreign & (share < 0.5) & (row_sums(right_language) / total < 0.5)] = "wrong_language"
    if options.policy == "strict":
        reason[_in_other_member(rows, detectors, ~foreign)] = "wrong_language"
    unknown = ~covered[rows.language]
    if options.policy != "script" and options.unjudged == "error":
        reason[unknown] = "no_detector"
    score[unknown] = np.nan
    measures = [
        pl.Series(name, np.where(total > 0, values, np.nan).round(4), nan_to_null=True)
        for name, values in (("score", score), ("share", share), ("english_share", english))
    ]
    detected = pl.when(pl.Series(total > 0)).then("detected").otherwise(pl.lit("und")).alias("detected")
    reasons = pl.Series("reason", reason.tolist(), dtype=pl.String)
    row_votes = votes(findings, pieces, rows.tags, rows.language)
    return row_votes.with_columns(reasons, detected, *measures).select(*_FIELDS)


def _cut(column: pl.Series, language: pl.Series) -> _Rows:
    tags = language.unique(maintain_order=True).to_list()
    number_of = {tag: number for number, tag in enumerate(tags)}
    row_language = language.replace_strict(number_of, return_dtype=pl.Int64).to_numpy().astype(np.intp)
    frame = items_series(column).to_frame("item").with_row_index("row").explode("item")
    item_row = frame["row"].to_numpy().astype(np.intp)
    items = prose_series(frame["item"]).fill_null("").to_list()
    segments = cut(items, item_row)
    long = np.flatnonzero(segments.letters >= _MIN_LETTERS)
    row, scripts = item_row[segments.text[long]], segments.scripts[long]
    texts = [segments.pieces[piece] for piece in long.tolist()]
    pieces = Pieces(texts, segments.letters[long], scripts.sum(axis=1), row, row_language[row])
    rows_tags = [_tag(tag) for tag in tags]
    return _Rows(pieces, segments.text[long], items, item_row, scripts, row_language, rows_tags)


def _check_scripts(rows: _Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether each piece is in the script of its language, and whether it clearly is not."""
    right, wrong = np.ones(len(rows.item), bool), np.zeros(len(rows.item), bool)
    for number, tag in enumerate(rows.tags):
        pieces = rows.pieces.language == number
        if tag and pieces.any():
            share, other = share_of(languages.find(tag).script, rows.scripts[pieces])
            right[pieces] = (share >= _MIN_SCRIPT) & ~other
            wrong[pieces] = (share < _CLEAR) | other
    return right, wrong


def _has_clear_item(rows: _Rows, clear: NDArray[np.bool_], number: int) -> NDArray[np.bool_]:
    """Return which rows have a long enough item whose every piece is clearly foreign."""
    letters = np.bincount(rows.item, rows.pieces.letters)
    foreign = (letters >= _LONG) & (np.bincount(rows.item, rows.pieces.letters * clear) == letters)
    has_item = np.zeros(number, bool)
    has_item[rows.pieces.row[foreign[rows.item]]] = True
    return has_item


def _has_lead(rows: _Rows, options: _Options, number: int) -> NDArray[np.bool_]:
    """Return which rows have an item that begins in another language."""
    has_lead = np.zeros(number, bool)
    if options.policy != "script":
        language = rows.language[rows.item_row]
        leads = foreign_leads(options.detectors, rows.items, language, rows.tags, options.min_score)
        has_lead[rows.item_row[leads]] = True
    return has_lead


def _in_other_member(rows: _Rows, detectors: Sequence[str], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which kept rows, of those long enough to tell, are in another language of the group."""
    row = rows.pieces.row
    long = np.flatnonzero(kept & (np.bincount(row, rows.pieces.letters, len(kept)) >= _PARAGRAPH))
    begins, ends = np.searchsorted(row, long).tolist(), np.searchsorted(row, long, "right").tolist()
    texts = [" ".join(rows.pieces.texts[a:b]) for a, b in zip(begins, ends, strict=True)]
    other = np.zeros(len(kept), bool)
    other[long] = in_other_member(detectors, texts, [rows.tags[number] for number in rows.language[long]])
    return other


@cache
def _tag(text: str) -> str:
    """Return the tag of a language; empty if the text names none."""
    try:
        return languages.find(text).tag
    except RecipeError:
        return ""
