"""Every filter on hostile text: no errors, fast, and the same verdicts in any order."""

import time

import polars as pl
import pytest
from sentences import HOSTILE, HUMAN, reasons

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


@pytest.mark.parametrize("filter_function", FILTERS, ids=lambda filter_function: filter_function.__name__)
def test_hostile_text_is_filtered_fast(filter_function):
    reasons(filter_function(TEXT), list(HUMAN.values()), **rows(list(HUMAN.values())))  # tables are read once
    begun = time.process_time()
    assert len(reasons(filter_function(TEXT), HOSTILE, **rows(HOSTILE))) == len(HOSTILE)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("filter_function", FILTERS, ids=lambda filter_function: filter_function.__name__)
def test_hostile_items_and_turns_are_filtered(filter_function):
    lists = [[text[:2_000], None, "x"] for text in HOSTILE]
    turns = [[{"speaker": "A", "text": text[:2_000]}, {"speaker": None, "text": None}] for text in HOSTILE]
    assert len(reasons(filter_function(TEXT), lists, **rows(HOSTILE))) == len(HOSTILE)
    assert len(reasons(filter_function(TEXT), turns, **rows(HOSTILE))) == len(HOSTILE)


@pytest.mark.parametrize("filter_function", FILTERS, ids=lambda filter_function: filter_function.__name__)
def test_no_rows_and_only_nulls(filter_function):
    no_texts = pl.Series([], dtype=pl.String)
    terms = pl.Series([], dtype=pl.List(pl.String))
    columns = {
        "language": no_texts,
        "prompt": no_texts,
        "source": no_texts,
        "answer": no_texts,
        "terms": terms,
    }
    assert reasons(filter_function(TEXT), no_texts, **columns) == []
    assert reasons(filter_function(TEXT), pl.Series([None], dtype=pl.String), **rows(["x"])) == ["empty"]
    assert reasons(filter_function(TEXT), pl.Series([None], dtype=pl.List(pl.String)), **rows(["x"])) == [
        "empty"
    ]


@pytest.mark.parametrize(
    "filter_function",
    [f for f in FILTERS if f is not duplicates],
    ids=lambda filter_function: filter_function.__name__,
)
def test_verdicts_do_not_depend_on_the_order_of_rows(filter_function):
    texts = [*HUMAN.values(), *(text * 4 for text in HUMAN.values()), "", "3 + 4 = 8", None]
    tags = [*HUMAN, *HUMAN, *["hin_Deva"] * 3]
    columns = {**rows(texts), "language": tags, "prompt": ["source"] * len(texts)}
    columns["source"] = columns["prompt"]
    forward = reasons(filter_function(TEXT), texts, **columns)
    backward = reasons(
        filter_function(TEXT), texts[::-1], **{name: values[::-1] for name, values in columns.items()}
    )
    assert forward == backward[::-1]
