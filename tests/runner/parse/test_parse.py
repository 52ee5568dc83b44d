"""Replies as models write them."""

from typing import Any

import polars as pl
import pytest

from glotmill.errors import RecipeError
from glotmill.runner.parse import TURNS, Unparsed, dtype, parser


def parsed(as_: str, text: str, schema: dict[str, Any] | None = None) -> Any:
    return parser(as_, "x", schema)(text)


def refused(as_: str, text: str, schema: dict[str, Any] | None = None) -> str:
    with pytest.raises(Unparsed) as error:
        parsed(as_, text, schema)
    return str(error.value)


def test_text() -> None:
    assert parsed("text", "\n a\u00a0b \n") == "a\u00a0b"
    assert refused("text", " \u3000\n") == "empty_reply"


@pytest.mark.parametrize(
    "mark",
    ["1. ", "2) ", "(3) ", "３．", "（４）", "5、", "٦. ", "७। ", "- ", "* ", "• ", "・", "8: ", "9- "],
)
def test_lines_lose_their_marks(mark: str) -> None:
    assert parsed("lines", f"\n{mark}ein Satz\n\n  {mark}还有一个\n") == ["ein Satz", "还有一个"]


@pytest.mark.parametrize(
    "line", ["3.5 million people", "12:30 is lunch", "**bold** word", "3 - 2 = 1", "-5 degrees", "2024"]
)
def test_what_is_no_mark_stays(line: str) -> None:
    assert parsed("lines", line) == [line]


def test_lines_in_a_fence_and_none() -> None:
    assert parsed("lines", "```text\na\nb\n```") == ["a", "b"]
    assert refused("lines", "\n1.\n") == "unparsed_lines"
    assert refused("lines", "a\n" * 1001) == "unparsed_lines"


@pytest.mark.parametrize(
    "text",
    [
        "A: hi\nB: yo",
        "A : hi\nB : yo",
        "A：hi\nB：yo",
        "**A:** hi\n**B:** yo",
        "**A**: hi\n**B**: yo",
        "*A: hi*\n*B: yo*",
        "1. A: hi\n2. B: yo",
        "- A: hi\n- B: yo",
        "A (smiling): hi\nB（笑）: yo",
        "A:\nhi\n\nB:\nyo",
        "Here is the dialogue:\n\nA: hi\nB: yo",
        "## Dialogue\n\nA: hi\n(A laughs.)\nB: yo\n[End]",
        "**A talk**\nA: hi\n*They sit down.*\nB: yo\n---",
        "```\nA: hi\nB: yo\n```",
        "A: hi\r\nB: yo\r\n",
    ],
)
def test_turns_however_they_are_marked(text: str) -> None:
    assert parsed("turns", text) == [{"speaker": "A", "text": "hi"}, {"speaker": "B", "text": "yo"}]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("أحمد", "ليلى"),
        ("राम", "सीता"),
        ("小明", "小红"),
        ("Анна", "Иван"),
        ("สมชาย", "มาลี"),
        ("user_1", "user_2"),
        ("Person A", "Person B"),
    ],
)
def test_speakers_of_many_scripts(one: str, two: str) -> None:
    assert [t["speaker"] for t in parsed("turns", f"{one}: x\n{two}：y\n**{one}:** z")] == [one, two, one]


def test_turns_keep_what_is_said() -> None:
    text = "Ana: Hola, **amiga**\nmira: https://a.b/c\nhttps://d.e\nLuis: (ríe) 12:30, *sí* (o no)\nvale"
    said = [t["text"] for t in parsed("turns", text) if t["speaker"] in ("Ana", "Luis")]
    assert said == ["Hola, **amiga**", "(ríe) 12:30, *sí* (o no)\nvale"]
    marked = "**Ana:** Hola, **amiga**\n*Luis: sí*"
    assert [t["text"] for t in parsed("turns", marked)] == ["Hola, **amiga**", "sí"]


@pytest.mark.parametrize(
    "text", ["", "hello", "12:30 we met", "https://a.b", "(laughs)", "A: hi\nB: yo\n" * 501, "Title:"]
)
def test_no_turns(text: str) -> None:
    assert refused("turns", text) == "unparsed_turns"


def test_tag() -> None:
    assert parsed("tag", "Sure.\n<x>\n two\nlines </x> done <x>other</x>") == "two\nlines"
    for text in ("", "<x>", "</x><x>", "<x> </x>", "<y>a</y>"):
        assert refused("tag", text) == "unparsed_tag"


@pytest.mark.parametrize(
    "text", ['{"b": 1, "a": "é"}', 'Sure:\n```json\n{"b": 1, "a": "é"}\n```\nDone.', ' {"b":1,"a":"é"}\n']
)
def test_json(text: str) -> None:
    assert parsed("json", text) == '{"a": "é", "b": 1}'


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[Infinity]", "1e999", "[" * 100_000, "1" * 5000, "```", "```json\n"]
)
def test_no_json(text: str) -> None:
    assert refused("json", text) == "unparsed_json"


def test_half_characters_can_be_kept() -> None:
    assert parsed("json", '{"\\ud800": ["\\udfff"]}') == '{"?": ["?"]}'


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "points": {"type": "integer"},
        "share": {"type": "number"},
        "good": {"type": "boolean"},
        "names": {"type": "array", "items": {"type": "string"}},
        "inner": {"type": "object", "properties": {"a": {"type": "string"}}},
        "kind": {"enum": ["x", 1]},
        "any": True,
    },
    "required": ["points"],
}


