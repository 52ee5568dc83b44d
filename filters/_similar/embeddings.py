"""Texts as vectors, by static multilingual embeddings that need no GPU.

model2vec holds one vector per token; the vector of a text is their weighted mean.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glotmill.errors import UsageError, one_line

MODEL = "minishlab/potion-multilingual-128M"  # 101 languages, 256 dimensions, MIT
MAX_CHARS = 20_000  # of a text that are read; a mean of tokens gains nothing from more

Vectors = npt.NDArray[np.float32]


def embed(texts: Sequence[str], model: str = MODEL) -> Vectors:
    """Return the vectors of the texts, shape (texts, dimensions), of length 1; zeros if no token is known.

    model: a folder or a Hub id of a model2vec model, which stays in memory. A text has the same vector in any
    batch. Raises UsageError if model2vec is not installed or the model cannot be read.
    """
    check_model(model)
    static = _load(model)
    if not texts:
        return np.empty((0, static.dim), dtype=np.float32)
    encoded = static.encode([text[:MAX_CHARS] for text in texts], use_multiprocessing=False)
    vectors = np.asarray(encoded, dtype=np.float32)
    return np.asarray(unit_length(vectors), dtype=np.float32)


def unit_length(vectors: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the rows scaled to length 1; a row of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))


def check_model(model: str) -> None:
    """Raise UsageError if a model obviously cannot be read; does not load it."""
    if find_spec("model2vec") is None:
        raise UsageError("embeddings need the package model2vec; pip install 'glotmill[select]'")
    folder = Path(model)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise UsageError(f"model {model}: no config.json in the folder; give one of a model2vec model")
    elif folder.is_absolute() or model.startswith(".") or model.count("/") != 1:
        raise UsageError(f"model {model}: no such folder; give a folder, or a Hub id such as {MODEL}")


@lru_cache(maxsize=2)
def _load(model: str) -> Any:
    from model2vec import StaticModel

    try:
        return StaticModel.from_pretrained(model)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise UsageError(f"model {model}: cannot be read as a model2vec model: {one_line(error)}") from error
