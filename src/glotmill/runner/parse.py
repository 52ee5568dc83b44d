"""Parses the text of a reply into the value of a column, as `as:` of the step says.

text    the text without white space around it
json    JSON text, from a reply that is JSON or has it in a code fence; with `schema:`, typed and validated
lines   a list of texts, one per line, without bullets and numbers
turns   a list of {speaker, text}, from lines such as "Ana: Good morning."
tag     the text between <column> and </column>

A reply of another form raises Unparsed. Parsers accept what models write around the answer (fences, bullets,
headings, stage directions), and refuse rather than guess.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import polars as pl

from glotmill.columns import EMPTY_REPLY, UNPARSED
from glotmill.errors import RecipeError
from glotmill.io.surrogates import replace_surrogates

TURNS = pl.List(pl.Struct({"speaker": pl.String, "text": pl.String}))
MAX_ITEMS = 1000  # lines or turns in one reply

# JSON schema type -> column type
_SCALARS = {"string": pl.String(), "integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean()}
# Number of a list item: 1. 2) （３） ४। 5-, but not 3.5
_NUMBER = r"[(（]?\d{1,3}(?:[.)）、．:：।](?!\d)|[-–](?=\s))"
_BULLET = re.compile(rf"\A(?:[-*–—]\s+|[•·・]\s*|{_NUMBER}\s*)")
# "**Ana:** Good morning". Possessive, and the speaker is bounded: no text makes this slow.
_TURN = re.compile(
    rf"\A[\s*_>\-–—•]*+(?:{_NUMBER}\s*+)?[*_]*+(?P<speaker>[^\s:：*_][^:：\n*]{{0,39}}?)[*_\s]*+[:：](?!//)[*_]*+"
    r"(?P<text>.*)\Z"
)
_ASIDE = re.compile(r"\s*[(（\[【].*\Z")  # after the name of a speaker: Ana (smiling)
_LETTER = re.compile(r"[^\W\d_]")
# Lines that are not speech: (a pause), [laughter], *sighs*, ```, ---
_NARRATION = re.compile(
    r"\A(?:\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]|【[^【】]*】|\*[^*:：]*\*|```\w*|[-=*_~—]{3,})\Z"
)
_HEADING = re.compile(r"\A(?:#+\s.*|\*\*[^*:：]*\*\*)\Z")


class Unparsed(ValueError):
    """The reply does not have the form that the step requires; the text of the error is the row's reason."""


def dtype(as_: str, schema: dict[str, Any] | None) -> pl.DataType:
    """Return the type of a column that is parsed `as: as_`, with the `schema` of the step if it has one."""
    if schema is not None:
        return _schema_dtype(schema)
    return {"lines": pl.List(pl.String), "turns": TURNS}.get(as_, pl.String())


def parser(as_: str, column: str, schema: dict[str, Any] | None) -> Callable[[str], Any]:
    """Return the function that parses a reply into the value of `column`, or raises Unparsed.

    Raises RecipeError if `schema` is not a JSON schema.
    """
    if schema is not None:
        return _schema_parser(schema)
    parsers: dict[str, Callable[[str], Any]] = {
        "text": _parse_text,
        "json": _parse_json,
        "lines": _parse_lines,
        "turns": _parse_turns,
        "tag": _tag_parser(column),
    }
    return parsers[as_]


def _parse_text(text: str) -> str:
    if not (text := text.strip()):
        raise Unparsed(EMPTY_REPLY)
    return text


def _parse_json(text: str) -> str:
    return _to_json(_load_json(text))


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _load_json(text: str) -> Any:
    """Return the JSON value of a reply, or of the first code fence in it."""
    for candidate in (text, _fenced(text)):
        try:
            value = json.loads(candidate, parse_constant=_refuse_constant, parse_float=_finite_float)
            return replace_surrogates(value)
        except (ValueError, RecursionError):
            continue
    raise Unparsed(UNPARSED + "json")


def _fenced(text: str) -> str:
    start = text.find("\n", text.find("```"))
    return text[start : text.find("```", start)] if "```" in text and start >= 0 else ""


def _refuse_constant(constant: str) -> Any:
    raise ValueError(constant)  # json accepts NaN and Infinity, which are not JSON


def _finite_float(number: str) -> float:
    if abs(value := float(number)) == float("inf"):
        raise ValueError(number)
    return value


def _parse_lines(text: str) -> list[str]:
    stripped = (line.strip() for line in text.splitlines())
    lines = [_BULLET.sub("", line).strip() for line in stripped if not line.startswith("```")]
    if not (lines := [line for line in lines if line]) or len(lines) > MAX_ITEMS:
        raise Unparsed(UNPARSED + "lines")
    return lines


