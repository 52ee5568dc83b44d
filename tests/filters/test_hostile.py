"""Every filter on text that means harm: no error, in little time, and the same in any order."""

import time

import polars as pl
import pytest
from sentences import HOSTILE, HUMAN, judge

from glotmill.filters.assistant_speak import assistant_speak
from glotmill.filters.duplicates import duplicates
from glotmill.filters.echo import echo
from glotmill.filters.equations import equations
from glotmill.filters.final_number import final_number
from glotmill.filters.fineweb_quality import fineweb_quality
from glotmill.filters.formulas_kept import formulas_kept
from glotmill.filters.gopher_quality import gopher_quality
from glotmill.filters.language import language
from glotmill.filters.length import length
from glotmill.filters.length_ratio import length_ratio
from glotmill.filters.lexical_diversity import lexical_diversity
from glotmill.filters.mixed_script import mixed_script
from glotmill.filters.mojibake import mojibake
from glotmill.filters.non_degenerate import non_degenerate
from glotmill.filters.numbers_kept import numbers_kept
from glotmill.filters.pii import pii
from glotmill.filters.placeholders import placeholders
from glotmill.filters.refusal import refusal
from glotmill.filters.repetition import repetition
from glotmill.filters.script import script
from glotmill.filters.terms_present import terms_present
from glotmill.filters.truncated import truncated

TEXT = pl.col("text")
FILTERS = [
    assistant_speak,
    duplicates,
    echo,
    equations,
    final_number,
    fineweb_quality,
    formulas_kept,
    gopher_quality,
    language,
    length,
    length_ratio,
    lexical_diversity,
    mixed_script,
    mojibake,
    non_degenerate,
    numbers_kept,
    pii,
    placeholders,
    refusal,
    repetition,
    script,
    terms_present,
    truncated,
]


def rows(texts):
    """The columns that filters read beside the text."""
    return {
        "language": ["hin_Deva"] * len(texts),
        "prompt": texts[::-1],
        "source": texts[::-1],
        "answer": ["12"] * len(texts),
        "terms": [["12", "word"]] * len(texts),
    }


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
    terms = pl.Series([], dtype=pl.List(pl.String))
    columns = {"language": none, "prompt": none, "source": none, "answer": none, "terms": terms}
    assert judge(judged(TEXT), none, **columns) == []
    assert judge(judged(TEXT), pl.Series([None], dtype=pl.String), **rows(["x"])) == ["empty"]
    assert judge(judged(TEXT), pl.Series([None], dtype=pl.List(pl.String)), **rows(["x"])) == ["empty"]


@pytest.mark.parametrize(
    "judged", [f for f in FILTERS if f is not duplicates], ids=lambda judged: judged.__name__
)
def test_the_order_of_rows_does_not_matter(judged):
    texts = [*HUMAN.values(), *(text * 4 for text in HUMAN.values()), "", "3 + 4 = 8", None]
    asked = [*HUMAN, *HUMAN, *["hin_Deva"] * 3]
    columns = {**rows(texts), "language": asked, "prompt": ["source"] * len(texts)}
    columns["source"] = columns["prompt"]
    forward = judge(judged(TEXT), texts, **columns)
    backward = judge(judged(TEXT), texts[::-1], **{name: values[::-1] for name, values in columns.items()})
    assert forward == backward[::-1]
