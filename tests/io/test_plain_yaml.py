"""YAML: what stands there is what is read; what is hostile is refused in one line."""

from typing import Any

import pytest

from glotmill.io.plain_yaml import YamlError, load


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[no, NO, yes, on, off, y]", ["no", "NO", "yes", "on", "off", "y"]),
        (
            "[12:30, 01234, 0x1F, 1_000, 2026-01-01, =, <<]",
            ["12:30", "01234", "0x1F", "1_000", "2026-01-01", "=", "<<"],
        ),
        (
            "[true, False, null, ~, 0, -7, 1.5, 1e-3, .5, .inf]",
            [True, False, None, None, 0, -7, 1.5, 0.001, 0.5, float("inf")],
        ),
        ("{a: , b: ''}", {"a": None, "b": ""}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("!!str 12", "12"),
        (b"\xef\xbb\xbfa: 1", {"a": 1}),
        ("", None),
    ],
)
def test_words_and_numbers(text: str | bytes, value: Any) -> None:
    assert load(text) == value


def test_numbers_are_kept_as_written_where_that_is_asked_for() -> None:
    text = "{seeds: {size: +5, draw: {v: [1.10, 1.5, +5, 7, 1e3, .inf, 00, {deep: 2.0}]}}}"
    draw = load(text, verbatim=[("seeds", "draw"), ("nothing", "here")])["seeds"]
    assert draw["size"] == 5
    assert draw["draw"]["v"] == ["1.10", 1.5, "+5", 7, "1e3", ".inf", "00", {"deep": 2.0}]
    assert load("1.10", verbatim=[()]) == "1.10"


NAMES = ("1", *(f"*a{number}" for number in range(30)))
TWOFOLD = [f"&a{number} [{of}, {of}]" for number, of in zip(range(30), NAMES, strict=False)]
MERGED = ["&m0 {k: v}", *(f"&m{n} {{<<: [*m{n - 1}, *m{n - 1}]}}" for n in range(1, 40))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!timestamp nope", "line 1: the tag !!timestamp is not read"),
        ('a: !!int ""', "the tag !!int is not read"),
        ("a: !!float _", "the tag !!float is not read"),
        ("a: !!bool nope", "the tag !!bool is not read"),
        ("a: !!binary _", "the tag !!binary is not read"),
        ("!!python/object/apply:os.system [echo]", "the tag !!python/object/apply:os.system is not read"),
        ("!!set {a}", "the tag !!set is not read"),
        ("a: 1\nb:\n  c: 1\n  c: 2", "line 4: the key 'c' stands twice"),
        ("{true: 1, True: 2}", "the key True stands twice"),
        ("{[a]: 1}", "line 1: found unhashable key"),
        ("[" * 10_000, "nested over 64 deep"),
        ("{a: " * 10_000, "nested over 64 deep"),
        ("- " * 10_000, "nested over 64 deep"),
        (
            "[" + ", ".join(f"&b{n} [*b{n - 1}]" if n else "&b0 [1]" for n in range(100)) + "]",
            "nested over 64",
        ),
        ("[" + ", ".join(TWOFOLD) + "]", "expand to over 1,000,000 values"),
        ("[" + ", ".join(MERGED) + "]", "expand to over 1,000,000 values"),
        ("&a [*a]", r"\*a stands within what it stands for"),
        ("a: *nothing", "line 1: found undefined alias"),
        ("a: " + "9" * 5_000, "digits"),
        ("a: [", "line 1"),
        ("\x00", "special characters are not allowed"),
        (b"\xff\xfe\x00", "."),
    ],
)
def test_what_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(YamlError, match=message) as caught:
        load(text)
    assert "\n" not in str(caught.value)
