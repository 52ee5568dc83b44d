"""The final number of a worked solution against the expected one."""

import re
from fractions import Fraction

import polars as pl

from glotmill.filters._text.numbers import DECIMAL_MARKS, NUMBER, canonical, plain, reading
from glotmill.filters._text.words import joined

_SIGNED = re.compile(rf"(?:(?<![\w)])-)?{NUMBER}")
_JUDGED = pl.Struct({"reason": pl.String, "value": pl.String})
_END = 4_000  # characters, from the end, in which a final number is looked for


def final_number(text: pl.Expr, *, expected: str = "answer") -> pl.Expr:
    """Keep texts whose final number is that of the column `expected`, a number or a text that ends in one.

    The final number is the first after the last `####`, or else the last of the text. Any digits (١٢, १२)
    and any style of thousands and decimals will do: what can be read as two numbers, as 1.234, may be
    either.
    -> reason: empty (null), no_number, no_expected_number, wrong_number; value: the number found, as 1234.5.
    """
    rows = pl.struct(joined(text).alias("text"), joined(pl.col(expected)).alias("expected"))
    return rows.map_batches(_judge, return_dtype=_JUDGED, is_elementwise=True)


def _judge(rows: pl.Series) -> pl.Series:
    frame = rows.struct.unnest()
    judged = []
    for text, expected in zip(frame["text"].to_list(), frame["expected"].to_list(), strict=True):
        found, wanted = _readings(text or ""), _readings(expected or "")
        same = [value for value in found if value in wanted]
        reason: str | None
        if text is None:
            reason = "empty"
        elif not found:
            reason = "no_number"
        elif not wanted:
            reason = "no_expected_number"
        else:
            reason = None if same else "wrong_number"
        value = canonical((same or found)[0]) if found else None
        judged.append({"reason": reason, "value": value})
    return pl.Series(judged, dtype=_JUDGED)


def _readings(text: str) -> list[Fraction]:
    """What the final number of a text may be: nothing, one value, or two."""
    _, marked, tail = text.rpartition("####")
    numbers = _SIGNED.findall(plain(tail.split("\n", 1)[0][:_END] if marked else text[-_END:]))
    if not numbers:
        return []
    number = numbers[0] if marked else numbers[-1]
    sign = -1 if number.startswith("-") else 1
    values = (reading(number.lstrip("-"), mark) for mark in DECIMAL_MARKS)
    return list(dict.fromkeys(sign * value for value in values if value is not None))
