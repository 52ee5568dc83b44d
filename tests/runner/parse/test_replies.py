"""Replies as models write them, in many languages: what is taken off, and what must stay."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from glotmill.filters._text.phrases import read_table
from glotmill.languages import find
from glotmill.runner.parse import Unparsed, parser
from glotmill.runner.parse.remarks import agrees, label_end, leave_start, plain, presents

REMARKS = Path(__file__).parents[3] / "src/glotmill/runner/parse/remarks.csv"
REPLIES = [
    json.loads(line) for line in Path(__file__).with_name("replies.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("case", REPLIES, ids=[f"{i}-{case['as']}" for i, case in enumerate(REPLIES)])
def test_what_is_taken_off_and_what_stays(case: dict[str, Any]) -> None:
    value = parser(case["as"], "x", None)(case["reply"])
    if case["as"] == "turns":
        value = [[turn["speaker"], turn["text"]] for turn in value]
    assert value == case["value"]


@pytest.mark.parametrize(
    "reply", ["\u201cWhy?\u201d\n\u201cBecause.\u201d", "- a\n- b", "1. a\n2. b", "| a |\n|---|\n| b |"]
)
@pytest.mark.parametrize("first", ["", "Here are the lines:\n", "Voici :\n\n"])
def test_a_text_that_was_cleaned_is_clean(first: str, reply: str) -> None:
    text = parser("text", "x", None)
    assert text(text(first + reply)) == text(first + reply)


@pytest.mark.parametrize("row", read_table(REMARKS), ids=lambda row: row["language"])
def test_phrases_of_each_language_are_found(row: dict[str, str]) -> None:
    assert find(row["language"]).tag == row["language"]
    for phrase in row["agree"].split("|"):
        assert agrees(plain(f"**{phrase.title()}!"))
    for phrase in row["present"].split("|"):
        assert presents(plain(f"{phrase} 1:"))
        assert presents(plain(f"Xyz, {phrase}: "))
    for phrase in row["label"].split("|"):
        assert label_end(f"**{phrase} 1:** x") == len(f"**{phrase} 1:** ")
    for phrase in filter(None, row["leave"].split("|")):
        assert leave_start(f"One. {phrase.capitalize()} 1!") == 5


HOSTILE = (
    *(
        "*",
        "* ",
        "_",
        "1",
        "1.",
        ": ",
        "((",
        "A ",
        "<x>",
        "```\n",
        "A:",
        "-",
        "[",
        "（",
        "\n",
        "A (",
        '"',
        "{",
        "[[",
    ),
    *(
        '{"a":',
        "[1,",
        '["',
        '"a" ',
        "sure! ",
        "here is ",
        "here is:\n",
        "question: ",
        "question:\n",
        "。",
        "A: b\n",
    ),
    *(
        "let me know if ",
        "> ",
        "---\n",
        ",]",
        "[1,]",
        '{"a":1,}',
        "\\",
        '"\\',
        "[NaN]",
        "a\n\n",
        " ",
        "A：b。",
    ),
    *(
        "A: x B: y",
        "**a** ",
        "“",
        "</x>",
        "<x></x>",
        "1 ",
        "[] ",
        "「",
        "1)",
        "[note] ",
        "\u0300",
        "A: b\n\n",
    ),
)


@pytest.mark.parametrize("as_", ["text", "lines", "turns", "tag", "json"])
def test_no_reply_takes_long(as_: str) -> None:
    """Some hundred milliseconds on a slow core; a rule that looks again and again takes minutes."""
    parse = parser(as_, "x", None)
    slowest = 0.0
    for part in HOSTILE:
        for text in (
            part * (1_000_000 // len(part)),
            "Sure, here is:\n" + part * (200_000 // len(part)) + "x",
        ):
            began = time.process_time()
            with suppress(Unparsed):
                parse(text)
            slowest = max(slowest, time.process_time() - began)
    assert slowest < 2
