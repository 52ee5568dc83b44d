"""JSON schemas: whether a value fits one, and the column type that it gives."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import polars as pl

from glotmill.columns import UNPARSED
from glotmill.errors import RecipeError
from glotmill.io.surrogates import replace_surrogates
from glotmill.runner.parse.json_values import json_values, to_json
from glotmill.runner.parse.unparsed import Unparsed

# JSON schema type -> column type
_SCALARS = {"string": pl.String(), "integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean()}
_MAX_DEPTH = 64  # a schema that goes deeper gives JSON as text there


def schema_parser(schema: dict[str, Any]) -> Callable[[str], Any]:
    """Return the function that finds the first JSON value in a reply that fits a schema, or raises Unparsed.

    Raises RecipeError if `schema` is not a JSON schema.
    """
    is_valid = _validator(json.dumps(schema))
    column_type = schema_dtype(schema)

    def parse(text: str) -> Any:
        reason = UNPARSED + "json"
        for found in json_values(text):
            reason = UNPARSED + "schema"
            try:
                value = replace_surrogates(found)
                if is_valid(value):
                    return _cast(value, column_type)
            except (RecursionError, OverflowError):
                continue
        raise Unparsed(reason)

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
        if _target(reference, values) is None:
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


def _target(reference: str, schema: Any) -> Any:
    """Return what a $ref points to within its schema; None if nothing. No other is followed or fetched."""
    if reference == "#":
        return schema
    if not reference.startswith("#/"):
        return None
    target = schema
    for segment in reference.removeprefix("#/").split("/"):
        name = segment.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, dict) or name not in target:
            return None
        target = target[name]
    return target


def schema_dtype(schema: dict[str, Any]) -> pl.DataType:
    """Return the column type for a schema; JSON as text where it leaves the type open, or holds itself.

    "An integer or null" is an integer: columns hold nulls of any type.
    """
    return _dtype(schema, schema, ())


def _dtype(schema: Any, root: Any, within: tuple[int, ...]) -> pl.DataType:
    """Return the type for a part of the schema `root`; within: the parts (by identity) that it is in."""
    if not isinstance(schema, dict) or id(schema) in within or len(within) > _MAX_DEPTH:
        return pl.String()
    within = (*within, id(schema))
    if isinstance(reference := schema.get("$ref"), str):
        return _dtype(_target(reference, root), root, within)
    for union in ("anyOf", "oneOf", "allOf"):
        if isinstance(parts := schema.get(union), list) and "type" not in schema:
            others = {str(t): t for part in parts if not _is_null(part) for t in [_dtype(part, root, within)]}
            return _common(list(others.values()))
    kinds, properties = _kinds(schema), schema.get("properties")
    if kinds == {"array"} and isinstance(schema.get("items"), dict):
        return pl.List(_dtype(schema["items"], root, within))
    if kinds == {"object"} and properties and isinstance(properties, dict):
        return pl.Struct({name: _dtype(value, root, within) for name, value in properties.items()})
    return _common([_SCALARS.get(kind, pl.String()) for kind in sorted(kinds)])


def _common(dtypes: list[pl.DataType]) -> pl.DataType:
    """Return the type that holds values of all these: theirs if it is one; numbers; else JSON as text."""
    if len(dtypes) == 1:
        return dtypes[0]
    return pl.Float64() if dtypes and all(t.is_numeric() for t in dtypes) else pl.String()


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and (
        schema.get("type") == "null" or schema.get("enum") == [None] or schema.get("const", "") is None
    )


def _kinds(schema: dict[str, Any]) -> set[str]:
    """Return the names of the types that a schema admits, but null; without `type`, those of its values."""
    kind = schema.get("type")
    if kind is not None:
        return set([kind] if isinstance(kind, str) else kind) - {"null"}
    values = (
        schema["enum"]
        if isinstance(schema.get("enum"), list)
        else [schema["const"]]
        if "const" in schema
        else []
    )
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    return {names.get(type(value), "object") for value in values} - {"null"}


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
    return to_json(value)