def _parse_turns(text: str) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    for line in text.splitlines():
        if not (line := line.strip()) or _NARRATION.match(line) or (not turns and _HEADING.match(line)):
            continue
        if turn := _parse_turn(line):
            turns.append(turn)
        elif turns:  # a turn may run over several lines
            turns[-1]["text"] = f"{turns[-1]['text']}\n{line}".strip()
        else:
            raise Unparsed(UNPARSED + "turns")
        if len(turns) > MAX_ITEMS:
            raise Unparsed(UNPARSED + "turns")
    if turns and not turns[0]["text"]:  # "Here is the dialogue:"
        turns = turns[1:]
    if not turns:
        raise Unparsed(UNPARSED + "turns")
    return turns


def _parse_turn(line: str) -> dict[str, str] | None:
    """Return speaker and text of a line that begins with a name and a colon; None for any other line."""
    if not (turn := _TURN.match(line)) or not _LETTER.search(turn["speaker"]):
        return None
    name, text = turn["speaker"].strip(), turn["text"].strip()
    if line[0] in "*_" and text[-1:] == line[0] and text.count(line[0]) % 2:  # all of the line is emphasized
        text = text.rstrip("*_").rstrip()
    return {"speaker": _ASIDE.sub("", name).strip() or name, "text": text}


def _tag_parser(column: str) -> Callable[[str], str]:
    opening, closing = f"<{column}>", f"</{column}>"

    def parse(text: str) -> str:
        _, opened, rest = text.partition(opening)
        content, closed, _ = rest.partition(closing)
        if not opened or not closed or not content.strip():
            raise Unparsed(UNPARSED + "tag")
        return content.strip()

    return parse


def _schema_parser(schema: dict[str, Any]) -> Callable[[str], Any]:
    is_valid = _validator(json.dumps(schema))
    column_type = _schema_dtype(schema)

    def parse(text: str) -> Any:
        value = _load_json(text)
        try:
            if is_valid(value):
                return _cast(value, column_type)
        except (RecursionError, OverflowError):
            pass
        raise Unparsed(UNPARSED + "schema")

    return parse


@cache
def _validator(schema: str) -> Callable[[Any], bool]:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    values = json.loads(schema)
    try:
        Draft202012Validator.check_schema(values)
    except SchemaError as error:
        raise RecipeError(f"schema: {error.message}") from None
    for reference in _references(values):
        if not _is_local(reference, values):
            raise RecipeError(f"schema: $ref {reference!r} points to nothing in it; write #/$defs/NAME")
    is_valid: Callable[[Any], bool] = Draft202012Validator(values).is_valid
    return is_valid


def _references(schema: Any) -> Iterator[str]:
    """Yield every $ref in a schema."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _references(item)


def _is_local(reference: str, schema: Any) -> bool:
    """Return whether a $ref points to a place in its own schema. No other is followed: nothing is fetched."""
    if reference == "#":
        return True
    target = schema
    for segment in reference.removeprefix("#/").split("/"):
        name = segment.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, dict) or name not in target:
            return False
        target = target[name]
    return reference.startswith("#/")


def _schema_dtype(schema: Any) -> pl.DataType:
    """Return the column type for a schema; where it leaves the type open, JSON as text."""
    if not isinstance(schema, dict):
        return pl.String()
    kind, properties = schema.get("type"), schema.get("properties")
    if kind == "array" and isinstance(schema.get("items"), dict):
        return pl.List(_schema_dtype(schema["items"]))
    if kind == "object" and properties and isinstance(properties, dict):
        return pl.Struct({name: _schema_dtype(value) for name, value in properties.items()})
    return _SCALARS.get(kind, pl.String()) if isinstance(kind, str) else pl.String()


def _cast(value: Any, dtype: Any) -> Any:
    """Return a valid value in the type of the column. Raises OverflowError for an integer over 64 bits."""
    if value is None or dtype == pl.Boolean or isinstance(value, str):
        return value
    if isinstance(dtype, pl.Struct):
        return {field.name: _cast(value.get(field.name), field.dtype) for field in dtype.fields}
    if isinstance(dtype, pl.List):
        return [_cast(item, dtype.inner) for item in value]
    if dtype == pl.Float64:
        return float(value)
    if dtype == pl.Int64:
        if not -(2**63) <= value < 2**63:
            raise OverflowError
        return int(value)
    return _to_json(value)
