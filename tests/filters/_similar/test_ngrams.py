from collections import Counter

import polars as pl
import pytest
from sentences import HUMAN

from glotmill.filters._similar import ngrams
from glotmill.filters._text import code_points
from glotmill.filters._text.code_points import measured
from glotmill.filters._text.words import words_series

SONG = [*"abcabdabe", "of", "my", "home", "of", "my", "heart"]


def shares_of(lists):
    texts = pl.Series([words and " ".join(words) for words in lists], dtype=pl.String)
    return measured(texts, lambda part: ngrams.ngram_shares(part.words(), part.height))


def by_hand(words, n):
    """Both shares as the docstring says them, one text at a time."""
    runs = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    counts, chars = Counter(runs), sum(map(len, words))
    times, size = max(((often, sum(map(len, run))) for run, often in counts.items()), default=(0, 0))
    inside = {i + j for i, run in enumerate(runs) if run in runs[:i] for j in range(n)}
    return (times * size / chars if times > 1 else 0.0), sum(len(words[i]) for i in inside) / max(chars, 1)


def test_shares_are_those_counted_by_hand():
    texts = [words_series(pl.Series([text]))[0].to_list() for text in HUMAN.values()]
    texts += [SONG, SONG * 2, ["a"] * 30, ["a", "b"] * 15, texts[0] + SONG + texts[0], ["one"], [""]]
    shares = shares_of(texts)
    for words, row in zip(texts, shares.iter_rows(named=True), strict=True):
        for n in ngrams.TOP:
            assert row[f"top_{n}"] == pytest.approx(by_hand(words, n)[0]), (n, words)
        for n in ngrams.AGAIN:
            assert row[f"again_{n}"] == pytest.approx(by_hand(words, n)[1]), (n, words)


def test_what_is_said_twice_is_half():
    words = [f"w{i}" for i in range(40)]
    row = shares_of([words * 2]).row(0, named=True)
    assert row["again_5"] == row["again_10"] == 0.5
    assert row["runs"] == 36 / 76  # the 4 runs over the seam are new


def test_texts_do_not_mix_and_parts_do_not_matter(monkeypatch):
    texts = [SONG, SONG, None, SONG * 3, ["x"], SONG]
    whole = shares_of(texts)
    assert whole.row(0) == whole.row(1) == whole.row(5)
    assert set(whole.row(2)) == {0.0}
    monkeypatch.setattr(code_points, "_PART_SIZE", 20)
    assert shares_of(texts).equals(whole)


def test_no_texts_and_no_words_are_fine():
    none = shares_of([])
    assert none.height == 0
    assert none.columns == shares_of([SONG]).columns
    assert shares_of([None, [""], ["..."]]).sum_horizontal().to_list() == [0, 0, 0]
