"""Parses the text of a reply into the value of a column, as `as:` of the step says.

text    the text without what models write around it: preamble, goodbye, label, quotation marks
json    JSON text, from a reply that is JSON or holds some; with `schema:`, typed and validated
lines   a list of texts, one per line, without bullets, numbers, preamble and goodbye
turns   a list of {speaker, text}, from lines such as "Ana: Good morning."
tag     the text between <column> and </column>

A reply of another form raises Unparsed. Parsers accept what models write around the answer, and refuse rather
than guess. Each takes time in proportion to the reply, whatever it holds.

Read `text.py` first, then `lines.py`, `turns.py`, `json_values.py` and `schema.py`; `remarks.py` knows the
phrases of 71 languages.
"""

import re
from collections.abc import Callable
from typing import Any

import polars as pl

from glotmill.columns import UNPARSED
from glotmill.runner.parse.json_values import json_values, to_json
from glotmill.runner.parse.lines import parse_lines
from glotmill.runner.parse.schema import schema_dtype, schema_parser
from glotmill.runner.parse.text import parse_exact_text, parse_text, without_tokens
from glotmill.runner.parse.turns import parse_turns
from glotmill.runner.parse.unparsed import Unparsed

__all__ = ["TURNS", "Unparsed", "dtype", "parser"]

TURNS = pl.List(pl.Struct({"speaker": pl.String, "text": pl.String}))


def dtype(as_: str, schema: dict[str, Any] | None) -> pl.DataType:
    """Return the type of a column that is parsed `as: as_`, with the `schema` of the step if it has one."""
    if schema is not None:
        return schema_dtype(schema)
    return {"lines": pl.List(pl.String), "turns": TURNS}.get(as_, pl.String())


def parser(
    as_: str, column: str, schema: dict[str, Any] | None, *, exact: bool = False
) -> Callable[[str], Any]:
    """Return the function that parses a reply into the value of `column`, or raises Unparsed.

    exact: whether the reply follows a constraint, so that a text has nothing around it.
    Raises RecipeError if `schema` is not a JSON schema.
    """
    if exact and schema is None and as_ == "text":
        return parse_exact_text
    parse = schema_parser(schema) if schema is not None else _parser(as_, column)
    return lambda text: parse(without_tokens(text))


def _parser(as_: str, column: str) -> Callable[[str], Any]:
    parsers: dict[str, Callable[[str], Any]] = {
        "text": parse_text,
        "json": _parse_json,
        "lines": parse_lines,
        "turns": parse_turns,
        "tag": _tag_parser(column),
    }
    return parsers[as_]


def _parse_json(text: str) -> str:
    for value in json_values(text):
        try:
            return to_json(value)
        except RecursionError:
            break
    raise Unparsed(UNPARSED + "json")


def _tag_parser(column: str) -> Callable[[str], str]:
    """Return the parser of the first text in tags with a letter or a digit: <answer>...</answer> has none."""
    tagged = re.compile(rf"<{re.escape(column)}>(.*?)</{re.escape(column)}>", re.DOTALL)

    def parse(text: str) -> str:
        end = (
            text.rfind(f"</{column}>") + len(column) + 3
        )  # without it, each opening tag is a search to the end
        for found in tagged.finditer(text, 0, end):
            if any(map(str.isalnum, content := found[1].strip())):
                return content
        raise Unparsed(UNPARSED + "tag")

    return parse
