"""py3langid: 140 languages, 4.6 MB, the best of the small ones.

The package scores one text at a time, in Python; this file scores a batch with numpy, from the same model. It
is a naive Bayes classifier over patterns of bytes. An automaton finds them: from a state, each byte leads to
another state, and some states stand for a pattern that ends there. The texts, joined, are cut into lanes of
64 bytes that walk the automaton side by side, so a step is one index into its table of moves. Each lane
starts 8 bytes earlier, the longest pattern, after which its state no longer depends on where it started. The
log-probabilities of a text are then log(1 + counts of its patterns) @ weights + prior.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glotmill.filters.detectors import Scores

PACKAGES = ("py3langid",)
MODULE, INSTALL = "py3langid", "glotmill"
MAX_CHARS = 100_000  # of a text that are read; more tells nothing new
_SEPARATOR = 0xFF  # a byte that UTF-8 never has; it takes the automaton back to its start
_WARM_UP = 8  # bytes; no pattern is longer
_LANE = 64  # bytes that one lane covers
_BATCH = 300_000  # bytes that are scored at once
_PROBE = (
    "Every morning the baker opens her shop before the sun comes up.",
    "Каждое утро пекарь открывает свою лавку до восхода солнца.",
    "パン屋さんは毎朝、日が昇る前に店を開けます。" * 9,
)


class _Tables(NamedTuple):
    """py3langid's model. States may share a row of moves."""

    moves: NDArray[np.uint32]  # (rows * 256,): the state after each byte
    row: NDArray[np.intp]  # (states,): where a state's row begins in `moves`
    pattern: NDArray[np.int32]  # (states,): the pattern that ends there; -1 if none does
    weights: NDArray[np.float32]  # (patterns, classes): log-probabilities
    prior: NDArray[np.float32]  # (classes,): log-probabilities


def py3langid(texts: Sequence[str]) -> Scores:
    """Return the probabilities of py3langid's own `rank`, at about ten times its speed.

    A text without a known pattern has a row of zeros. Should a release change the package's arrays, this
    function calls `rank`.
    """
    identifier, labels, tables = _model()
    if tables is None:
        return _ranked(identifier, labels, texts)
    return _scored(tables, labels, identifier.nb_classes, texts)


def _scored(tables: _Tables, labels: Sequence[str], classes: Sequence[str], texts: Sequence[str]) -> Scores:
    scores = np.zeros((len(texts), len(classes)), np.float32)
    encoded = [_bytes(text) for text in texts]
    sizes = np.fromiter(map(len, encoded), np.intp, len(encoded))
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(encoded):
        first = int(ends[begin] - sizes[begin])
        end = max(begin + 1, int(np.searchsorted(ends, first + _BATCH)))
        _score(tables, encoded[begin:end], scores[begin:end])
        begin = end
    scored = np.flatnonzero(scores.any(axis=1))
    logs = scores[scored] / np.sqrt(sizes[scored, None], dtype=np.float32)
    np.exp(logs - logs.max(axis=1, keepdims=True), out=logs)
    scores[scored] = logs / logs.sum(axis=1, keepdims=True)
    probabilities = np.zeros((len(texts), len(labels)), np.float32)
    for column, name in enumerate(classes):  # some languages are two classes, one a script
        probabilities[:, labels.index(name)] += scores[:, column]
    return Scores(tuple(labels), probabilities)


def _score(tables: _Tables, texts: Sequence[bytes], scores: NDArray[np.float32]) -> None:
    """Write the log-probabilities of each text into `scores`; a text without patterns stays zero."""
    keys, counts = _patterns(tables, texts)
    size = len(tables.weights)
    bounds = np.searchsorted(keys, np.arange(len(texts) + 1) * size).tolist()
    patterns, logs = keys % size, np.log1p(counts.astype(np.float32))
    for text, (begin, end) in enumerate(pairwise(bounds)):
        if begin < end:
            rows = tables.weights.take(patterns[begin:end], axis=0)
            np.add(logs[begin:end] @ rows, tables.prior, out=scores[text])


def _patterns(tables: _Tables, texts: Sequence[bytes]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the patterns in each text, as text * patterns + pattern in rising order, and their counts."""
    sizes = np.fromiter(map(len, texts), np.intp, len(texts)) + 1
    lanes = -(-int(sizes.sum()) // _LANE)
    padded = np.full(_WARM_UP + lanes * _LANE, _SEPARATOR, np.uint8)
    joined = np.frombuffer(bytes([_SEPARATOR]).join(texts), np.uint8)
    padded[_WARM_UP : _WARM_UP + len(joined)] = joined
    steps = np.lib.stride_tricks.sliding_window_view(padded, _WARM_UP + _LANE)[::_LANE].T
    states = np.zeros(lanes, np.uint32)
    visited = np.empty((_LANE, lanes), np.uint32)
    for step, column in enumerate(np.ascontiguousarray(steps)):
        states = tables.moves.take(tables.row.take(states) + column)
        if step >= _WARM_UP:
            visited[step - _WARM_UP] = states
    pattern = tables.pattern.take(visited.T.ravel())
    place = np.flatnonzero(pattern >= 0)
    text = np.repeat(np.arange(len(texts)), sizes).take(place, mode="clip")
    keys = text * len(tables.weights) + pattern.take(place)
    keys.sort()
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys.take(starts), np.diff(starts, append=len(keys))


def _bytes(text: str) -> bytes:
    text = text[:MAX_CHARS]
    if text.isascii():
        return (text.lower() if text.isupper() else text).encode()
    text = unicodedata.normalize("NFC", text.lower() if text.isupper() else text)
    return text.encode("utf-8", "surrogatepass")


def _ranked(identifier: Any, labels: Sequence[str], texts: Sequence[str]) -> Scores:
    probabilities = np.zeros((len(texts), len(labels)), np.float32)
    for row, text in enumerate(texts):
        if any(map(str.isalpha, text)):
            ranked = dict(identifier.rank(text[:MAX_CHARS]))
            probabilities[row] = [ranked.get(label, 0.0) for label in labels]
    return Scores(tuple(labels), probabilities)


@cache
def _model() -> tuple[Any, list[str], _Tables | None]:
    """Return py3langid's identifier, its labels, and its tables; None if they have another form."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    labels = list(dict.fromkeys(identifier.nb_classes))
    try:
        tables = _tables(identifier)
        ours = _scored(tables, labels, identifier.nb_classes, _PROBE)
    except (AttributeError, TypeError, ValueError, IndexError):
        return identifier, labels, None
    theirs = _ranked(identifier, labels, _PROBE)
    same = np.allclose(ours.probabilities, theirs.probabilities, atol=0.01)
    return identifier, labels, tables if same else None


def _tables(identifier: Any) -> _Tables:
    """Raise ValueError if the separator does not take the automaton back to its start."""
    moves = np.asarray(identifier.tk_nextmove, np.uint32)
    row = np.asarray(identifier.tk_row, np.intp) << 8
    pattern = np.asarray(identifier.tk_output, np.int32)
    if moves[_SEPARATOR::256].any() or pattern[0] >= 0:
        raise ValueError("another automaton")
    weights = np.asarray(identifier.nb_ptc, np.float32)
    return _Tables(moves, row, pattern, weights, np.asarray(identifier.nb_pc, np.float32))
