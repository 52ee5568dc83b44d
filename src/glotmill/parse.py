"""Turns the text of a reply into the value of a column: text, json, lines, turns, or what stands in a tag."""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import polars as pl

from glotmill.errors import RecipeError

TURNS = pl.List(pl.Struct({"speaker": pl.String, "text": pl.String}))
MAX_ITEMS = 1000  # lines or turns of one reply

_SIMPLE = {"string": pl.String(), "integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean()}
_FENCE = re.compile(r"\A```\w*\n(.*?)\n?```\Z", re.DOTALL)
_BULLET = re.compile(r"\A(?:[-*•–]\s+|\(?\d{1,3}[.)、:]\s*)")
_TURN = re.compile(
    r"\A[\s*_>\-•]*(?:\d{1,3}[.)]\s*)?[*_]*(?P<speaker>[^\s:：*_][^:：\n*_]{0,29}?)[*_]*\s*[:：][*_]*\s*(?P<text>.*)\Z"
)
_NARRATION = re.compile(r"\A(?:\(.*\)|\[.*\]|\*.*\*|（.*）|-{3,}|={3,})\Z")


class Unparsed(ValueError):
    """The reply does not have the form asked for; its text is the reason: `unparsed_json`."""


def dtype(as_: str, schema: dict[str, Any] | None) -> pl.DataType:
    """Return the polars type of a column made by `as: as_` and, for json, `schema`."""
    if schema is not None:
        return _schema_dtype(schema)
    return {"lines": pl.List(pl.String), "turns": TURNS}.get(as_, pl.String())


def parser(as_: str, column: str, schema: dict[str, Any] | None) -> Callable[[str], Any]:
    """Return the function from a reply's text to the column's value; it raises Unparsed."""
    if schema is not None:
        return _schema_parser(schema)
    return {"text": _text, "json": _json, "lines": _lines, "turns": _turns, "tag": _tag(column)}[as_]


def _text(text: str) -> str:
    if not (text := text.strip()):
        raise Unparsed("empty_reply")
    return text


def _json(text: str) -> str:
    return json.dumps(_load(text), ensure_ascii=False, sort_keys=True)


def _load(text: str) -> Any:
    text = text.strip()
    if fenced := _FENCE.match(text):
        text = fenced[1]
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Unparsed("unparsed_json") from None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)  # NaN and Infinity are not JSON


def _lines(text: str) -> list[str]:
    lines = [_BULLET.sub("", line.strip()).strip() for line in text.splitlines()]
    if not (lines := [line for line in lines if line]) or len(lines) > MAX_ITEMS:
        raise Unparsed("unparsed_lines")
    return lines


def _turns(text: str) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    for line in text.splitlines():
        if not (line := line.strip()) or _NARRATION.match(line):
            continue
        if turn := _TURN.match(line):
            turns.append({"speaker": turn["speaker"].strip(), "text": turn["text"].strip()})
        elif turns:  # a turn may run over several lines
            turns[-1]["text"] = f"{turns[-1]['text']}\n{line}".strip()
        else:
            raise Unparsed("unparsed_turns")
    if not turns or len(turns) > MAX_ITEMS:
        raise Unparsed("unparsed_turns")
    return turns


def _tag(column: str) -> Callable[[str], str]:
    pattern = re.compile(rf"<{re.escape(column)}>(.*?)</{re.escape(column)}>", re.DOTALL)

    def parse(text: str) -> str:
        if not (found := pattern.search(text)) or not found[1].strip():
            raise Unparsed("unparsed_tag")
        return found[1].strip()

    return parse


def _schema_parser(schema: dict[str, Any]) -> Callable[[str], Any]:
    validate = _validator(json.dumps(schema))
    whole = _schema_dtype(schema)

    def parse(text: str) -> Any:
        value = _load(text)
        if not validate(value):
            raise Unparsed("unparsed_schema")
        return _fit(value, whole)

    return parse


@cache
def _validator(schema: str) -> Callable[[Any], bool]:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(json.loads(schema))
    except SchemaError as error:
        raise RecipeError(f"schema: {error.message}") from None
    return Draft202012Validator(json.loads(schema)).is_valid


def _schema_dtype(schema: dict[str, Any]) -> pl.DataType:
    """What polars type holds a value of this schema; JSON text where no type says it."""
    kind = schema.get("type")
    if kind == "array" and isinstance(schema.get("items"), dict):
        return pl.List(_schema_dtype(schema["items"]))
    if kind == "object" and schema.get("properties"):
        return pl.Struct({name: _schema_dtype(part) for name, part in schema["properties"].items()})
    if "enum" in schema and all(isinstance(v, str) for v in schema["enum"]):
        return pl.String()
    return _SIMPLE.get(kind, pl.String()) if isinstance(kind, str) else pl.String()


def _fit(value: Any, whole: pl.DataType) -> Any:
    """Bring a valid value into the column's type: what the schema leaves open becomes JSON text."""
    if isinstance(whole, pl.Struct):
        given = value if isinstance(value, dict) else {}
        return {f.name: _fit(given[f.name], f.dtype) if f.name in given else None for f in whole.fields}  # type: ignore[arg-type]
    if isinstance(whole, pl.List) and isinstance(value, list):
        return [_fit(item, whole.inner) for item in value]  # type: ignore[arg-type]
    if whole == pl.String and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if whole == pl.Int64 and isinstance(value, float | int) and not -(2**63) <= value < 2**63:
        raise Unparsed("unparsed_schema")
    return int(value) if whole == pl.Int64 else value
