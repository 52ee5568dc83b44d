"""A judge's score: what a rubric step said, read from its words, over one or several trials."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from glotmill.filters._text.numbers import DECIMAL_MARKS, NUMBER, plain, reading
from glotmill.filters._text.words import items_series

JUDGES_SCORE = True
NO_FAULT_REASONS = ("no_score",)

_SEEN = 2_000  # characters from each end of a reply that are read
_NUMBER = rf"(?:(?<![^\s:=(\[>])-)?(?<![a-zа-яα-ω\d.,_]){NUMBER}"
_ANY = re.compile(_NUMBER)
_LABELS = (
    "score|rating|rate|grade|overall|note|bewertung|punktzahl|puntuación|puntaje|calificación|nota|pontuação"
    "|punteggio|voto|scor|ocena|wynik|hodnocení|оценка|оцінка|балл|бал|βαθμός|βαθμολογία|betyg|karakter|poeng"
    "|pisteet|arvosana|pontszám|értékelés|puan|skor|nilai|điểm|alama|评分|得分|分数|評分|評価|スコア|点数|점수"
    "|평점|คะแนน|التقييم|الدرجة|النتيجة|امتیاز|نمره|ציון|דירוג|स्कोर|अंक|रेटिंग|স্কোর|নম্বর"
)
_LABEL = rf"[:=>]\s*\(?({_NUMBER})(?!\d|\s?(?:-|~|to|\.\.)\s?\d)"
_LABELLED = re.compile(_LABEL)
_NAMED = re.compile(rf"(?:{_LABELS})[^\d\n:=>]{{0,20}}{_LABEL}")
_ALONE = re.compile(rf"^\W*?({_NUMBER})\W*$", re.MULTILINE)
# Between the score and the top of the scale, and between the top and the score.
_OF = (
    "/|out of|of|von|sur|su|sobre|di|de|em|av|af|uit|van|din|z|ze|iz|od|з|із|из|от|од|από|στα|dari|trên"
    "|kati ya|از|من|จาก|מתוך"
)
_SCALE_FIRST = "点満点中|点中|点满分得|分制?得?|分满分得?|점 ?만점에|점 ?중|üzerinden|में से|এর মধ্যে"
_NAMES = ("score", "rating")
_JUDGED = pl.Struct({"reason": pl.String, "mean": pl.Float64, "spread": pl.Float64, "trials": pl.Int64})


def judge(
    text: pl.Expr, *, min_mean: float, scale: Sequence[float] = (1, 10), max_spread: float | None = None
) -> pl.Expr:
    """Keep rows whose mean score is min_mean or more, and whose scores stray by max_spread at most.

    The column is what a rubric step replied: a text, a number, an object with `score` or `rating`, or a list
    of them, one a trial (`trials: 3` at the step). Read are 8, 8/10, 8 out of 10, 10点満点中8点, Rating: 8,
    **8**, {"score": 8}, a number alone on a line, and the only number of a text, in any digits (８, ٨, ८). A
    number outside the scale (its lowest and highest score), a range, and several numbers of which none is
    marked are no score: a trial without one does not count. Words for numbers are not read; `out of`, and the
    word before the colon where several numbers follow one, are known in some 35 languages; all else asks for
    no language.
    -> reason: empty (null), no_score, too_low, disputed; mean; spread: the standard deviation, over trials:
       how many had a score.
    Source: the annotator of Bridging the Gap (2024): three trials, mean and deviation.
    """
    if len(scale) != 2 or scale[0] >= scale[1]:
        raise ValueError(f"scale: {list(scale)}; give the lowest and the highest score, as [1, 10]")
    low, high = map(float, scale)
    return text.map_batches(
        lambda column: _judge(column, (low, high), min_mean, max_spread),
        return_dtype=_JUDGED,
        is_elementwise=True,
    )


def score(text: str, low: float, high: float) -> float | None:
    """Return the score that a reply gives on a scale, or None if it gives none."""
    text = text if len(text) <= 2 * _SEEN else f"{text[:_SEEN]}\n{text[-_SEEN:]}"
    found = _object(text)
    if isinstance(found, dict):
        value = _of_object(found)
    else:
        text = re.sub(r"[*_`]", "", plain(text).casefold())
        number = _marked(text, high) or _only(text)
        value = _value(number) if number else None
    return value if value is not None and low <= value <= high else None


def _judge(column: pl.Series, scale: tuple[float, float], least: float, most: float | None) -> pl.Series:
    judged: list[tuple[str | None, float | None, float | None, int | None]] = []
    known: dict[str, float | None] = {}  # replies of a judge are few and short
    for replies in _replies(column).to_list():
        if replies is None:
            judged.append(("empty", None, None, None))
            continue
        for reply in replies:
            if reply not in known:
                known[reply] = score(reply, *scale)
        scores = [value for reply in replies if (value := known[reply]) is not None]
        if not scores:
            judged.append(("no_score", None, None, 0))
            continue
        mean = math.fsum(scores) / len(scores)
        spread = math.sqrt(math.fsum((value - mean) ** 2 for value in scores) / len(scores))
        disputed = most is not None and spread > most
        judged.append(
            ("too_low" if mean < least else "disputed" if disputed else None, mean, spread, len(scores))
        )
    return pl.DataFrame(judged, schema=_JUDGED.to_schema(), orient="row").to_struct()


def _replies(column: pl.Series) -> pl.Series:
    """Lists of texts; an object is its score."""
    inner = column.dtype.inner if isinstance(column.dtype, pl.List) else column.dtype
    if isinstance(inner, pl.Struct):
        names = {part.name for part in inner.fields}
        name = next((name for name in (*_NAMES, "text") if name in names), None)
        if name is None:
            raise ValueError(f"judge: the column holds objects of {', '.join(names)}; name one field `score`")
        field = pl.element().struct.field(name)
        listed = isinstance(column.dtype, pl.List)
        column = column.list.eval(field) if listed else column.struct.field(name)
    return items_series(column)


def _object(text: str) -> Any:
    """The JSON object that is, or stands in, a text; None if there is none."""
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        return None
    try:
        return json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None


def _of_object(found: dict[str, Any]) -> float | None:
    number = plain(str(next((found[name] for name in _NAMES if name in found), ""))).strip()
    return _value(number) if _ANY.fullmatch(number) else None


def _marked(text: str, high: float) -> str | None:
    """The number of a text that is marked as the score; the last, if it says that of several."""
    top = rf"{high:g}(?:[.,]0)?(?![\d.,]*\d)"
    patterns = (
        rf"({_NUMBER})\s*[^\W\d]{{0,2}}\s*(?:{_OF})\s*{top}",
        rf"(?<![\d.,]){top}\s*(?:{_SCALE_FIRST})[\s,、，:]*({_NUMBER})",
    )
    for pattern in (*map(re.compile, patterns), _NAMED):
        if found := pattern.findall(text):
            return str(found[-1])
    for pattern in (_LABELLED, _ALONE):  # marked, but of what?
        if len(values := set(pattern.findall(text))) == 1:
            return str(values.pop())
    return None


def _only(text: str) -> str | None:
    """The number of a text that has one."""
    numbers = _ANY.findall(text)
    return numbers[0] if len(numbers) == 1 else None


def _value(number: str) -> float | None:
    values = (reading(number.lstrip("-"), mark) for mark in DECIMAL_MARKS)
    found = next((value for value in values if value is not None), None)
    return None if found is None else float(-found if number.startswith("-") else found)
