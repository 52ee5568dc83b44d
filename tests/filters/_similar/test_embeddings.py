import numpy as np
import pytest
from static_model import write_model

from glotmill.errors import UsageError
from glotmill.filters._similar.embeddings import embed


@pytest.fixture
def pets_model(tmp_path):
    return write_model(tmp_path / "pets")


def test_texts_become_vectors_of_length_one(pets_model):
    made = embed(["cat", "dog", "cat dog", "unknown"], pets_model)
    assert made.shape == (4, 4)
    assert np.linalg.norm(made, axis=1) == pytest.approx([1, 1, 1, 0])
    assert made[0] @ made[1] == pytest.approx(0, abs=1e-6)
    assert made[0] @ made[2] == pytest.approx(0.5**0.5, abs=1e-3)


def test_a_text_has_one_vector_whatever_stands_beside_it(pets_model):
    alone = embed(["cat dog"], pets_model)[0]
    beside = embed(["cat " * 3_000, "cat dog", ""], pets_model)[1]
    assert (alone == beside).all()


def test_no_texts_are_no_rows(pets_model):
    assert len(embed([], pets_model)) == 0


def test_a_model_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        embed(["cat"], str(tmp_path / "none"))
    with pytest.raises(UsageError, match=r"config\.json"):
        embed(["cat"], str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="cannot be read as a model2vec model"):
        embed(["cat"], str(tmp_path))


def test_a_missing_package_is_told(monkeypatch, pets_model):
    monkeypatch.setattr("glotmill.filters._similar.embeddings.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'glotmill\[select\]'"):
        embed(["cat"], pets_model)
