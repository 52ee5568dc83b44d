import polars as pl
import pytest
from sentences import measure, reasons

from glotmill.filters.quality_buckets import quality_buckets

SCORE = pl.col("text")


@pytest.mark.parametrize(
    ("rows", "sizes"), [(10, [4, 3, 3]), (11, [4, 4, 3]), (9, [3, 3, 3]), (2, [1, 1, 0]), (1, [1, 0, 0])]
)
def test_three_buckets_of_one_size(rows, sizes):
    names = measure(quality_buckets(SCORE, per=""), "bucket", list(range(rows))[::-1])
    assert [names.count(name) for name in ("low", "medium", "high")] == sizes
    assert names == sorted(names, key=["high", "medium", "low"].index)


def test_one_bucket_stays():
    scores = [1, 9, 5]
    assert reasons(quality_buckets(SCORE, per=""), scores) == ["other_bucket", None, "other_bucket"]
    assert reasons(quality_buckets(SCORE, bucket="low", per=""), scores) == [
        None,
        "other_bucket",
        "other_bucket",
    ]
    assert reasons(quality_buckets(SCORE, bucket="medium", per=""), scores) == [
        "other_bucket",
        "other_bucket",
        None,
    ]


def test_each_language_has_its_own_buckets():
    tags = ["swh_Latn", "fra_Latn"] * 3
    said = reasons(quality_buckets(SCORE), [1, 10, 2, 20, 3, 30], language=tags)
    assert said == ["other_bucket"] * 4 + [None, None]


def test_equal_scores_are_sorted_by_their_spread_and_then_by_order():
    spread = [0.3, 0.1, 0.2]
    names = measure(quality_buckets(SCORE, spread="std", per=""), "bucket", [5, 5, 5], std=spread)
    assert names == ["high", "low", "medium"]
    assert measure(quality_buckets(SCORE, per=""), "bucket", [5, 5, 5]) == ["low", "medium", "high"]


def test_what_is_no_score_is_in_no_bucket():
    judged = quality_buckets(SCORE, per="")
    assert reasons(judged, ["1", None, "x", "2", "3"]) == [
        "other_bucket",
        "no_score",
        "no_score",
        "other_bucket",
        None,
    ]
    assert measure(judged, "bucket", ["1", None, "x", "2", "3"]) == ["low", None, None, "medium", "high"]


def test_an_unknown_bucket_is_refused():
    with pytest.raises(ValueError, match="bucket 'best'"):
        quality_buckets(SCORE, bucket="best")
