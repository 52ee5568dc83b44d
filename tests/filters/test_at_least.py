import polars as pl
import pytest
from sentences import reasons

from glotmill.filters.at_least import at_least


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([3, 4, 5, None], ["too_low", None, None, "no_score"]),
        ([3.9, 4.0, float("nan"), float("inf")], ["too_low", None, "no_score", "no_score"]),
        (["3", " 4 ", "five", "", "4/5"], ["too_low", None, "no_score", "no_score", "no_score"]),
        ([None, None], ["no_score", "no_score"]),
    ],
)
def test_scores_below_the_value_are_dropped(scores, expected):
    assert reasons(at_least(pl.col("text"), value=4), scores) == expected
