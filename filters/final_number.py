"""Drop worked solutions whose result is not the expected number."""

import re
from fractions import Fraction

import polars as pl

from glotmill.filters._text.latex import without_latex
from glotmill.filters._text.numbers import DECIMAL_MARKS, NUMBER, canonical, plain, reading
from glotmill.filters._text.verdicts import verdicts
from glotmill.filters._text.words import joined

NO_FAULT_REASONS = ("no_expected_number",)

_SIGNED = re.compile(
    rf"(?P<sign>(?<![\w)])-\s?)?\(?(?:(?P<whole>(?<=\()\d+)\+)?(?P<top>{NUMBER})(?:\s?/\s?(?P<bottom>{NUMBER})(?!\s?/))?"
)
_PARTS = (("whole", "0"), ("top", ""), ("bottom", "1"))  # of a number, and what stands for none
_BOXED = "\\boxed"
_EQUALS = re.compile(r"[=\u2248]")
_VERDICT = pl.Struct({"reason": pl.String, "value": pl.String})
_TAIL = 4_000  # characters at the end of a text that are read


def final_number(text: pl.Expr, *, expected: str = "answer") -> pl.Expr:
    r"""Keep texts whose final number is the one in the column `expected`.

    The final number is the first after the last `####`, or else in the last \boxed{}, or else the last of
    the text; of an equation (#### 5 * 5 + 2 = 27) it is the one behind the last sign. Any digits (١٢, १२) and
    any style of thousands and decimals are read, also in LaTeX (9{,}500, 12\,000, \frac{3}{4}); a number
    with two readings, such as 1.234, matches in either, and 3/4 is a fraction. Covers all languages; numbers
    written as words are not read.

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
    if marker:
        tail = plain(without_latex(tail.split("\n", 1)[0][:_TAIL]))
    else:
        _, marker, tail = text.rpartition(_BOXED)
        tail = _first_group(tail[:_TAIL]) if marker else text[-_TAIL:]
        tail = plain(without_latex(tail))
    if marker:
        *_, tail = _EQUALS.split(tail.rstrip("=\u2248 "))
    numbers = list(_SIGNED.finditer(tail))
    if not numbers:
        return []
    number = numbers[0] if marker else numbers[-1]
    values = (_value(number, mark) for mark in DECIMAL_MARKS)
    return list(dict.fromkeys(value for value in values if value is not None))


def _value(number: re.Match[str], mark: str) -> Fraction | None:
    """The value of a match of _SIGNED: 18, 3/4, (3+1/2), -2.5; None if it is not a number."""
    parts = [reading(number[name] or default, mark) for name, default in _PARTS]
    if parts[0] is None or parts[1] is None or not parts[2]:
        return None
    value = parts[0] + parts[1] / parts[2]
    return -value if number["sign"] else value


def _first_group(text: str) -> str:
    """What stands in the braces with which a text begins; the whole text if they do not close."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth <= 0 and not character.isspace():
            return text[:place] if character == "}" else text
    return text
