"""Decontamination: rows that say what a benchmark says."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

import numpy as np
import polars as pl

from glotmill.errors import UsageError
from glotmill.filters._similar.passages import LEAST, Hashes, passages_of
from glotmill.filters._similar.references import Reference, find, rows, stamp, texts
from glotmill.filters._text.words import joined

WITHHELD = True

_TOGETHER = 2_000  # texts that are taken apart at once
_MOST_ROWS = 3  # a short text in more rows is a phrase of the trade; XNLI has each premise in three
_MEASURED = pl.Struct({"reason": pl.String, "share": pl.Float64, "match": pl.String})


def decontaminate(
    text: pl.Expr,
    *,
    against: str | Sequence[str],
    n: int = 13,
    max_share: float = 0.0,
    text_columns: Sequence[str] = (),
) -> pl.Expr:
    """Drop rows that share a passage with a benchmark.

    against: one or more of: a name in benchmarks.csv (`mgsm`, `belebele`; `belebele/swh_Latn` is one config
    of it), a file (.jsonl, .csv, .parquet, .txt; relative to the working folder), `hf://owner/dataset`.
    n: a passage is a run of so many words, whatever their case, punctuation and line breaks; in scripts
    without spaces (Chinese, Japanese, Thai, Khmer, Lao, Burmese, and Tibetan syllables) of as many signs as
    say as much. 13 are what GPT-3 (Brown et al. 2020, appendix C) and lm-evaluation-harness use; Tülu 3 uses
    8 and half of a test item. max_share: the row stays where passages make up at most this share of it.
    A benchmark's text of 4 to n - 1 words counts where it is all that one or several sentences or lines of
    the row say, unless more than 3 rows of the benchmark share it ("Which of the following is true?").
    text_columns: those of a file or Hub dataset that hold texts, by default all. Of a Hub dataset all splits
    but train are read, of those in benchmarks.csv what stands there.

    References are read once per process and kept as hashes, 8 bytes a passage: 0.15 GB for 1 million
    sentences of 30 words, 0.6 GB and 10 CPU seconds while they are read. Any language; a number in other
    digits is another word. Measured on NTREX-128, 300 lines in each of 128 languages: copies with words
    around them are found wherever a line has 4 words; none of the 38,400 lines is in GSM8K, whose questions
    are found with every 15th word changed; 24,000 sentences (Thai) to 80,000 (English) a CPU second.
    -> reason: empty (null), in_<benchmark> such as in_mgsm; share: the largest; match: the first passage.
    Raises RecipeError for what is not there, empty or needs a login, UsageError where reading fails.
    """
    if n < LEAST:
        raise ValueError(f"n {n}: at least {LEAST} words")
    if not 0 <= max_share < 1:
        raise ValueError(f"max_share {max_share}: a share, under 1")
    references = [find(one, text_columns) for one in ([against] if isinstance(against, str) else against)]
    if not references:
        raise ValueError("against: name at least one benchmark")
    return joined(text).map_batches(
        lambda said: _judge(said, references, n, max_share), return_dtype=_MEASURED, is_elementwise=True
    )


def _judge(said: pl.Series, references: Sequence[Reference], n: int, max_share: float) -> pl.Series:
    known = [(f"in_{one.name}", _index(one, n, stamp(one))) for one in references]
    parts = [
        _judge_some(said[i : i + _TOGETHER], known, n, max_share) for i in range(0, len(said), _TOGETHER)
    ]
    return pl.concat(parts) if parts else pl.Series(dtype=_MEASURED)


def _judge_some(said: pl.Series, known: Sequence[tuple[str, Hashes]], n: int, max_share: float) -> pl.Series:
    parts = passages_of(said, n, parts=True)
    reasons: list[str | None] = [None if there else "empty" for there in said.is_not_null()]
    largest = [0.0 if there else None for there in said.is_not_null()]
    matches: list[str | None] = [None] * len(said)
    for name, index in known:
        hit = _found(parts.hashes, index)
        if not hit.any():
            continue
        shares, places = parts.shares(hit), np.flatnonzero(hit)
        places = places[parts.begins[places].argsort(kind="stable")]
        for row, first in zip(*np.unique(parts.texts()[places], return_index=True), strict=True):
            share = float(shares[row])
            if share > (largest[row] or 0):
                largest[row], matches[row] = share, parts.text(places[first])
            if share > max_share and reasons[row] is None:
                reasons[row] = name
    judged = {"reason": reasons, "share": largest, "match": matches}
    return pl.DataFrame(judged, schema=_MEASURED.to_schema()).to_struct()


def _found(hashes: Hashes, index: Hashes) -> np.typing.NDArray[np.bool_]:
    at = np.searchsorted(index, hashes)
    at[at == len(index)] = 0
    return np.asarray(index[at] == hashes)


@lru_cache(maxsize=32)
def _index(reference: Reference, n: int, _: tuple[int, int]) -> Hashes:
    """The hashes of all passages of a reference, sorted. The stamp makes it read a changed file again."""
    kept, short = [np.empty(0, dtype=np.uint64)], [np.empty(0, dtype=np.uint64)]
    said = (text for row in rows(reference) for text in texts(row))
    while some := list(islice(said, _TOGETHER)):
        parts = passages_of(pl.Series(some, dtype=pl.String), n, parts=False)
        kept.append(parts.hashes[: parts.long])
        short.append(parts.hashes[parts.long :])
        if sum(map(len, kept[1:])) > max(len(kept[0]) // 2, 500_000):
            kept = [_sorted(kept)]
    phrases, times = np.unique(np.concatenate(short), return_counts=True)
    if not len(index := _sorted([*kept, phrases[times <= _MOST_ROWS]])):
        raise UsageError(
            f"{reference.spec}: no text of {LEAST} words or more; there is nothing to compare with"
        )
    return index


def _sorted(parts: list[Hashes]) -> Hashes:
    """As np.unique, whose table of hashes would take four times the memory."""
    whole = np.concatenate(parts)
    parts.clear()
    whole.sort()
    unique: Hashes = whole[np.diff(whole, prepend=whole[:1] + np.uint64(1)) != 0]
    return unique
