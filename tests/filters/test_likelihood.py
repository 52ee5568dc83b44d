import polars as pl
import pytest
from sentences import measure, reasons

from glotmill.filters.likelihood import likelihood

TEXT = pl.col("text")


def test_means_outside_the_limits_are_dropped():
    result = reasons(likelihood(TEXT, min=-2, max=-0.1), [-1.0, -2.5, -0.05, None, float("nan"), 0.5, -2.0])
    assert result == [None, "unlikely", "too_likely", "no_score", "no_score", "no_score", None]


def test_limits_are_optional():
    assert reasons(likelihood(TEXT, min=-2), [0.0, -3.0]) == [None, "unlikely"]
    assert reasons(likelihood(TEXT, max=0), [0.0, -3.0]) == [None, None]
    assert reasons(likelihood(TEXT), [0.0, -300.0, None]) == [None, None, "no_score"]


def test_the_mean_does_not_depend_on_the_length():
    tokens = [[-1.0, -2.0], [-1.0, -2.0] * 50, [], None]
    assert measure(likelihood(TEXT, min=-2), "mean", tokens) == [-1.5, -1.5, None, None]
    assert reasons(likelihood(TEXT, min=-1.4), tokens) == ["unlikely", "unlikely", "no_score", "no_score"]


def test_models_are_averaged_with_equal_weight():
    models = [[[-1.0], [-2.0, -4.0]], [[-1.0, -1.0, -1.0], [-1.0]]]
    assert measure(likelihood(TEXT), "mean", models) == [-2.0, -1.0]


def test_reversed_limits_are_refused():
    with pytest.raises(ValueError, match="above"):
        likelihood(TEXT, min=-1, max=-2)
