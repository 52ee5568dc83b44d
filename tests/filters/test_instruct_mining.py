import numpy as np
import polars as pl
import pytest
from sentences import measure, reasons

from glotmill.filters.instruct_mining import instruct_mining, neighbour_distance

TEXT = pl.col("text")
V1 = {"reward": [1.0], "length": [100], "knn6": [0.5]}


def predicted(expression, **columns):
    return measure(expression, "predicted", ["x"] * len(next(iter(columns.values()))), **columns)


def test_the_first_rule_agrees_with_a_calculation_by_hand():
    assert predicted(instruct_mining(TEXT, rule="v1"), **V1) == [pytest.approx(0.460357)]


def test_the_third_rule_agrees_with_a_calculation_by_hand():
    scores = {"reward": [2.0], "understandability": [0.5], "naturalness": [0.5], "coherence": [1.0]}
    by_hand = 0.0274 - 0.0156 + 0.22105 - 0.1606 - 0.1520
    assert predicted(instruct_mining(TEXT), **scores) == [pytest.approx(by_hand)]


@pytest.mark.parametrize(("score", "sign"), [("reward", -1), ("length", 1), ("knn6", -1)])
def test_signs_of_the_first_rule(score, sign):
    more = {**V1, score: [V1[score][0] + 1]}
    rule = instruct_mining(TEXT, rule="v1")
    assert (predicted(rule, **more)[0] - predicted(rule, **V1)[0]) * sign > 0


def test_rows_above_the_limit_are_dropped():
    columns = {"reward": [0.0, 5.0, None, float("nan"), 5.0], "length": [10] * 5, "knn6": [0.1] * 5}
    texts = ["x", "x", "x", "x", None]
    result = reasons(instruct_mining(TEXT, rule="v1", limit=0.5), texts, **columns)
    assert result == ["high_loss", None, "no_score", "no_score", "empty"]
    assert reasons(instruct_mining(TEXT, rule="v1"), texts, **columns)[:2] == [None, None]


def test_columns_and_coefficients_are_options():
    own = instruct_mining(TEXT, coefficients={"intercept": 1, "quality": -2}, columns={"quality": "q"})
    assert predicted(own, q=["0.25", "1"]) == [0.5, -1]
    with pytest.raises(ValueError, match="qualty"):
        instruct_mining(TEXT, coefficients={"quality": -2}, columns={"qualty": "q"})
    with pytest.raises(ValueError, match="v1, v3"):
        instruct_mining(TEXT, rule="v2")


def test_the_sixth_neighbour_is_another_row():
    line = np.arange(20.0)[:, None]
    assert neighbour_distance(line)[0] == 6
    assert neighbour_distance(line)[10] == 3
    assert neighbour_distance(line, k=1).tolist() == [1] * 20
    assert np.isnan(neighbour_distance(line[:6])).all()


def test_neighbours_agree_with_brute_force_over_several_blocks():
    vectors = np.random.default_rng(1).normal(size=(1100, 4))
    apart = np.sqrt(((vectors[:, None] - vectors[None]) ** 2).sum(axis=2))
    np.testing.assert_allclose(neighbour_distance(vectors), np.sort(apart, axis=1)[:, 6], atol=1e-9)


def test_the_neighbours_of_an_embedding_column():
    vectors = [[float(i), 0.0] for i in range(10)] + [None]
    rule = instruct_mining(TEXT, coefficients={"knn6": 1.0}, embedding="vectors")
    distances = measure(rule, "predicted", ["x"] * 11, vectors=vectors)
    assert distances[0] == 6
    assert distances[-1] is None
    assert reasons(rule, ["x"] * 11, vectors=vectors)[-1] == "no_score"
    fixed = pl.Series(vectors[:10], dtype=pl.Array(pl.Float32, 2))
    assert measure(rule, "predicted", ["x"] * 10, vectors=fixed) == distances[:10]
