"""Drop translations that lose or invent numbers."""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import polars as pl

from glotmill.filters._text.numbers import DECIMAL_MARKS, MAX_DIGITS, NUMBER, plain, reading
from glotmill.filters._text.phrases import read_table
from glotmill.filters._text.verdicts import verdicts
from glotmill.filters._text.words import joined

_NUMBER_AND_WORD = re.compile(rf"({NUMBER})(?:[ \-]?([^\W\d_][^\s\d.,;:!?()]{{0,15}}))?")
_DIGITS = re.compile(r"\d+")
_ROMAN = re.compile(r"(?<![^\W\d_])[IVXІХ]{1,7}")
_HAN_POWERS = {"十": 10, "百": 100, "千": 1000}
_HAN_DIGITS = dict(zip("〇零一二三四五六七八九两兩", "0012345678922", strict=True))
_HAN = re.compile(f"[{''.join((*_HAN_POWERS, *_HAN_DIGITS))}]{{1,{MAX_DIGITS}}}")
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10}
_ANY_DIGIT = r"\p{Nd}"
_MAX_CHARS = 50_000  # of each text that are read
_MAX_MEANINGS = 8  # of a sum that goes on; a number has at most two
_MAX_LISTED = 10  # numbers in `missing`
_VERDICT = pl.Struct({"reason": pl.String, "share": pl.Float64, "missing": pl.String})


class _Number(NamedTuple):
    text: str
    values: frozenset[Fraction | int]  # possible readings: 1.234 has two, 1.5 million is 1.5 and 1500000
    parts: tuple[int, ...]  # its runs of digits: 7.55 is 7 and 55


def numbers_kept(
    text: pl.Expr,
    *,
    source: str = "source",
    min_share: float = 0.5,
    smallest: int = 11,
    invented: bool = False,
) -> pl.Expr:
    """Keep texts that repeat the numbers of the column `source`.

    Numbers are equal in any digits (١٢, १२, １２) and any style of thousands and decimals (1,234.5, 1.234,5,
    1 234,5, १,२३४.५, Indian groups), and with words for thousands to trillions after digits (1.5 million,
    15 lakh, 150万). Signs, units and order are ignored. 1980s may become 80, 19th may become XIX or 十九, and
    7:55 may become 7.55; a Thai year is 543 more. Numbers written as words are not read in any language, and
    a converted unit (10 miles, 16 km) is another number. The first 50,000 characters are read.

    Covers all languages; words such as lakh are known in about 100 (`scales.csv`). Of news sentences that
    people translated from English into 124 languages, 1.3 % are dropped (5.4 % of those with numbers), half
    of them for converted units: most in Yoruba (17 %), which writes numbers as words, then Czech, Malayalam
    and Polish (5 %), and at most 1 % in 78 languages; `invented` drops 1.1 % more. Of translations with one
    number changed in its last digit, 74 % are dropped; with `min_share: 1`, 96 %, and 1.7 % of the human
    ones.

    Options:
        source: column with the text that was translated.
        min_share: lowest share (0 to 1) of the source's numbers that the text must repeat.
        smallest: whole numbers below it are not required, as they are often written as words; 0 requires all
            numbers, as calculations need.
        invented: also drop texts with a number, `smallest` or larger, that is not in the source.
    Reasons: empty (null), numbers_missing, numbers_invented.
    Adds `<column>_numbers_kept_share`: share of the source's numbers repeated, null if none is required; and
    `<column>_numbers_kept_missing`: up to 10 numbers that are missing, or invented, as they are written.
    """
    text, source_text = joined(text), joined(pl.col(source))
    has_digits = source_text.str.contains(_ANY_DIGIT)
    if invented:
        has_digits |= text.str.contains(_ANY_DIGIT)
    return verdicts(
        partial(_verdict, min_share=min_share, smallest=smallest, invented=invented),
        _VERDICT,
        text=text,
        source=source_text,
        has_digits=has_digits,
    )


def _verdict(
    text: str | None,
    source: str | None,
    has_digits: bool | None,
    *,
    min_share: float,
    smallest: int,
    invented: bool,
) -> tuple[str | None, float | None, str | None]:
    if text is None:
        return "empty", None, None
    if not has_digits:
        return None, None, None
    source_numbers, text_numbers = _read(source or ""), _read(text)
    required = _not_small(source_numbers, smallest)
    missing = _missing(required, text_numbers, text)
    share = 1 - len(missing) / len(required) if required else None
    if share is not None and share < min_share:
        return "numbers_missing", share, _listed(missing)
    if invented and source is not None:
        new = _missing(_not_small(text_numbers, smallest), source_numbers, source)
        if new:
            return "numbers_invented", share, _listed(new)
    return None, share, _listed(missing)