def test_schema_gives_a_typed_value() -> None:
    text = '{"points": 3.0, "share": 1, "good": true, "names": ["é"], "inner": {"a": "b"}, '
    text += '"kind": 1, "any": [1]}'
    value = parsed("text", text, SCHEMA)
    assert value == {
        "points": 3,
        "share": 1.0,
        "good": True,
        "names": ["é"],
        "inner": {"a": "b"},
        "kind": "1",
        "any": "[1]",
    }
    kind = dtype("text", SCHEMA)
    assert pl.Series([value], dtype=kind, strict=True).to_list() == [value]
    assert parsed("text", '{"points": 1, "extra": 2}', SCHEMA)["names"] is None
    assert dtype("turns", None) == TURNS
    assert dtype("lines", None) == pl.List(pl.String)


@pytest.mark.parametrize(
    "text",
    [
        '{"points": "3"}',
        "{}",
        "[]",
        f'{{"points": {10**30}}}',
        f'{{"points": 1, "share": 1{"0" * 400}}}',
        '{"points": null}',
    ],
)
def test_what_does_not_fit_a_schema(text: str) -> None:
    assert refused("text", text, SCHEMA) == "unparsed_schema"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objct"},
        {"properties": [1]},
        {"$ref": "http://example.invalid/schema"},
        {"type": "array", "items": {"$ref": "#/$defs/nothing"}},
        {"$ref": "file:///etc/passwd"},
    ],
)
def test_a_schema_that_is_none_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="schema: "):
        parser("text", "x", schema)


def test_a_schema_that_points_to_itself_ends() -> None:
    assert refused("text", "1", {"$ref": "#"}) == "unparsed_schema"
    tree = {"type": "array", "items": {"$ref": "#"}}
    assert parsed("text", "[[], [[]]]", tree) == ["[]", "[[]]"]


@pytest.mark.parametrize(
    ("schema", "kind", "reply", "value"),
    [
        ({"type": ["integer", "null"]}, pl.Int64(), "4", 4),
        ({"type": ["null", "integer"]}, pl.Int64(), "null", None),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}, pl.Int64(), "4", 4),
        (
            {"oneOf": [{"type": "null"}, {"type": "array", "items": {"type": "number"}}]},
            pl.List(pl.Float64()),
            "[1]",
            [1.0],
        ),
        ({"type": ["integer", "number"]}, pl.Float64(), "4", 4.0),
        ({"type": ["integer", "string"]}, pl.String(), "4", "4"),
        ({"type": "boolean"}, pl.Boolean(), "true", True),
        ({"type": "string"}, pl.String(), '"a"', "a"),
        ({"enum": [1, 2, None]}, pl.Int64(), "2", 2),
        ({"enum": ["a", "b"]}, pl.String(), '"b"', "b"),
        ({"const": True}, pl.Boolean(), "true", True),
        ({"type": "array", "items": {"type": "string"}}, pl.List(pl.String()), 'Here: ["a"]', ["a"]),
        ({"type": "integer"}, pl.Int64(), "Score: 4", 4),
        ({"type": "integer"}, pl.Int64(), "**4**", 4),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": ["integer", "null"]}}}, pl.Int64(), "4", 4),
    ],
)
def test_schema_of_any_kind_gives_a_typed_value(
    schema: dict[str, Any], kind: Any, reply: str, value: Any
) -> None:
    assert dtype("text", schema) == kind
    assert parsed("text", reply, schema) == value
    assert pl.Series([value, None], dtype=kind, strict=True).to_list() == [value, None]


def test_schema_as_pydantic_writes_it() -> None:
    schema = {
        "$defs": {
            "Mark": {
                "properties": {"n": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
                "type": "object",
            }
        },
        "properties": {"marks": {"items": {"$ref": "#/$defs/Mark"}, "type": "array"}},
        "type": "object",
    }
    assert parsed("text", '{"marks": [{"n": 4}, {"n": null}]}', schema) == {"marks": [{"n": 4}, {"n": None}]}
    assert dtype("text", schema) == pl.Struct({"marks": pl.List(pl.Struct({"n": pl.Int64()}))})


def test_the_first_json_that_fits_the_schema_is_taken() -> None:
    reply = 'Form: {"n": "a number"}\n\nSee [1]: {"n": 4} or {"n": 5}'
    assert parsed("text", reply, {"type": "object", "properties": {"n": {"type": "integer"}}}) == {"n": 4}


@pytest.mark.parametrize(
    "reply",
    ["4/5", "4 of 5", "version 1.2.3", "abc4", '{"a": [1, 2], b: 3}', "{'a': 1}", '{"a": [1], "b', "// 1\n{"],
)
def test_json_that_would_be_a_guess_is_refused(reply: str) -> None:
    assert refused("json", reply) == "unparsed_json"


def test_tag_that_is_only_spoken_of() -> None:
    assert parsed("tag", "I put it in <x>...</x> tags. <x>the answer</x>") == "the answer"


def test_a_text_that_follows_a_constraint_is_taken_as_it_is() -> None:
    assert parser("text", "x", None, exact=True)(' "yes" ') == '"yes"'
    assert parsed("text", ' "yes" ') == "yes"
