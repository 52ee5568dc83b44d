import json

import numpy as np
import ot
import polars as pl
import pytest
from sentences import measure, reasons
from static_model import write_model

from glotmill.errors import UsageError
from glotmill.filters.got_d import got_d, gradients, sinkhorn_duals

VECTOR = pl.col("text")
CHANCE = np.random.default_rng(7)


def around(centre, count):
    return (np.array(centre) + CHANCE.normal(0, 0.1, (count, len(centre)))).tolist()


@pytest.fixture
def pets(tmp_path):
    """A target of as many cats as dogs."""
    rows = around([1, 0, 0], 40) + around([0, 1, 0], 40)
    path = tmp_path / "pets.jsonl"
    path.write_text("\n".join(json.dumps({"name": "x", "vector": row}) for row in rows))
    return str(path)


@pytest.fixture
def pets_model(tmp_path):
    return write_model(tmp_path / "pets")


def test_of_many_cats_and_few_dogs_only_dogs_are_taken(pets):
    pool = around([1, 0, 0], 396) + around([0, 1, 0], 4)
    said = reasons(got_d(VECTOR, target=pets, keep=0.01), pool)
    assert [n for n, why in enumerate(said) if why is None] == [396, 397, 398, 399]
    gradient = measure(got_d(VECTOR, target=pets, keep=0.01), "gradient", pool)
    assert max(gradient[396:]) < min(gradient[:396])


@pytest.mark.parametrize(("keep", "left"), [(0.01, 1), (0.1, 10), (0.505, 51), (1.0, 100)])
def test_the_budget_is_honoured(pets, keep, left):
    said = reasons(got_d(VECTOR, target=pets, keep=keep), around([1, 1, 1], 100))
    assert said.count(None) == left
    assert said.count("not_selected") == 100 - left


def test_nulls_take_no_place(pets):
    pool = [None, *around([1, 0, 0], 3), None]
    said = reasons(got_d(VECTOR, target=pets, keep=0.5), pool)
    assert said[0] == said[-1] == "empty"
    assert said.count(None) == 2
    assert reasons(got_d(VECTOR, target=pets, keep=0.5), pl.Series([None], dtype=pl.List(pl.Float64))) == [
        "empty"
    ]


def test_entropic_duals_agree_with_the_exact_ones():
    cost = CHANCE.random((6, 5))
    here, there = CHANCE.dirichlet(np.ones(6)), CHANCE.dirichlet(np.ones(5))
    _, log = ot.emd(here, there, cost, log=True)
    exact, close = log["u"] - log["u"].mean(), sinkhorn_duals(here, there, cost)
    assert np.abs(close - close.mean() - exact).max() < 0.1
    assert np.corrcoef(close, exact)[0, 1] > 0.95


def test_the_gradient_is_calibrated():
    pool, target = np.array(around([1, 0, 0], 9)), np.array(around([0, 1, 0], 8))
    gradient = gradients(pool, target)
    assert gradient.sum() == pytest.approx(0, abs=1e-9)
    assert gradients(pool * 5, target) == pytest.approx(gradient)  # only directions count


def test_texts_are_compared_by_a_model(tmp_path, pets_model):
    target = tmp_path / "target.txt"
    target.write_text("cat\ndog\n" * 20)
    pool = ["cat"] * 97 + ["dog", "dog dog", None]
    said = reasons(got_d(VECTOR, target=str(target), keep=0.02, model=pets_model), pool)
    assert [n for n, why in enumerate(said) if why is None] == [97, 98]
    assert said[-1] == "empty"


def test_what_is_missing_is_said_before_anything_runs(tmp_path, pets):
    with pytest.raises(UsageError, match=r"gone\.txt: no such file"):
        got_d(VECTOR, target=str(tmp_path / "gone.txt"), keep=0.5)
    with pytest.raises(ValueError, match="keep 0"):
        got_d(VECTOR, target=pets, keep=0)


def test_embeddings_of_two_models_are_an_error(pets):
    with pytest.raises(UsageError, match=r"3 numbers.*2"):
        reasons(got_d(VECTOR, target=pets, keep=0.5), [[1.0, 0.0]])
    with pytest.raises(UsageError, match="several lengths"):
        reasons(got_d(VECTOR, target=pets, keep=0.5), [[1.0, 0.0], [1.0]])
