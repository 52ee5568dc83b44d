"""Equations in a worked solution: whether each of them holds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

import polars as pl

from glotmill.filters._text.arithmetic import Expression, prefix, split, suffix, value_of
from glotmill.filters._text.numbers import (
    DECIMAL_MARKS,
    MAX_DIGITS,
    canonical,
    decimals,
    plain,
    reading,
)
from glotmill.filters._text.words import joined

MAX_LISTED = 50
_MAX_CHARS = 20_000
_ANNOTATION = re.compile(r"<<([^<>\n]{1,200})>>")
_LATEX = (
    (r"\(", " "),
    (r"\)", " "),
    (r"\[", " "),
    (r"\]", " "),
    (r"\times", "*"),
    (r"\cdot", "*"),
    (r"\div", "/"),
    (r"\left", ""),
    (r"\right", ""),
    (r"\%", "%"),
)
_BULLET = re.compile(r"^\s*[-*+]\s+", re.MULTILINE)
_JUDGED = pl.Struct({"reason": pl.String, "list": pl.List(pl.String)})


def equations(text: pl.Expr, *, min_equations: int = 1) -> pl.Expr:
    """Keep worked solutions in which every equation holds and at least min_equations stand.

    An equation is arithmetic on numbers on one side of `=` at least (3 × 4 = 12, (5 − 2) · 3 = 9 = 9,
    <<2+3=5>>), in any digits and style of thousands and decimals, with units after numbers or without. A
    last decimal may be rounded. What is no plain arithmetic (a variable, a power, units that change) is
    passed over. Numbers have 15 digits at most, a side 60 signs, and the first 20,000 characters are read.
    -> reason: empty (null), wrong_equation, no_equation; list: the equations as plain text (3*4=12), 50 at
       most, so that solutions with equal lists took the same path.
    """
    return joined(text).map_batches(
        lambda texts: _judge(texts, min_equations), return_dtype=_JUDGED, is_elementwise=True
    )


@dataclass(frozen=True, slots=True)
class Equation:
    """One `left = right`."""

    text: str  # canonical: ASCII digits and signs, no spaces
    holds: bool


def find_equations(text: str) -> list[Equation]:
    """Return the equations of a text, in order, each once."""
    text = plain(text[:_MAX_CHARS])
    for command, sign in _LATEX:
        text = text.replace(command, sign)
    text, annotated = _ANNOTATION.sub(" ", text), _ANNOTATION.findall(text)
    text = re.sub(r"\n\s*=", " =", _BULLET.sub("", text))
    found: dict[Equation, None] = {}
    for line in (*text.split("\n"), *annotated):
        if "=" in line or "\u2248" in line:
            found |= dict.fromkeys(_of_line(line))
    return list(found)


def _judge(texts: pl.Series, min_equations: int) -> pl.Series:
    judged: list[dict[str, object]] = []
    for text in texts.to_list():
        found = find_equations(text) if text is not None else []
        reason: str | None
        if text is None:
            reason = "empty"
        elif not all(equation.holds for equation in found):
            reason = "wrong_equation"
        else:
            reason = "no_equation" if len(found) < min_equations else None
        listed = [equation.text for equation in found[:MAX_LISTED]] if text is not None else None
        judged.append({"reason": reason, "list": listed})
    return pl.Series(judged, dtype=_JUDGED)


def _of_line(line: str) -> list[Equation]:
    segments = split(line)
    found: list[Equation] = []
    chain: list[Expression] = []  # sides with an `=` between each two
    for at, segment in enumerate(segments):
        right = prefix(segment) if chain else None
        if right:
            chain.append(right)
        if right is None or right.end < len(segment):
            found += _of_chain(chain)
            left = suffix(segment, right.end if right else 0) if at + 1 < len(segments) else None
            chain = [left] if left else []
    return found + _of_chain(chain)


def _of_chain(chain: Sequence[Expression]) -> list[Equation]:
    if not any(side.operators for side in chain):
        return []
    return [found for left, right in pairwise(chain) if (found := _equation(left, right))]


def _equation(left: Expression, right: Expression) -> Equation | None:
    """The equation if it can be judged. Each way of reading its numbers is tried: one that holds is
    enough."""
    if left.odd or right.odd:
        return None
    first = ""
    for mark, percent in product(DECIMAL_MARKS, (Fraction(1), Fraction(1, 100))):
        try:
            sides = value_of(left.items, mark, percent), value_of(right.items, mark, percent)
        except ZeroDivisionError:
            return Equation(f"{_written(left, mark)}={_written(right, mark)}", holds=False)
        if sides[0] is None or sides[1] is None:
            continue
        text = f"{_written(left, mark)}={_written(right, mark)}"
        if sides[0] == sides[1] or _rounded(sides[0], right, mark):
            return Equation(text, holds=True)
        first = first or text
    unsure = len(left.units | right.units) > 1 or any(t.text == ":" for t in (*left.items, *right.items))
    return None if unsure or not first else Equation(first, holds=False)


def _rounded(exact: Fraction, side: Expression, mark: str) -> bool:
    """Whether a side is one number that is `exact` rounded to its last decimal, or cut there if it has no
    end."""
    numbers = [token for token in side.items if token.kind == "number"]
    places = decimals(numbers[0].text, mark)
    shown = reading(numbers[0].text, mark)
    if side.operators or len(numbers) > 1 or not places or shown is None:
        return False
    if side.items[0].text == "-":
        shown = -shown
    step, endless = Fraction(1, 10**places), (10 ** (2 * MAX_DIGITS)) % exact.denominator != 0
    return abs(exact - shown) <= step / 2 or (endless and abs(exact - shown) < step)


def _written(side: Expression, mark: str) -> str:
    """A side as ASCII text without spaces."""
    return "".join(
        _number(token.text, mark) if token.kind == "number" else token.text for token in side.items
    )


def _number(text: str, mark: str) -> str:
    value = reading(text, mark)
    return text if value is None else canonical(value)