def _missing(required: Sequence[_Number], numbers: Sequence[_Number], text: str) -> list[_Number]:
    """The required numbers that a text does not contain; `numbers` are those read from it."""
    values: set[Fraction | int] = set().union(*(number.values for number in numbers))
    values.update(part for number in numbers if len(number.parts) > 1 for part in number.parts)
    missing = [number for number in required if not _is_in(number, values)]
    if missing and (numerals := _roman_values(text) | _han_values(text)):
        missing = [number for number in missing if numerals.isdisjoint(number.values)]
    return missing


def _is_in(number: _Number, values: set[Fraction | int]) -> bool:
    """Whether a number is among the values of a text: whole, in parts, as a decade, or as a Thai year."""
    if not values.isdisjoint(number.values) or (len(number.parts) > 1 and values.issuperset(number.parts)):
        return True
    years = [value for value in number.values if 1000 <= value < 2600]
    return any(
        year + 543 in values or (year % 10 == 0 and year % 100 in values)  # 1980s: 80
        for year in years
    )


def _not_small(numbers: Iterable[_Number], smallest: int) -> list[_Number]:
    """The numbers that are unlikely to be written as words."""
    return [n for n in numbers if not all(value < smallest and value.denominator == 1 for value in n.values)]


def _listed(numbers: Sequence[_Number]) -> str | None:
    return ", ".join(number.text for number in numbers[:_MAX_LISTED]) or None


def _read(text: str) -> list[_Number]:
    """Read the numbers of a text. The last one of "2 million 800 thousand" may also be the sum."""
    numbers: list[_Number] = []
    end, smallest_power, sums = -1, 0, frozenset[Fraction | int]()
    for match in _NUMBER_AND_WORD.finditer(plain(text[:_MAX_CHARS])):
        digits, word = match.groups()
        if len(digits) > 3 * MAX_DIGITS:
            continue
        values, powers = _values(digits), _powers(word) if word else ()
        scaled = {value * 10**power for power in powers for value in values}
        continues = (
            match.start() - end <= 1
            and smallest_power > max(powers, default=0)
            and len(sums) <= _MAX_MEANINGS
        )
        sums = frozenset(a + b for a in sums for b in scaled or values) if continues else frozenset(scaled)
        numbers.append(_Number(digits, values | scaled | sums, tuple(map(int, _DIGITS.findall(digits)))))
        end, smallest_power = match.end(), min(powers, default=0)
    return numbers


@lru_cache(maxsize=4096)
def _values(number: str) -> frozenset[Fraction | int]:
    values = {value for mark in DECIMAL_MARKS if (value := reading(number, mark)) is not None}
    digits = "".join(_DIGITS.findall(number))
    return frozenset(values or ([int(digits)] if len(digits) <= MAX_DIGITS else []))  # a phone number, a date


@lru_cache(maxsize=4096)
def _powers(word: str) -> tuple[int, ...]:
    """Powers of ten that a word after a number may mean, by the longest entry that the word begins with."""
    scales, word = _scales(), word.casefold()
    for end in range(len(word), 0, -1):
        powers = scales.get(word[:end], ())
        if powers and (end == len(word) or end > 3 or not word[:1].isascii()):
            return powers
    return ()


@cache
def _scales() -> dict[str, tuple[int, ...]]:
    rows = read_table(Path(__file__).with_name("scales.csv"))
    return {row["word"]: tuple(map(int, row["powers"].split("|"))) for row in rows}


def _roman_values(text: str) -> set[Fraction | int]:
    """Values of the Roman numerals up to 39 in a text, also in Cyrillic letters that look the same."""
    values: set[Fraction | int] = set()
    for numeral in set(_ROMAN.findall(text[:_MAX_CHARS])):
        digits = [_ROMAN_DIGITS[c] for c in numeral.replace("І", "I").replace("Х", "X")]
        values.add(sum(-a if a < b else a for a, b in zip(digits, [*digits[1:], 0], strict=True)))
    return values


def _han_values(text: str) -> set[Fraction | int]:
    """Values of the Chinese numerals up to 9,999 in a text: 十三, 二百八十一, 二〇一六."""
    values: set[Fraction | int] = set()
    for numeral in set(_HAN.findall(text[:_MAX_CHARS])):
        value, digits = 0, ""
        for character in numeral:
            if power := _HAN_POWERS.get(character):
                value, digits = value + int(digits or 1) * power, ""
            else:
                digits += _HAN_DIGITS[character]
        values.add(value + int(digits or 0))
    return values
