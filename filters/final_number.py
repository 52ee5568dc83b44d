"""Drop worked solutions whose result is not the expected number."""

import re
from fractions import Fraction

import polars as pl

from glotmill.filters._text.numbers import DECIMAL_MARKS, NUMBER, canonical, plain, reading
from glotmill.filters._text.verdicts import verdicts
from glotmill.filters._text.words import joined

NO_FAULT_REASONS = ("no_expected_number",)

_SIGNED = re.compile(rf"(?:(?<![\w)])-)?{NUMBER}")
_VERDICT = pl.Struct({"reason": pl.String, "value": pl.String})
_TAIL = 4_000  # characters at the end of a text that are read


def final_number(text: pl.Expr, *, expected: str = "answer") -> pl.Expr:
    """Keep texts whose final number is the one in the column `expected`.

    The final number is the first after the last `####` or, without that mark, the last of the text. Any
    digits (١٢, १२) and any style of thousands and decimals are read; a number with two readings, such as
    1.234, matches in either. Covers all languages; numbers written as words are not read.

    Options:
        expected: column with the expected result: a number, or a text with a final number of its own.
    Reasons: empty (null), no_number, no_expected_number, wrong_number.
    Adds `<column>_final_number_value`: the final number as plain digits ("1234.5").
    """
    return verdicts(_verdict, _VERDICT, text=joined(text), expected=joined(pl.col(expected)))


def _verdict(text: str | None, expected: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return "empty", None
    values, expected_values = _readings(text), _readings(expected or "")
    if not values:
        return "no_number", None
    if not expected_values:
        return "no_expected_number", canonical(values[0])
    common = [value for value in values if value in expected_values]
    if not common:
        return "wrong_number", canonical(values[0])
    return None, canonical(common[0])


def _readings(text: str) -> list[Fraction]:
    """The possible values of the final number of a text: none, one or two."""
    _, marker, tail = text.rpartition("####")
    numbers = _SIGNED.findall(plain(tail.split("\n", 1)[0][:_TAIL] if marker else text[-_TAIL:]))
    if not numbers:
        return []
    number = numbers[0] if marker else numbers[-1]
    sign = -1 if number.startswith("-") else 1
    values = (reading(number.lstrip("-"), mark) for mark in DECIMAL_MARKS)
    return list(dict.fromkeys(sign * value for value in values if value is not None))
