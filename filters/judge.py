"""Drop rows that an LLM judge scored too low, or in trials that disagree."""

import json
import math
import re
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import polars as pl

from glotmill.filters._text.numbers import DECIMAL_MARKS, NUMBER, plain, reading
from glotmill.filters._text.words import items_series

JUDGES_SCORE = True
NO_FAULT_REASONS = ("no_score", "disputed")

_MAX_CHARS = 2_000  # at each end of a reply that are read
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
# Words between the score and the top of the scale: "8 out of 10".
_SCALE_LAST = (
    "/|out of|of|von|sur|su|sobre|di|de|em|av|af|uit|van|din|z|ze|iz|od|з|із|из|от|од|από|στα|dari|trên"
    "|kati ya|از|من|จาก|מתוך"
)
# Words between the top of the scale and the score: "10点満点中8点".
_SCALE_FIRST = "点満点中|点中|点满分得|分制?得?|分满分得?|점 ?만점에|점 ?중|üzerinden|में से|এর মধ্যে"
_SCORE_FIELDS = ("score", "rating")
_VERDICT = pl.Struct({"reason": pl.String, "mean": pl.Float64, "spread": pl.Float64, "trials": pl.Int64})


def judge(
    text: pl.Expr, *, min_mean: float, scale: Sequence[float] = (1, 10), max_spread: float | None = None
) -> pl.Expr:
    """Keep rows that an LLM judge gave a mean score of at least `min_mean`.

    The column holds the replies of the step that asked the judge: a text, a number, an object with a field
    `score` or `rating`, or a list of them, one per trial (`trials: 3` in the step). A score is read from 8,
    8/10, 8 out of 10, 10点満点中8点, Rating: 8, **8**, {"score": 8}, a number alone on a line, or the only
    number of a reply, in any digits (８, ٨, ८). Ranges, numbers outside the scale, and several numbers of
    which none is marked give no score; a trial without a score does not count.

    Covers all languages, with two exceptions: numbers written as words are not read, and phrases such as "out
    of", or a label before a colon where several numbers follow one, are known in some 35 languages.

    Options:
        min_mean: lowest mean score that is kept.
        scale: lowest and highest score of the rubric.
        max_spread: highest standard deviation of the scores over the trials; without it any is kept.
    Reasons: empty (null), no_score, too_low, disputed (the spread is too high).
    Adds `<column>_judge_mean`; `<column>_judge_spread`: the standard deviation; and `<column>_judge_trials`:
    number of trials with a score.
    Source: the annotator of Bridging the Gap (2024): mean and standard deviation over three trials.
    """
    if len(scale) != 2 or scale[0] >= scale[1]:
        raise ValueError(f"scale: {list(scale)}; give the lowest and the highest score, as [1, 10]")
    low, high = map(float, scale)
    return text.map_batches(
        lambda replies: _verdicts(replies, (low, high), min_mean, max_spread),
        return_dtype=_VERDICT,
        is_elementwise=True,
    )


def score(reply: str, low: float, high: float) -> float | None:
    """Return the score that a reply gives on a scale from low to high, or None if it gives none."""
    if len(reply) > 2 * _MAX_CHARS:
        reply = f"{reply[:_MAX_CHARS]}\n{reply[-_MAX_CHARS:]}"
    fields = _json_object(reply)
    if isinstance(fields, dict):
        value = _score_field(fields)
    else:
        text = re.sub(r"[*_`]", "", plain(reply).casefold())
        number = _marked_number(text, high) or _only_number(text)
        value = _value(number) if number else None
    return value if value is not None and low <= value <= high else None


def _verdicts(
    column: pl.Series, scale: tuple[float, float], min_mean: float, max_spread: float | None
) -> pl.Series:
    verdicts: list[tuple[str | None, float | None, float | None, int | None]] = []
    read = cache(partial(score, low=scale[0], high=scale[1]))  # a judge gives few different replies
    for replies in _replies(column).to_list():
        if replies is None:
            verdicts.append(("empty", None, None, None))
            continue
        scores = [value for reply in replies if (value := read(reply)) is not None]
        if not scores:
            verdicts.append(("no_score", None, None, 0))
            continue
        mean = math.fsum(scores) / len(scores)
        spread = math.sqrt(math.fsum((value - mean) ** 2 for value in scores) / len(scores))
        reason = None
        if mean < min_mean:
            reason = "too_low"
        elif max_spread is not None and spread > max_spread:
            reason = "disputed"
        verdicts.append((reason, mean, spread, len(scores)))
    return pl.DataFrame(verdicts, schema=_VERDICT.to_schema(), orient="row").to_struct()


def _replies(column: pl.Series) -> pl.Series:
    """A list of texts for each row: the replies, or the score fields of replies that are objects."""
    is_list = isinstance(column.dtype, pl.List)
    inner = column.dtype.inner if isinstance(column.dtype, pl.List) else column.dtype
    if isinstance(inner, pl.Struct):
        names = {field.name for field in inner.fields}
        name = next((name for name in (*_SCORE_FIELDS, "text") if name in names), None)
        if name is None:
            raise ValueError(f"judge: the column holds objects of {', '.join(names)}; name one field `score`")
        field = pl.element().struct.field(name)
        column = column.list.eval(field) if is_list else column.struct.field(name)
    return items_series(column)


def _json_object(text: str) -> Any:
    """The JSON object that a text is or contains; None if there is none."""
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        return None
    try:
        return json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None


def _score_field(fields: dict[str, Any]) -> float | None:
    number = plain(str(next((fields[name] for name in _SCORE_FIELDS if name in fields), ""))).strip()
    return _value(number) if _ANY.fullmatch(number) else None


def _marked_number(text: str, high: float) -> str | None:
    """The number that a text marks as the score; the last one, if it marks several."""
    top = rf"{high:g}(?:[.,]0)?(?![\d.,]*\d)"
    patterns = (
        rf"({_NUMBER})\s*[^\W\d]{{0,2}}\s*(?:{_SCALE_LAST})\s*{top}",
        rf"(?<![\d.,]){top}\s*(?:{_SCALE_FIRST})[\s,、，:]*({_NUMBER})",
    )
    for pattern in (*map(re.compile, patterns), _NAMED):
        if numbers := pattern.findall(text):
            return str(numbers[-1])
    for pattern in (_LABELLED, _ALONE):  # these may mark something else, so several must agree
        if len(values := set(pattern.findall(text))) == 1:
            return str(values.pop())
    return None


def _only_number(text: str) -> str | None:
    """The number of a text that has exactly one."""
    numbers = _ANY.findall(text)
    return numbers[0] if len(numbers) == 1 else None


def _value(number: str) -> float | None:
    values = (reading(number.lstrip("-"), mark) for mark in DECIMAL_MARKS)
    value = next((value for value in values if value is not None), None)
    return None if value is None else float(-value if number.startswith("-") else value)
