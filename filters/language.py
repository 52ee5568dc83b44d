"""Language of a text: whether it is the one asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import polars as pl

from glotmill import languages
from glotmill.errors import RecipeError
from glotmill.filters.detectors import Detect
from glotmill.filters.text import items_series, joined_series, prose_series

_ITEM_LETTERS = 20  # an item of fewer letters is judged with the others only
_ITEM_SCORE = 0.1  # below it an item is clearly another language
_JUDGED = pl.Struct({"reason": pl.String, "detected": pl.String, "score": pl.Float64})


def language(
    text: pl.Expr,
    *,
    language: str = "language",
    detector: str = "langdetect",
    min_score: float = 0.5,
    min_letters: int = 10,
) -> pl.Expr:
    """Keep texts that the detector finds to be in the language asked for.

    The detector chooses among all languages it knows; the probabilities of the language and of those it
    cannot be told from (Croatian and Serbian, Chinese in both scripts) are added, and their sum must reach
    min_score. Code, formulas, addresses and digits are left out first; a text of fewer than min_letters
    letters is kept, unjudged. Of a list or of turns, the whole must pass, and no item of 20 letters or more
    may clearly be in another language.
    language: the column of languages asked for. detector: a file of `filters/detectors`.
    -> reason: empty (null), wrong_language, no_detector (the detector does not know this language: see
       `knows`);
       detected: a tag, `und` if unjudged; score: the sum above, of the whole, null if unjudged.

    Raises RecipeError if there is no such detector.
    """
    detect = _load(detector)
    rows = pl.struct(text.alias("text"), pl.col(language).cast(pl.String).alias("language"))
    return rows.map_batches(
        lambda batch: _judge(batch, _Judge(detector, detect, min_score, min_letters)),
        return_dtype=_JUDGED,
        is_elementwise=True,
    )


def knows(detector: str, tag: str) -> bool:
    """Return whether the detector can judge texts in this language.

    Raises RecipeError if there is no such detector or no such language.
    """
    _load(detector)
    return bool(_codes(detector, tag))


def _judge(batch: pl.Series, judge: "_Judge") -> pl.Series:
    column, asked = batch.struct.field("text"), batch.struct.field("language").to_list()
    wholes = _clean(joined_series(column))
    items = _clean_items(column)
    wanted = {text for text, letters in wholes if text is not None and letters >= judge.min_letters}
    wanted |= {text for texts in items.values() for text in texts}
    texts = sorted(wanted)
    found = dict(zip(texts, judge.detect(texts), strict=True))
    judged: list[dict[str, str | float | None]] = []
    for row, (tag, (text, _)) in enumerate(zip(asked, wholes, strict=True)):
        if text is None:
            judged.append({"reason": "empty", "detected": None, "score": None})
            continue
        codes = _codes_of_row(judge.detector, tag)
        labels = found.get(text)
        score = _score(labels, codes) if labels is not None and codes else None
        strange = any(_score(found[item], codes) < _ITEM_SCORE for item in items.get(row, ()))
        reason = None
        if not codes:
            reason = "no_detector"
        elif strange or (score is not None and score < judge.min_score):
            reason = "wrong_language"
        detected = _tag(judge.detector, labels[0][0]) if labels else "und"
        judged.append({"reason": reason, "detected": detected, "score": score})
    return pl.Series(judged, dtype=_JUDGED)


@dataclass(frozen=True, slots=True)
class _Judge:
    detector: str
    detect: Detect
    min_score: float
    min_letters: int


def _clean(texts: pl.Series) -> list[tuple[str | None, int]]:
    """Each text as a detector wants it, and its number of letters."""
    frame = (
        prose_series(texts)
        .to_frame("text")
        .select(
            pl.col("text").str.replace_all(r"\s+", " ").str.strip_chars(),
            pl.col("text").str.count_matches(r"\p{L}").fill_null(0).alias("letters"),
        )
    )
    return frame.rows()


def _clean_items(column: pl.Series) -> dict[int, list[str]]:
    """The items of each row that are long enough to be judged one by one; none in a column of texts."""
    if not isinstance(column.dtype, pl.List):
        return {}
    flat = items_series(column).to_frame("item").with_row_index("row").explode("item")
    items: dict[int, list[str]] = {}
    for row, (text, letters) in zip(flat["row"].to_list(), _clean(flat["item"]), strict=True):
        if text is not None and letters >= _ITEM_LETTERS:
            items.setdefault(row, []).append(text)
    return items


def _score(labels: Iterable[tuple[str, float]], codes: frozenset[str]) -> float:
    return min(1.0, sum(probability for label, probability in labels if label in codes))


@cache
def _codes_of_row(detector: str, tag: str | None) -> frozenset[str]:
    """As `_codes`; none for what is no language."""
    try:
        return _codes(detector, tag or "")
    except RecipeError:
        return frozenset()


@cache
def _codes(detector: str, tag: str) -> frozenset[str]:
    """The detector's codes for a language and for those it cannot be told from."""
    group = (languages.find(other) for other in languages.confusable(tag))
    return frozenset(code for member in group if (code := member.detectors.get(detector)))


@cache
def _tag(detector: str, code: str) -> str:
    """The first language of the table that has this code; the code itself if none has."""
    tags = (row.tag for row in languages.table() if row.detectors.get(detector) == code)
    return next(tags, code)


@cache
def _load(detector: str) -> Detect:
    folder = Path(__file__).parent / "detectors"
    there = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    if detector not in there:
        raise RecipeError(f"language: no detector {detector!r}; there is {', '.join(there)}")
    detect: Detect = getattr(import_module(f"glotmill.filters.detectors.{detector}"), detector)
    return detect
