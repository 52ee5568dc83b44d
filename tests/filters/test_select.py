import polars as pl
import pytest
from sentences import reasons

from glotmill.filters.select import select

SCORE = pl.col("text")
BEST = [None, "not_selected"]


def test_the_best_share_stays():
    scores = [0.1, 0.9, 0.5, 0.7, 0.3, 0.2, 0.6]
    said = reasons(select(SCORE, keep=0.5, per=""), scores)
    assert [score for score, why in zip(scores, said, strict=True) if why is None] == [0.9, 0.5, 0.7, 0.6]
    assert set(said) == set(BEST)


@pytest.mark.parametrize(
    ("rows", "keep", "left"),
    [(30, 0.1, 3), (7, 0.5, 4), (1, 0.01, 1), (9, 1.0, 9), (100, 0.07, 7), (3, 1 / 3, 1)],
)
def test_a_share_is_rounded_up(rows, keep, left):
    assert reasons(select(SCORE, keep=keep, per=""), list(range(rows))).count(None) == left


def test_the_best_few_of_each_language_stay():
    scores = [1, 5, 3, 9, 8, 7]
    tags = ["swh_Latn"] * 3 + ["fra_Latn"] * 3
    said = reasons(select(SCORE, top=1), scores, language=tags)
    assert said == ["not_selected", None, "not_selected", None, "not_selected", "not_selected"]
    assert reasons(select(SCORE, top=2, per="topic"), scores, topic=["a", "b"] * 3).count(None) == 4


def test_more_places_than_rows_keep_all():
    assert reasons(select(SCORE, top=9, per=""), [1, 2]) == [None, None]


def test_of_equal_scores_the_earlier_stay():
    assert reasons(select(SCORE, top=2, per=""), [1, 1, 1]) == [None, None, "not_selected"]
    assert reasons(select(SCORE, top=2, per="", order="lowest"), [1, 1, 1]) == [None, None, "not_selected"]


def test_of_many_equal_scores_the_earlier_stay():
    assert reasons(select(SCORE, top=700, per=""), [5] * 1_000) == [None] * 700 + ["not_selected"] * 300


def test_lowest_may_be_best():
    assert reasons(select(SCORE, top=1, per="", order="lowest"), [3, 1, 2]) == [
        "not_selected",
        None,
        "not_selected",
    ]


def test_what_is_no_score_is_told_and_takes_no_place():
    scores = ["4", " 5.5 ", "good", None, "nan", "inf", ""]
    said = reasons(select(SCORE, keep=0.5, per=""), scores)
    assert said == ["not_selected", None, "no_score", "no_score", "no_score", "no_score", "no_score"]


@pytest.mark.parametrize(
    "options",
    [{}, {"keep": 0.5, "top": 3}, {"keep": 0}, {"keep": 1.5}, {"top": 0}, {"top": 1, "order": "best"}],
)
def test_options_that_do_not_fit_are_refused(options):
    with pytest.raises(ValueError, match=r"keep|top|order"):
        select(SCORE, **options)
