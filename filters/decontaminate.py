"""Drop rows that share a passage with a benchmark."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glotmill.errors import UsageError
from glotmill.filters._similar.passages import MIN_WORDS, passages_of
from glotmill.filters._similar.references import Reference, find, rows, texts
from glotmill.filters._text.hashing import U64
from glotmill.filters._text.words import joined

WITHHELD = True

_BATCH = 2_000  # texts that are processed at once
_MAX_ROWS = 3  # a short text in more rows is a common phrase; XNLI has each premise in three
_MIN_TO_SORT = 500_000  # hashes that are collected before they are sorted in
_VERDICT = pl.Struct({"reason": pl.String, "share": pl.Float64, "match": pl.String})


def decontaminate(
    text: pl.Expr,
    *,
    against: str | Sequence[str],
    n: int = 13,
    max_share: float = 0.0,
    text_columns: Sequence[str] = (),
) -> pl.Expr:
    """Drop rows that share a passage with a benchmark.

    A passage is a run of n words, whatever their case, punctuation and line breaks; in scripts without spaces
    (Chinese, Japanese, Thai, Khmer, Lao, Burmese; Tibetan by syllables) of as many characters as say as much.
    A benchmark's text of 4 to n - 1 words counts where it is all that one or several sentences or lines of
    the row say, unless more than 3 rows of the benchmark share it ("Which of the following is true?").

    Options:
        against: one or more of: a name in benchmarks.csv (`mgsm`, `belebele`; `belebele/swh_Latn` is one of
            its configs), a file or folder (relative to the working folder), `hf://owner/dataset`. Of a Hub
            dataset all splits but train are read, of a benchmark in benchmarks.csv the splits named there.
        n: words in a passage. GPT-3 (Brown et al., 2020, appendix C) and lm-evaluation-harness use 13; Tülu 3
            uses 8 and half of a test item.
        max_share: the row is kept while passages make up at most this share of it.
        text_columns: columns of a file or Hub dataset that hold texts; by default all.
    Reasons: empty (null), in_<benchmark>, such as in_mgsm.
    Adds `<column>_decontaminate_share`: the largest share of the row in one benchmark; and
    `<column>_decontaminate_match`: the first shared passage.

    Each process reads the references once and keeps hashes, 8 bytes a passage: 0.15 GB for 1 million
    sentences of 30 words; reading them takes 0.6 GB and 10 CPU seconds. Works for any language; a number in
    other digits is another word. On NTREX-128, 300 lines in each of 128 languages, it finds copies with words
    around them wherever a line has 4 words. None of the 38,400 lines is in GSM8K, whose questions it finds
    with every 15th word changed. Speed: 24,000 (Thai) to 80,000 (English) sentences a CPU second.
    Raises RecipeError for a reference that does not exist, is empty or needs a login; UsageError if reading
    fails.
    """
    if n < MIN_WORDS:
        raise ValueError(f"n {n}: at least {MIN_WORDS} words")
    if not 0 <= max_share < 1:
        raise ValueError(f"max_share {max_share}: a share, under 1")
    specs = [against] if isinstance(against, str) else against
    references = [find(spec, text_columns) for spec in specs]
    if not references:
        raise ValueError("against: name at least one benchmark")
    return joined(text).map_batches(
        lambda column: _verdicts(column, references, n, max_share), return_dtype=_VERDICT, is_elementwise=True
    )


def _verdicts(column: pl.Series, references: Sequence[Reference], n: int, max_share: float) -> pl.Series:
    indexes = {
        f"in_{reference.name}": _index(reference, n, reference.source.stamp) for reference in references
    }
    parts = [_batch_verdicts(part, indexes, n, max_share) for part in column.to_frame().iter_slices(_BATCH)]
    return pl.concat(parts) if parts else pl.Series(dtype=_VERDICT)


def _batch_verdicts(table: pl.DataFrame, indexes: dict[str, U64], n: int, max_share: float) -> pl.Series:
    """Judge some texts (the only column). indexes: sorted hashes of each reference, by the reason."""
    column = table.to_series()
    passages = passages_of(column, n, pieces=True)
    present = column.is_not_null().to_list()
    reasons: list[str | None] = [None if filled else "empty" for filled in present]
    shares: list[float | None] = [0.0 if filled else None for filled in present]
    matches: list[str | None] = [None] * len(column)
    for reason, index in indexes.items():
        is_match = _contained(passages.hashes, index)
        if not is_match.any():
            continue
        covered, numbers = passages.shares(is_match), np.flatnonzero(is_match)
        numbers = numbers[passages.begins[numbers].argsort(kind="stable")]
        for row, first in zip(*np.unique(passages.texts()[numbers], return_index=True), strict=True):
            share = float(covered[row])
            if share > (shares[row] or 0):
                shares[row], matches[row] = share, passages.text(numbers[first])
            if share > max_share and reasons[row] is None:
                reasons[row] = reason
    verdicts = {"reason": reasons, "share": shares, "match": matches}
    return pl.DataFrame(verdicts, schema=_VERDICT.to_schema()).to_struct()


def _contained(hashes: U64, index: U64) -> NDArray[np.bool_]:
    """Return which hashes are in a sorted index."""
    position = np.searchsorted(index, hashes)
    position[position == len(index)] = 0
    return np.asarray(index[position] == hashes)


@lru_cache(maxsize=32)
def _index(reference: Reference, n: int, _stamp: object) -> U64:
    """Return the hashes of all passages of a reference, sorted. A changed file has another stamp and is read
    again."""
    kept, short = [np.empty(0, dtype=np.uint64)], [np.empty(0, dtype=np.uint64)]
    all_texts = (text for row in rows(reference) for text in texts(row))
    while batch := list(islice(all_texts, _BATCH)):
        passages = passages_of(pl.Series(batch, dtype=pl.String), n, pieces=False)
        kept.append(passages.hashes[: passages.long])
        short.append(passages.hashes[passages.long :])
        if sum(map(len, kept[1:])) > max(len(kept[0]) // 2, _MIN_TO_SORT):
            kept = [_sorted(kept)]
    phrases, times = np.unique(np.concatenate(short), return_counts=True)
    index = _sorted([*kept, phrases[times <= _MAX_ROWS]])
    if not len(index):
        raise UsageError(
            f"{reference.spec}: no text of {MIN_WORDS} words or more; there is nothing to compare with"
        )
    return index


def _sorted(parts: list[U64]) -> U64:
    """Return the distinct hashes, sorted, and empty the list. np.unique would take four times the memory."""
    hashes = np.concatenate(parts)
    parts.clear()
    hashes.sort()
    unique: U64 = hashes[np.diff(hashes, prepend=hashes[:1] + np.uint64(1)) != 0]
    return unique
