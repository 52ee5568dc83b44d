"""Numbers in any digits and with any marks for thousands and decimals."""

import unicodedata
from fractions import Fraction
from functools import cache

MAX_DIGITS = 15
DECIMAL_MARKS = (".", ",")
ARABIC_DECIMAL = "\u066b"
# What looks like one number; `reading` tells groups of thousands from decimals.
NUMBER = rf"\d+(?:[.,'{ARABIC_DECIMAL}]\d+| \d{{3}}(?!\d))*"

_VARIANTS = {
    "-": "\u2212\u2012\u2013\u2010\u2011\uff0d\ufe63",
    "*": "\u00d7\u2715\u2716\u2a09\u2217\u22c5\u00b7\u2219\u2022\uff0a",
    "/": "\u00f7\u2215\u2044\uff0f",
    "+": "\uff0b",
    "=": "\uff1d",
    "\u2248": "\u2252\u2245\u2243",
    "%": "\u066a\uff05",
    "(": "\uff08",
    ")": "\uff09",
    ".": "\uff0e",
    ",": "\u060c",
    ", ": "\uff0c",
    ":": "\uff1a",
    "'": "\u2019\u066c\uff07",
    " ": "\u00a0\u202f\u2009\u2007\u3000\t",
    "": "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\ufeff",
}


def plain(text: str) -> str:
    """Return the text with ASCII digits and signs in place of those of all scripts, without currency and
    direction marks."""
    return text if text.isascii() and "$" not in text else text.translate(_table())


def reading(number: str, mark: str) -> Fraction | None:
    """Return the value of a NUMBER whose decimals follow `mark` (`.` or `,`); None if it is not one.

    The other mark, an apostrophe or a space separates groups of three digits, or of two with three at the
    end.
    """
    if ARABIC_DECIMAL in number:
        mark = ARABIC_DECIMAL
    integer, *rest = number.split(mark)
    decimals = rest[0] if rest else ""
    if len(rest) > 1 or (rest and not decimals.isdigit()) or not (digits := _ungrouped(integer)):
        return None
    if len(digits) + len(decimals) > MAX_DIGITS:
        return None
    return Fraction(int(digits + decimals), 10 ** len(decimals))


def decimals(number: str, mark: str) -> int:
    """Return how many digits follow the decimal mark."""
    mark = ARABIC_DECIMAL if ARABIC_DECIMAL in number else mark
    return len(number.partition(mark)[2])


def canonical(value: Fraction) -> str:
    """Return the shortest decimal text of a value that `reading` returned: 1234.5."""
    if value.denominator == 1:
        return str(value.numerator)
    sign, scaled = ("-" if value < 0 else ""), abs(value) * 10**MAX_DIGITS
    digits = str(scaled.numerator // scaled.denominator).rjust(MAX_DIGITS + 1, "0")
    return f"{sign}{digits[:-MAX_DIGITS]}.{digits[-MAX_DIGITS:]}".rstrip("0")


def _ungrouped(integer: str) -> str:
    """Return the digits of the part before the decimals; empty if its groups have wrong sizes."""
    marks = {character for character in integer if not character.isdigit()}
    if not marks:
        return integer
    first, *groups = integer.split(marks.pop())
    sizes = {len(group) for group in groups[:-1]}
    fits = not marks and len(groups[-1]) == 3 and sizes in (set(), {2}, {3})
    return "".join((first, *groups)) if fits and 0 < len(first) <= 3 and first[0] != "0" else ""


@cache
def _table() -> dict[int, str]:
    table = {ord(variant): sign for sign, variants in _VARIANTS.items() for variant in variants}
    table |= {ord(c): "" for c in "$\u00a2\u00a3\u00a5\u09f3\u0e3f"} | dict.fromkeys(
        range(0x20A0, 0x20C1), ""
    )
    for point in range(0x80, 0x1FC00):  # all decimal digits of Unicode lie here
        if (digit := unicodedata.decimal(chr(point), None)) is not None:
            table[point] = str(digit)
    return table
