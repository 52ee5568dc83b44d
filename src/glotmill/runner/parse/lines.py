"""A reply as a list of lines."""

import re

from glotmill.columns import UNPARSED
from glotmill.runner.parse import remarks
from glotmill.runner.parse.text import is_preamble, unwrap
from glotmill.runner.parse.unparsed import Unparsed

MAX_ITEMS = 1000  # lines or turns in one reply
# Number of a list item: 1. 2) （３） ४। 5-, but not 3.5
NUMBER = r"[(（]?\d{1,3}(?:[.)）、．:：।](?!\d)|[-–](?=\s))"
_BULLET = re.compile(rf"\A(?:[-*–—]\s+|[•·・]\s*|{NUMBER}\s*)")
_RULE = re.compile(r"\A[-*_=]{3,}\Z")
_COLONS = (":", "：")


def parse_lines(text: str) -> list[str]:
    """Return the lines of a reply without bullets and numbers, and without preamble and goodbye.

    Raises Unparsed if none or more than MAX_ITEMS remain.
    """
    lines = [line for line in map(str.strip, text.strip().splitlines()) if not line.startswith("```")]
    lines = _without_ends(_without_preamble(lines))
    items = [item for line in lines if (item := _BULLET.sub("", line).strip()) and not _RULE.match(line)]
    if not items or len(items) > MAX_ITEMS:
        raise Unparsed(UNPARSED + "lines")
    unwrapped = [unwrap(item) for item in items]
    return unwrapped if all(a != b for a, b in zip(items, unwrapped, strict=True)) else items


def _without_preamble(lines: list[str]) -> list[str]:
    """Leave out a first line that only presents the others, such as one that ends in a colon."""
    while lines and not lines[0]:
        lines = lines[1:]
    if not any(lines[1:]) or _BULLET.match(lines[0]) or len(lines[0]) > remarks.MAX_OPENING:
        return lines
    first = lines[0].rstrip("*_ ")
    return lines[1:] if first.endswith(_COLONS) or is_preamble(first, not lines[1]) else lines


def _without_ends(lines: list[str]) -> list[str]:
    """Leave out last lines that take leave; and, around a list with marks, the paragraphs without any."""
    marked = [number for number, line in enumerate(lines) if _BULLET.match(line)]
    if len(marked) >= 2 and all(map(_BULLET.match, filter(None, lines[marked[0] : marked[-1] + 1]))):
        first, last = marked[0], marked[-1] + 1
        if first and not lines[first - 1]:
            lines, last = lines[first:], last - first
        if "" in lines[last : last + 1]:
            lines = lines[:last]
    while len(lines) > 1 and (not lines[-1] or _takes_leave(lines)):
        lines = lines[:-1]
    return lines


def _takes_leave(lines: list[str]) -> bool:
    """Return whether the last line takes leave. One among others may be a person hoping for something."""
    set_off = not lines[-2] and "" not in lines[:-2]
    return (set_off or lines[-1].endswith(("!", "！"))) and remarks.leave_start(lines[-1]) == 0
