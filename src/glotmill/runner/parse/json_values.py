"""Finds JSON in a reply: the whole reply, or the first value with words or a code fence around it.

Three things that models write into JSON have one meaning only and are read: line breaks within a string, a
backslash before a sign without need (`\\(x\\)`, `it\\'s`), and a comma before a closing bracket. Everything
else that is not JSON is refused (single quotes, comments, NaN).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from glotmill.io.surrogates import replace_surrogates

_BRACKET = re.compile(r"[\[{]")
_SCALAR = re.compile(r"(?<![\w.])(?:-?\d+(?:\.\d+)?|true|false)(?![\w.]*\w)")
# A string (to the end if nothing closes it, so that each sign is read once), or a comma before a bracket.
_LAST_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+(?:"|\Z))|,(?=\s*+[}\]])', re.DOTALL)
_BACKSLASH = re.compile(r"""(\\["\\/bfnrtu])|\\(')?""")
_MAX_BRACKETS = 1_000  # in one reply; an error of `json` reads all that is before it
_MAX_REPAIRS = 3  # in one reply; each reads what is left of it
_MAX_SCALAR = 200  # characters of a reply that may hold a number among words


def json_values(text: str) -> Iterator[Any]:
    """Yield the JSON values in a reply: itself if it is one; else those at the start of a line, then others.

    After JSON that is broken or cut off nothing is yielded: what follows may be a part of it. A reply without
    objects and arrays may hold one number, or `true` or `false`, among words ("Score: 4").
    """
    text = text.strip()
    try:
        yield _DECODER.decode(text)
        return
    except (ValueError, RecursionError):
        pass
    found = list(_values_within(text))
    yield from (value for at_start, value in found if at_start)
    yield from (value for at_start, value in found if not at_start)
    if len(text) <= _MAX_SCALAR and not _BRACKET.search(text) and len(scalars := _SCALAR.findall(text)) == 1:
        yield _DECODER.decode(scalars[0])


def _values_within(text: str) -> Iterator[tuple[bool, Any]]:
    """Yield the objects and arrays in a text, and whether each is the first on its line."""
    position, repairs = 0, 0
    for _ in range(_MAX_BRACKETS):
        if not (bracket := _BRACKET.search(text, position)):
            return
        start = bracket.start()
        try:
            value, position = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            if text[start : error.pos].strip("[{ \t\r\n") == "" and not error.msg.startswith("Unterminated"):
                position = max(error.pos, start + 1)  # a bracket in prose, such as [see above]
                continue
            if (repairs := repairs + 1) > _MAX_REPAIRS:
                return
            text = text[:start] + _LAST_COMMA.sub(_repair, text[start:])
            try:
                value, position = _DECODER.raw_decode(text, start)
            except (ValueError, RecursionError):
                return
        except (ValueError, RecursionError):
            return
        yield not text[max(0, start - 40, text.rfind("\n", 0, start) + 1) : start].strip(), value


def _repair(found: re.Match[str]) -> str:
    """Return a string with its stray backslashes spelt as JSON does; nothing for a comma before a bracket."""
    return _BACKSLASH.sub(lambda m: m[1] or ("'" if m[2] else r"\\"), found[1]) if found[1] else ""


def _refuse_constant(constant: str) -> Any:
    raise ValueError(constant)  # json accepts NaN and Infinity, which are not JSON


def _finite_float(number: str) -> float:
    if abs(value := float(number)) == float("inf"):
        raise ValueError(number)
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite_float, strict=False)


def to_json(value: Any) -> str:
    """Return a value as JSON text, with sorted keys; halves of surrogate pairs are replaced by `?`."""
    return json.dumps(replace_surrogates(value), ensure_ascii=False, sort_keys=True)
