"""Every filter on text that means harm: no error, in little time, and the same in any order."""

import time

import polars as pl
import pytest
from sentences import HOSTILE, HUMAN, judge

from glotmill.filters.duplicates import duplicates
from glotmill.filters.echo import echo
from glotmill.filters.equations import equations
from glotmill.filters.final_number import final_number
from glotmill.filters.language import language
from glotmill.filters.length import length
from glotmill.filters.refusal import refusal
from glotmill.filters.repetition import repetition
from glotmill.filters.script import script

TEXT = pl.col("text")
FILTERS = [duplicates, echo, equations, final_number, language, length, refusal, repetition, script]


def rows(texts):
    """The columns that filters read beside the text."""
    return {"language": ["hin_Deva"] * len(texts), "prompt": texts[::-1], "answer": ["12"] * len(texts)}


@pytest.mark.parametrize("judged", FILTERS, ids=lambda judged: judged.__name__)
def test_hostile_text_is_judged_quickly(judged):
    judge(judged(TEXT), list(HUMAN.values()), **rows(list(HUMAN.values())))  # tables are read once
    begun = time.process_time()
    assert len(judge(judged(TEXT), HOSTILE, **rows(HOSTILE))) == len(HOSTILE)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("judged", FILTERS, ids=lambda judged: judged.__name__)
def test_hostile_items_and_turns_are_judged(judged):
    lists = [[text[:2_000], None, "x"] for text in HOSTILE]
    turns = [[{"speaker": "A", "text": text[:2_000]}, {"speaker": None, "text": None}] for text in HOSTILE]
    assert len(judge(judged(TEXT), lists, **rows(HOSTILE))) == len(HOSTILE)
    assert len(judge(judged(TEXT), turns, **rows(HOSTILE))) == len(HOSTILE)


@pytest.mark.parametrize("judged", FILTERS, ids=lambda judged: judged.__name__)
def test_no_rows_and_only_nulls_are_fine(judged):
    none = pl.Series([], dtype=pl.String)
    columns = {"language": none, "prompt": none, "answer": none}
    assert judge(judged(TEXT), none, **columns) == []
    assert judge(judged(TEXT), pl.Series([None], dtype=pl.String), **rows(["x"])) == ["empty"]
    assert judge(judged(TEXT), pl.Series([None], dtype=pl.List(pl.String)), **rows(["x"])) == ["empty"]


@pytest.mark.parametrize(
    "judged", [f for f in FILTERS if f is not duplicates], ids=lambda judged: judged.__name__
)
def test_the_order_of_rows_does_not_matter(judged):
    texts = [*HUMAN.values(), *(text * 4 for text in HUMAN.values()), "", "3 + 4 = 8", None]
    asked = [*HUMAN, *HUMAN, *["hin_Deva"] * 3]
    columns = {"language": asked, "prompt": ["source"] * len(texts), "answer": ["12"] * len(texts)}
    forward = judge(judged(TEXT), texts, **columns)
    backward = judge(judged(TEXT), texts[::-1], **{name: values[::-1] for name, values in columns.items()})
    assert forward == backward[::-1]
