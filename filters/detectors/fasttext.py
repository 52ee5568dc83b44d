"""fastText: models in its format, such as lid.176 and GlotLID, by path or Hub id."""

import struct
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from glotmill.errors import RecipeError
from glotmill.filters.detectors import Scores
from glotmill.filters.detectors._plain import plain
from glotmill.io.hub_names import parse_hub_path

PACKAGES = ("fasttext-predict",)
MODULE, INSTALL = "fasttext", "glotmill[fasttext]"
MAX_CHARS = 3_000  # of a text that are read; more costs time and tells nothing new
_MIN_PROBABILITY = 0.001  # labels of less are left out
_MAGIC = 793712314
_HEADER = struct.Struct("<2i 12i d 3i 2q")  # magic, version; arguments; sizes of the dictionary
_PREFIX = "__label__"


def fasttext(texts: Sequence[str], *, model: str) -> Scores:
    """Return the model's probabilities; those under 0.001 are 0.

    model: a path, or `owner/name` or `owner/name@revision` on the Hugging Face Hub, whose file `model.bin` is
    downloaded once. Labels are the model's, without `__label__`: codes as in lid.176, or tags.

    Raises RecipeError if there is no such model.
    """
    loaded, labels = _loaded(model)
    column = {label: number for number, label in enumerate(labels)}
    probabilities = np.zeros((len(texts), len(labels)), np.float32)
    for row, text in enumerate(texts):
        line = plain(text, MAX_CHARS)
        if any(map(str.isalpha, line)):
            prediction = loaded.predict(line, k=-1, threshold=_MIN_PROBABILITY)
            for label, probability in zip(*prediction, strict=True):
                probabilities[row, column[label.removeprefix(_PREFIX)]] = min(probability, 1.0)
    return Scores(labels, probabilities)


@cache
def digest(model: str) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of a model's file."""
    with _path(model).open("rb") as file:
        hashed = sha256()
        while block := file.read(1 << 20):
            hashed.update(block)
    return hashed.hexdigest()[:12]


@cache
def _loaded(model: str) -> tuple[Any, tuple[str, ...]]:
    import fasttext

    path = _path(model)
    with path.open("rb") as file:
        labels = _labels(file, str(path))
    return fasttext.load_model(str(path)), labels


@cache
def _path(model: str) -> Path:
    if (path := Path(model).expanduser()).is_file():
        return path
    if (hub := parse_hub_path(model)) is None:
        raise RecipeError(f"language: no fastText model at {model!r}; give a file, or the Hub id of a model")
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(hub.id, "model.bin", revision=hub.revision))
    except (OSError, ValueError) as error:  # network errors are OSErrors too
        reason = str(error).strip().partition("\n")[0]
        raise RecipeError(f"language: no file {model!r}, nor on the Hub: {reason}") from error


def _labels(file: BinaryIO, place: str) -> tuple[str, ...]:
    """Read the labels from a model's dictionary; the package gives no access to them."""
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size or _HEADER.unpack(head)[0] != _MAGIC:
        raise RecipeError(f"language: {place} is not a fastText model")
    entries = _HEADER.unpack(head)[15]
    labels, rest = [], b""
    for _ in range(
        entries
    ):  # each: a text, a zero byte, its count (8 bytes), and whether it is a label (1 byte)
        while (end := rest.find(b"\0")) < 0 or len(rest) < end + 10:
            if not (more := file.read(1 << 16)):
                raise RecipeError(f"language: {place} ends within its dictionary")
            rest += more
        if rest[end + 9]:
            labels.append(rest[:end].decode("utf-8", "replace").removeprefix(_PREFIX))
        rest = rest[end + 10 :]
    return tuple(labels)
