"""A reply as a list of lines."""

import re

from glotmill.columns import UNPARSED
from glotmill.runner.parse import list_marks, remarks
from glotmill.runner.parse.text import is_preamble, unwrap
from glotmill.runner.parse.unparsed import Unparsed

MAX_ITEMS = 1000  # lines or turns in one reply
_RULE = re.compile(r"\A[-*_=]{3,}\Z")
_TAG = re.compile(r"\A</?[ou]l>\Z|\A<li>|</li>\Z")
_COLONS = (":", "：")


def parse_lines(text: str) -> list[str]:
    """Return the lines of a reply without bullets and numbers, and without preamble and goodbye.

    Where the lines with marks stand together, only they are items. Raises Unparsed if none or more than
    MAX_ITEMS remain.
    """
    lines = [_TAG.sub("", line.strip()).strip() for line in text.strip().splitlines()]
    lines = ["" if _RULE.match(line) else line for line in lines if not line.startswith("```")]
    marked = list_marks.items(lines)
    numbers = [number for number, item in enumerate(marked) if item is not None]
    first, last = _items_of_marks(lines, marked) if len(numbers) >= 2 else (0, 0)
    if not last:
        first, last = _without_ends(lines, marked)
    found = [line if item is None else item for line, item in zip(lines, marked, strict=True)]
    items = [item.strip() for item in found[first:last] if item.strip()]
    if not items or len(items) > MAX_ITEMS:
        raise Unparsed(UNPARSED + "lines")
    unwrapped = [unwrap(item) for item in items]
    return unwrapped if all(a != b for a, b in zip(items, unwrapped, strict=True)) else items


def _items_of_marks(lines: list[str], marked: list[str | None]) -> tuple[int, int]:
    """Return from where to where all lines have marks; 0, 0 if others stand among them.

    A line right after bullets may be one that lacks its own; after numbers it is none.
    """
    numbers = [number for number, item in enumerate(marked) if item is not None]
    first, last = numbers[0], numbers[-1] + 1
    if any(marked[number] is None and lines[number] for number in range(first, last)):
        return 0, 0
    if list_marks.is_bullet(lines[last - 1]):
        while last < len(lines) and lines[last] and remarks.leave_start(lines[last]):
            last += 1
    return first, last


def _without_ends(lines: list[str], marked: list[str | None]) -> tuple[int, int]:
    """Return from where to where the items stand: without a first line that presents, and a goodbye."""
    first, last = 0, len(lines)
    while first < last and not lines[first]:
        first += 1
    if any(lines[first + 1 :]) and marked[first] is None and _presents(lines[first], not lines[first + 1]):
        first += 1
    while last - first > 1 and (not lines[last - 1] or _takes_leave(lines[first:last])):
        last -= 1
    return first, last


def _presents(line: str, blank: bool) -> bool:
    """Return whether a first line only presents the others, as one that ends in a colon does."""
    bare = line.rstrip("*_ ")
    return len(line) <= remarks.MAX_OPENING and (bare.endswith(_COLONS) or is_preamble(bare, blank))


def _takes_leave(lines: list[str]) -> bool:
    """Return whether the last line takes leave. One among others may be a person hoping for something."""
    set_off = not lines[-2] and "" not in lines[:-2]
    return (set_off or lines[-1].endswith(("!", "！"))) and remarks.leave_start(lines[-1]) == 0
