"""Turns the text of a reply into the value of a column: text, json, lines, turns, or what stands in a tag."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import polars as pl

from glotmill.errors import RecipeError
from glotmill.io.text import replace_surrogates

TURNS = pl.List(pl.Struct({"speaker": pl.String, "text": pl.String}))
MAX_ITEMS = 1000  # lines or turns of one reply

_SIMPLE = {"string": pl.String(), "integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean()}
_NUMBER = r"[(（]?\d{1,3}(?:[.)）、．:：।](?!\d)|[-–](?=\s))"  # of a list: 1. 2) （３） ४। 5-, but not 3.5
_BULLET = re.compile(rf"\A(?:[-*–—]\s+|[•·・]\s*|{_NUMBER}\s*)")
# Possessive, and the label is bounded: no text makes this slow.
_TURN = re.compile(
    rf"\A[\s*_>\-–—•]*+(?:{_NUMBER}\s*+)?[*_]*+(?P<speaker>[^\s:：*_][^:：\n*]{{0,39}}?)[*_\s]*+[:：](?!//)[*_]*+"
    r"(?P<text>.*)\Z"
)
_ASIDE = re.compile(r"\s*[(（\[【].*\Z")  # behind a speaker's name: Ana (smiling)
_LETTER = re.compile(r"[^\W\d_]")
_NARRATION = re.compile(
    r"\A(?:\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]|【[^【】]*】|\*[^*:：]*\*|```\w*|[-=*_~—]{3,})\Z"
)
_HEADING = re.compile(r"\A(?:#+\s.*|\*\*[^*:：]*\*\*)\Z")


class Unparsed(ValueError):
    """The reply does not have the form asked for; its text is the reason: `unparsed_json`."""


def dtype(as_: str, schema: dict[str, Any] | None) -> pl.DataType:
    """Return the polars type of a column made by `as: as_` and, for json, `schema`."""
    if schema is not None:
        return _schema_dtype(schema)
    return {"lines": pl.List(pl.String), "turns": TURNS}.get(as_, pl.String())


def parser(as_: str, column: str, schema: dict[str, Any] | None) -> Callable[[str], Any]:
    """Return the function from a reply's text to the column's value; it raises Unparsed.

    Raises RecipeError for a schema that is none.
    """
    if schema is not None:
        return _schema_parser(schema)
    return {"text": _text, "json": _json, "lines": _lines, "turns": _turns, "tag": _tag(column)}[as_]


def _text(text: str) -> str:
    if not (text := text.strip()):
        raise Unparsed("empty_reply")
    return text


def _json(text: str) -> str:
    return _dump(_load(text))


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _load(text: str) -> Any:
    """The JSON value of a reply that is one, or that holds one in a fence."""
    for candidate in (text, _fenced(text)):
        try:
            return replace_surrogates(json.loads(candidate, parse_constant=_refuse, parse_float=_finite))
        except (ValueError, RecursionError):
            continue
    raise Unparsed("unparsed_json")


def _fenced(text: str) -> str:
    start = text.find("\n", text.find("```"))
    return text[start : text.find("```", start)] if "```" in text and start >= 0 else ""


def _refuse(constant: str) -> Any:
    raise ValueError(constant)  # NaN and Infinity are not JSON


def _finite(number: str) -> float:
    if abs(value := float(number)) == float("inf"):
        raise ValueError(number)
    return value


def _lines(text: str) -> list[str]:
    stripped = (line.strip() for line in text.splitlines())
    lines = [_BULLET.sub("", line).strip() for line in stripped if not line.startswith("```")]
    if not (lines := [line for line in lines if line]) or len(lines) > MAX_ITEMS:
        raise Unparsed("unparsed_lines")
    return lines


def _turns(text: str) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    for line in text.splitlines():
        if not (line := line.strip()) or _NARRATION.match(line) or (not turns and _HEADING.match(line)):
            continue
        if turn := _spoken(line):
            turns.append(turn)
        elif turns:  # a turn may run over several lines
            turns[-1]["text"] = f"{turns[-1]['text']}\n{line}".strip()
        else:
            raise Unparsed("unparsed_turns")
        if len(turns) > MAX_ITEMS:
            raise Unparsed("unparsed_turns")
    if turns and not turns[0]["text"]:  # "Here is the dialogue:"
        turns = turns[1:]
    if not turns:
        raise Unparsed("unparsed_turns")
    return turns


def _spoken(line: str) -> dict[str, str] | None:
    """The speaker and the text of a line that begins with a name and a colon."""
    if not (turn := _TURN.match(line)) or not _LETTER.search(turn["speaker"]):
        return None
    speaker, said = _ASIDE.sub("", turn["speaker"]).strip() or turn["speaker"].strip(), turn["text"].strip()
    if line[0] in "*_" and said[-1:] == line[0] and said.count(line[0]) % 2:  # the whole line is marked
        said = said.rstrip("*_").rstrip()
    return {"speaker": speaker, "text": said}


def _tag(column: str) -> Callable[[str], str]:
    opening, closing = f"<{column}>", f"</{column}>"

    def parse(text: str) -> str:
        _, found, rest = text.partition(opening)
        inside, ended, _ = rest.partition(closing)
        if not found or not ended or not inside.strip():
            raise Unparsed("unparsed_tag")
        return inside.strip()

    return parse


def _schema_parser(schema: dict[str, Any]) -> Callable[[str], Any]:
    validate = _validator(json.dumps(schema))
    whole = _schema_dtype(schema)

    def parse(text: str) -> Any:
        value = _load(text)
        try:
            if validate(value):
                return _fit(value, whole)
        except (RecursionError, OverflowError):
            pass
        raise Unparsed("unparsed_schema")

    return parse


@cache
def _validator(schema: str) -> Callable[[Any], bool]:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    plain = json.loads(schema)
    try:
        Draft202012Validator.check_schema(plain)
    except SchemaError as error:
        raise RecipeError(f"schema: {error.message}") from None
    for reference in _references(plain):
        if not _points_inside(reference, plain):
            raise RecipeError(f"schema: $ref {reference!r} points to nothing in it; write #/$defs/NAME")
    valid: Callable[[Any], bool] = Draft202012Validator(plain).is_valid
    return valid


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _points_inside(reference: str, schema: Any) -> bool:
    """Nothing is fetched from elsewhere, whatever a schema says."""
    if reference == "#":
        return True
    here = schema
    for part in reference.removeprefix("#/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(here, dict) or name not in here:
            return False
        here = here[name]
    return reference.startswith("#/")


def _schema_dtype(schema: Any) -> pl.DataType:
    """What polars type holds a value of this schema; JSON text where no type says it."""
    if not isinstance(schema, dict):
        return pl.String()
    kind, parts = schema.get("type"), schema.get("properties")
    if kind == "array" and isinstance(schema.get("items"), dict):
        return pl.List(_schema_dtype(schema["items"]))
    if kind == "object" and parts and isinstance(parts, dict):
        return pl.Struct({name: _schema_dtype(part) for name, part in parts.items()})
    return _SIMPLE.get(kind, pl.String()) if isinstance(kind, str) else pl.String()


def _fit(value: Any, whole: Any) -> Any:
    """Bring a valid value into the column's type: what the schema leaves open becomes JSON text."""
    if value is None or whole == pl.Boolean or isinstance(value, str):
        return value
    if isinstance(whole, pl.Struct):
        return {part.name: _fit(value.get(part.name), part.dtype) for part in whole.fields}
    if isinstance(whole, pl.List):
        return [_fit(item, whole.inner) for item in value]
    if whole == pl.Float64:
        return float(value)
    if whole == pl.Int64:
        if not -(2**63) <= value < 2**63:
            raise OverflowError
        return int(value)
    return _dump(value)
