import asyncio
import json
import time
from typing import Any

import pytest

from glotmill.errors import UsageError
from glotmill.generators.echo import echo
from glotmill.messages import Message, Reply, Request


def ask(*requests: Request, **options: Any) -> list[Reply]:
    async def main() -> list[Reply]:
        async with echo("echo", **options) as generate:
            return [await generate(request) for request in requests]

    return asyncio.run(main())


def chat(*texts: str, schema: Any = None, seed: int = 0) -> Request:
    roles = ["user", "assistant"] * len(texts)
    messages = tuple(Message(role, text) for role, text in zip(roles, texts, strict=False))
    return Request(
        (Message("system", "Be brief."), *messages),
        "echo",
        seed=seed,
        schema=json.dumps(schema) if schema else "",
    )


def test_the_last_user_message_comes_back() -> None:
    (reply,) = ask(chat("ngapi?", "tano", "Habari ya leo"))
    assert reply == Reply("Habari ya leo", prompt_tokens=7, completion_tokens=3)


def test_text_may_carry_the_key_so_that_samples_differ() -> None:
    one, other, again = ask(chat("a"), chat("a", seed=1), chat("a"), text="{prompt}: {key}")
    assert one.text == f"a: {chat('a').key}"
    assert one.text != other.text
    assert one == again


def test_a_prompt_that_looks_like_a_placeholder_stays_text() -> None:
    assert ask(chat("say {key}"))[0].text == "say {key}"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 5}, 1),
        ({"type": "integer", "exclusiveMinimum": 4, "multipleOf": 4}, 8),
        ({"type": "number", "maximum": -2.5}, -3),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": "string", "minLength": 5, "maxLength": 6}, "ja..."),
        ({"enum": ["low", "high"]}, "low"),
        ({"const": 7}, 7),
        ({"type": ["integer", "null"]}, 0),
        (
            {"anyOf": [{"type": "array", "items": {"type": "integer"}, "minItems": 2}, {"type": "null"}]},
            [0, 0],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]},
            {"a": "ja"},
        ),
        (
            {"$defs": {"X": {"enum": [3]}}, "properties": {"x": {"$ref": "#/$defs/X"}}, "required": ["x"]},
            {"x": 3},
        ),
    ],
)
def test_a_schema_gets_the_smallest_json_it_allows(schema: Any, value: Any) -> None:
    (reply,) = ask(chat("ja", schema=schema))
    assert json.loads(reply.text) == value


def test_a_schema_that_contains_itself_ends() -> None:
    schema = {"type": "object", "properties": {"more": {"$ref": "#"}}, "required": ["more"]}
    assert ask(chat("x", schema=schema))[0].text.startswith('{"more": {"more"')


def test_the_delay_is_kept_and_drawn_from_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("glotmill.generators.echo.asyncio.sleep", sleep)
    ask(chat("a"), chat("b"), chat("a"), delay_s=2, jitter=0.5)
    assert slept[0] == slept[2] != slept[1]
    assert all(2 <= seconds < 3 for seconds in slept)


def test_a_negative_delay_is_refused() -> None:
    with pytest.raises(UsageError, match="delay_s=-1"):
        ask(delay_s=-1)


def test_twenty_thousand_replies_take_a_second() -> None:
    requests = [chat("Moja", "mbili", "tatu", seed=seed) for seed in range(20_000)]
    started = time.process_time()
    replies = ask(*requests)
    assert len(replies) == 20_000
    assert time.process_time() - started < 1
