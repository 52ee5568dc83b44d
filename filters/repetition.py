"""Repetition: a text that goes round in circles."""

import re
from collections import Counter
from collections.abc import Sequence

import polars as pl

from glotmill.filters.text import joined, units

_LETTER_RUN = re.compile(r"([^\W\d_])\1{29,}")
_SENTENCE_END = re.compile(r"[\n.!?。！？।॥؟۔።…]+")
_SHORTEST_SENTENCE = 6  # letters; below it, repeats such as "Yes, sir." are speech
_FEWEST_GRAMS = 20  # below it a share says nothing
_LOOP_ROUNDS, _LOOP_CHARS = 5, 60
_SEEN = 20_000  # characters from each end that are looked at
_MEASURED = pl.Struct({"reason": pl.String, "share": pl.Float64})


def repetition(text: pl.Expr, *, max_share: float = 0.4) -> pl.Expr:
    """Keep texts that do not repeat themselves.

    Dropped: an ending that loops (the same piece 5 times or more, over 60 characters or more), one letter 30
    times, and a text of which over max_share are repeats: of runs of 5 words (10 characters in scripts
    without spaces) or of whole sentences, whichever share is larger.
    -> reason: empty (null), repetition; share: 0 to 1.
    """
    whole = joined(text)
    return pl.struct(whole.alias("text"), units(whole).alias("units")).map_batches(
        lambda rows: _judge(rows, max_share), return_dtype=_MEASURED, is_elementwise=True
    )


def _judge(rows: pl.Series, max_share: float) -> pl.Series:
    frame = rows.struct.unnest()
    judged: list[tuple[str | None, float | None]] = []
    for text, words in zip(frame["text"].to_list(), frame["units"].to_list(), strict=True):
        if text is None:
            judged.append(("empty", None))
            continue
        share = max(_repeated_runs(words), _repeated_sentences(text[:_SEEN]), _loop_share(text))
        loops = share > max_share or _LETTER_RUN.search(text) is not None
        judged.append(("repetition" if loops else None, share))
    return pl.Series(
        [{"reason": reason, "share": share} for reason, share in judged], dtype=_MEASURED, strict=False
    )


def _repeated_runs(words: Sequence[str]) -> float:
    """Share of runs of words that stood before."""
    n = 5 if sum(map(len, words)) > 2.5 * len(words) else 10
    count = len(words) - n + 1
    if count < _FEWEST_GRAMS:
        return 0.0
    return 1 - len(set(zip(*(words[i:] for i in range(n)), strict=False))) / count


def _repeated_sentences(text: str) -> float:
    """Share of the text, in characters, that is a sentence said before; 0 if none is said three times."""
    sentences = [s.strip(" \t0123456789-*•#():").casefold() for s in _SENTENCE_END.split(text)]
    counts = Counter(s for s in sentences if sum(map(str.isalpha, s)) >= _SHORTEST_SENTENCE)
    if not counts or max(counts.values()) < 3:
        return 0.0
    return sum(len(s) * (n - 1) for s, n in counts.items()) / sum(len(s) * n for s, n in counts.items())


def _loop_share(text: str) -> float:
    """1 if the text ends in a loop, else 0."""
    text = text.rstrip()[-_SEEN:]
    end = text[-20:]
    before = text.rfind(end, 0, len(text) - 1) if len(text) >= _LOOP_CHARS else -1
    if before < 0 or not any(map(str.isalnum, end)):
        return 0.0
    period = len(text) - len(end) - before
    piece, rounds = text[-period:], 1
    while text[-period * (rounds + 1) : -period * rounds] == piece:
        rounds += 1
    return float(rounds >= _LOOP_ROUNDS and rounds * period >= _LOOP_CHARS)
