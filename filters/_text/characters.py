"""Texts as arrays of code points, and what Unicode says of each code point.

A filter that classifies every character of many texts does it with one index into a table: `code_points`
gives the characters as numbers, and a table, built once from `categories` and `matching`, holds an entry for
each number. `scripts`, `code_points` and `_similar.shingles` build theirs here.
"""

import unicodedata
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

ALL = 0x110000  # code points of Unicode
MORE_HAN = 0x20000  # the planes of further Han characters begin
ASSIGNED = 0x32400  # no letter, mark, number or punctuation lies here or beyond


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the code points of a text, a lone surrogate as `?`."""
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)


@cache
def categories() -> NDArray[np.str_]:
    """Return the general category (Lu, Mn, Zs, ...) of each code point before MORE_HAN."""
    return np.array([unicodedata.category(chr(point)) for point in range(MORE_HAN)])


def matching(pattern: str, points: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which of these code points, all before ASSIGNED, a regular expression matches."""
    return np.asarray(_characters().gather(points).str.contains(pattern).to_numpy())


@cache
def _characters() -> pl.Series:
    """Every code point before ASSIGNED as a text; a space for each surrogate, which no text can hold."""
    return pl.Series([chr(point) if not 0xD800 <= point < 0xE000 else " " for point in range(ASSIGNED)])
