"""A model2vec model of two words, for tests."""

from pathlib import Path

import numpy as np
from model2vec import StaticModel
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace


def write_model(folder: Path) -> str:
    """Write the model, in which cats and dogs have nothing in common, and return its folder."""
    words = Tokenizer(WordLevel({"[UNK]": 0, "[PAD]": 1, "cat": 2, "dog": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    vectors = np.eye(4, dtype=np.float32)
    vectors[0] = 0
    StaticModel(vectors, words).save_pretrained(str(folder))
    return str(folder)
