"""No model: a reply made from the prompt, to try a recipe."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from glotmill.errors import UsageError
from glotmill.messages import Engine, Reply, Request

_DEEPEST = 16  # schemas that nest deeper, or contain themselves, are not filled in


@asynccontextmanager
async def echo(
    model: str,
    *,
    revision: str | None = None,
    delay_s: float = 0.0,
    jitter: float = 0.0,
    text: str = "{prompt}",
) -> AsyncIterator[Engine]:
    """Reply with `text`, in which `{prompt}` is the last user message and `{key}` the key of the request.

    A request with a schema gets the smallest JSON that the schema allows, with `text` as its strings. Words
    count as tokens.

    delay_s: seconds that a reply takes.
    jitter: how much longer it may take, as a share of delay_s; drawn from the key, so that the same request
        always takes the same time.

    Raises:
        UsageError: a negative delay or jitter.
    """
    if delay_s < 0 or jitter < 0:
        raise UsageError(f"engine echo: delay_s={delay_s}, jitter={jitter}; both must be 0 or more")

    async def generate(request: Request) -> Reply:
        await asyncio.sleep(delay_s * (1 + jitter * int(request.key[:8], 16) / 2**32) if delay_s else 0)
        prompt = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        content = text.replace("{key}", request.key).replace("{prompt}", prompt)
        if request.schema:
            schema = _parsed(request.schema)
            content = json.dumps(_instance(schema, schema, content, 0), ensure_ascii=False)
        prompt_tokens = sum(len(m.content.split()) for m in request.messages)
        return Reply(content, prompt_tokens=prompt_tokens, completion_tokens=len(content.split()))

    yield generate


@lru_cache(maxsize=64)
def _parsed(schema: str) -> Any:
    return json.loads(schema)


def _instance(schema: Any, root: Any, text: str, depth: int) -> Any:
    """Return the smallest value that a plain schema allows, with `text` for strings."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    alternatives = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if "const" in schema or schema.get("enum"):
        value = schema["const"] if "const" in schema else schema["enum"][0]
    elif "$ref" in schema:
        value = _instance(_target(schema["$ref"], root), root, text, depth + 1)
    elif alternatives:
        value = _instance(alternatives[0], root, text, depth + 1)
    else:
        value = _typed(schema, root, text, depth)
    return value


def _typed(schema: dict[str, Any], root: Any, text: str, depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        inner = schema.get("properties", {})
        names = schema.get("required", [])
        return {name: _instance(inner.get(name, {}), root, text, depth + 1) for name in names}
    if kind == "array":
        first = schema.get("prefixItems", [])
        rest = [schema.get("items", {})] * (schema.get("minItems", 0) - len(first))
        return [_instance(item, root, text, depth + 1) for item in [*first, *rest]]
    if kind in ("integer", "number"):
        value = _number(schema)
        return int(value) if kind == "integer" else value
    if kind == "string":
        return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
    return {"boolean": False}.get(kind)


def _number(schema: dict[str, Any]) -> Any:
    step = schema.get("multipleOf", 1)
    above = schema.get("exclusiveMinimum")
    low = schema.get("minimum", 0 if above is None else above)
    value = -(-low // step) * step
    if above is not None and value <= above:
        value += step
    return min(value, schema.get("maximum", value) // step * step)


def _target(reference: str, root: Any) -> Any:
    """Return the schema that a reference such as `#/$defs/Name` points to."""
    for part in reference.removeprefix("#").strip("/").split("/"):
        root = root.get(part, {}) if isinstance(root, dict) and part else root
    return root
