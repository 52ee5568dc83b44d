"""py3langid: 140 languages, 4.6 MB, the best of the small ones; scored here a batch at a time."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glotmill.filters.detectors import Scores

PACKAGE, MODULE, INSTALL = "py3langid", "py3langid", "glotmill"
MAX_CHARS = 100_000  # of a text; more tells no more
_NEVER = 0xFF  # a byte that UTF-8 has not: it takes the automaton back to its start
_REACH = 8  # bytes; no pattern is longer, so after as many the automaton's state is what it is for the whole
_LANE = 64  # bytes that one lane walks
_BATCH = 300_000  # bytes in one batch
_PROBE = (
    "Every morning the baker opens her shop before the sun comes up.",
    "Каждое утро пекарь открывает свою лавку до восхода солнца.",
    "パン屋さんは毎朝、日が昇る前に店を開けます。" * 9,
)


class _Tables(NamedTuple):
    """py3langid's model as arrays: an automaton over bytes, whose states stand for patterns of characters,
    and the log-probability of each pattern in each language."""

    moves: NDArray[np.uint32]
    row: NDArray[np.intp]  # of a state, in `moves`
    pattern: NDArray[np.int32]  # of a state; -1: none
    weights: NDArray[np.float32]  # a row a pattern, a column a class
    prior: NDArray[np.float32]


def py3langid(texts: Sequence[str]) -> Scores:
    """Return py3langid's probabilities, those of its own `rank`, at about ten times its speed.

    A text in which it knows no pattern has a row of zeros. Works out the same from the package's arrays;
    should a release change these, falls back to `rank`.
    """
    identifier, labels, tables = _model()
    if tables is None:
        return _ranked(identifier, labels, texts)
    return _scored(tables, labels, identifier.nb_classes, texts)


def _scored(tables: _Tables, labels: Sequence[str], classes: Sequence[str], texts: Sequence[str]) -> Scores:
    found = np.zeros((len(texts), len(classes)), np.float32)
    encoded = [_bytes(text) for text in texts]
    sizes = np.fromiter(map(len, encoded), np.intp, len(encoded))
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(encoded):
        first = int(ends[begin] - sizes[begin])
        end = max(begin + 1, int(np.searchsorted(ends, first + _BATCH)))
        _score(tables, encoded[begin:end], found[begin:end])
        begin = end
    known = np.flatnonzero(found.any(axis=1))
    logs = found[known] / np.sqrt(sizes[known, None], dtype=np.float32)
    np.exp(logs - logs.max(axis=1, keepdims=True), out=logs)
    found[known] = logs / logs.sum(axis=1, keepdims=True)
    probabilities = np.zeros((len(texts), len(labels)), np.float32)
    for column, name in enumerate(classes):  # some languages are two classes, one a script
        probabilities[:, labels.index(name)] += found[:, column]
    return Scores(tuple(labels), probabilities)


def _score(tables: _Tables, texts: Sequence[bytes], found: NDArray[np.float32]) -> None:
    """Fill in each text's log-probabilities; a text without patterns is left at zero."""
    keys, counts = _patterns(tables, texts)
    size = len(tables.weights)
    bounds = np.searchsorted(keys, np.arange(len(texts) + 1) * size).tolist()
    patterns, logs = keys % size, np.log1p(counts.astype(np.float32))
    for text, (begin, end) in enumerate(pairwise(bounds)):
        if begin < end:
            rows = tables.weights.take(patterns[begin:end], axis=0)
            np.add(logs[begin:end] @ rows, tables.prior, out=found[text])


def _patterns(tables: _Tables, texts: Sequence[bytes]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The patterns in each text, as text x patterns + pattern in rising order, and how often each is there.

    The texts in a row are cut into lanes that the automaton walks side by side, each from a few bytes before
    its own.
    """
    sizes = np.fromiter(map(len, texts), np.intp, len(texts)) + 1
    lanes = -(-int(sizes.sum()) // _LANE)
    whole = np.full(_REACH + lanes * _LANE, _NEVER, np.uint8)
    joined = np.frombuffer(bytes([_NEVER]).join(texts), np.uint8)
    whole[_REACH : _REACH + len(joined)] = joined
    steps = np.lib.stride_tricks.sliding_window_view(whole, _REACH + _LANE)[::_LANE].T
    states = np.zeros(lanes, np.uint32)
    seen = np.empty((_LANE, lanes), np.uint32)
    for step, column in enumerate(np.ascontiguousarray(steps)):
        states = tables.moves.take(tables.row.take(states) + column)
        if step >= _REACH:
            seen[step - _REACH] = states
    pattern = tables.pattern.take(seen.T.ravel())
    at = np.flatnonzero(pattern >= 0)
    text = np.repeat(np.arange(len(texts)), sizes).take(at, mode="clip")
    keys = text * len(tables.weights) + pattern.take(at)
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
    """py3langid's identifier, its labels, and its tables unless they are not as this file knows them."""
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
    """Raises ValueError if the automaton does not go back to its start where it must."""
    moves = np.asarray(identifier.tk_nextmove, np.uint32)
    row = np.asarray(identifier.tk_row, np.intp) << 8
    pattern = np.asarray(identifier.tk_output, np.int32)
    if moves[_NEVER::256].any() or pattern[0] >= 0:
        raise ValueError("another automaton")
    weights = np.asarray(identifier.nb_ptc, np.float32)
    return _Tables(moves, row, pattern, weights, np.asarray(identifier.nb_pc, np.float32))
