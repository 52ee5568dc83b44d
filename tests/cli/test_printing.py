"""Texts on a terminal."""

import json

from glotmill.io.terminal import columns, json_text, labelled, safe

EVIL = "\x1b[2Jx\u202ey\x9b0m"


def test_safe_shows_what_it_disarms() -> None:
    assert safe("a\x1b[31mb\r\x07") == r"a\x1b[31mb\r\x07"
    assert safe("\ud800 \u2066") == r"\ud800 \u2066"
    assert safe("کتاب\u200cها नमस्\u200dते\nzwei\t") == "کتاب\u200cها नमस्\u200dते\nzwei    "


def test_json_text_is_the_same_value() -> None:
    value = {"a": EVIL + "\U000e0041\u2028 é", "b": [1, None]}
    text = json_text(value)
    assert json.loads(text) == value
    assert "é" in text
    assert not {"\x9b", "\u202e", "\u2028", "\U000e0041"} & set(text)


def test_columns_align_by_width_on_the_terminal() -> None:
    assert columns([("中文", "1"), ("abcd", "12")], right=[1]) == "中文   1\nabcd  12"


def test_text_from_right_to_left_stands_alone_on_its_line() -> None:
    lines = labelled([("user", "مرحبا"), ("assistant", "hello")]).splitlines()
    assert lines == ["  user       \u2068مرحبا\u2069", "  assistant  hello"]


def test_long_texts_are_broken_and_cut() -> None:
    lines = labelled([("user", "word " * 1000)], width=40).splitlines()
    assert max(len(line) for line in lines) <= 40
    assert lines[-1].strip().endswith("more)")
    wide = labelled([("user", "汉字" * 50)], width=40).splitlines()
    assert len(wide) > 4
