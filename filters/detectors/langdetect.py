"""langdetect: 55 languages, pure Python, some 300 texts a second."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from glotmill.filters.detectors import Scores

PACKAGES = ("langdetect",)
MODULE, INSTALL = "langdetect", "glotmill"
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
MAX_CHARS = 3_000  # of a text that are read; more costs time and tells nothing new


def langdetect(texts: Sequence[str]) -> Scores:
    """Return langdetect's probabilities; a row of zeros where it recognizes nothing.

    langdetect samples the text at random; the seed is set again for each text, so its answer is always the
    same.
    """
    labels = tuple(_factory().get_lang_list())
    probabilities = np.zeros((len(texts), len(labels)), np.float32)
    for row, text in enumerate(texts):
        probabilities[row] = _detect(text) or 0
    return Scores(labels, probabilities)


def _detect(text: str) -> list[float]:
    from langdetect.lang_detect_exception import LangDetectException

    factory = _factory()
    detector = factory.create()
    detector.set_max_text_length(MAX_CHARS)
    detector.set_prior_map(_prior(text))
    try:
        text = _without_names(text[:MAX_CHARS])
        detector.append(text.lower() if text.isupper() else text)  # it ignores words in capitals
        detector.get_probabilities()  # leaves out those under 0.1, but langprob keeps them
    except LangDetectException:
        return []
    probabilities: list[float] = detector.langprob
    return probabilities


def _without_names(text: str) -> str:
    """Remove Latin letters from Chinese, Japanese or Korean text, unless they make up most of it.

    A few names have more letters than the sentence around them, and langdetect would classify the names.
    """
    dense, latin = len(_DENSE.findall(text)), len(_LATIN.findall(text))
    return _LATIN.sub(" ", text) if 0 < latin <= 2 * dense else text


def _prior(text: str) -> dict[str, float]:
    """Return equal priors, but none for Korean without Hangul, or for Japanese without kana: otherwise
    langdetect takes two of five traditional Chinese sentences for Korean."""
    prior = dict.fromkeys(_factory().get_lang_list(), 1.0)
    if not _HANGUL.search(text):
        del prior["ko"]
    if not _KANA.search(text):
        del prior["ja"]
    return prior


@cache
def _factory() -> Any:
    """Return a factory with sorted profiles (the package takes them in the order of the folder) and a seed
    that other users of langdetect in this process do not share."""
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    profiles = [
        path.read_text(encoding="utf-8")
        for path in sorted(Path(PROFILES_DIRECTORY).iterdir())
        if path.is_file() and not path.name.startswith(".")
    ]
    factory = DetectorFactory()
    factory.load_json_profile(profiles)
    factory.set_seed(0)
    return factory
