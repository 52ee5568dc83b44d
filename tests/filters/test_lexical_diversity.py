import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.filters.lexical_diversity import lexical_diversity

TEXT = pl.col("text")
CYCLE = ["one", "two", "three", "four", "five"]


def test_human_text_is_kept():
    texts = [" ".join(HUMAN.values()), *HUMAN.values()]
    assert reasons(lexical_diversity(TEXT), texts) == [None] * len(texts)
    assert measure(lexical_diversity(TEXT), "mtld", texts)[0] > 50


def test_a_few_words_over_and_over_are_dropped():
    assert reasons(lexical_diversity(TEXT), [" ".join(CYCLE * 20)]) == ["too_uniform"]
    assert reasons(lexical_diversity(TEXT), ["我们喜欢吃饭。" * 40]) == ["too_uniform"]
    assert reasons(lexical_diversity(TEXT), ["เราชอบกินข้าว" * 40]) == ["too_uniform"]


def test_mtld_agrees_with_the_paper():
    # five words over and over: 5 of 7 is the first ratio of at most 0.72, so a stretch has 7 words
    assert measure(lexical_diversity(TEXT), "mtld", [" ".join(CYCLE * 14)]) == [7.0]
    # 7 stretches, and a last one of two different words, whose ratio is still 1
    assert measure(lexical_diversity(TEXT), "mtld", [" ".join((CYCLE * 11)[:51])]) == [pytest.approx(51 / 7)]
    # all words differ: no stretch ends
    assert measure(lexical_diversity(TEXT), "mtld", [" ".join("w" + "x" * i for i in range(60))]) == [60.0]


def test_both_directions_count():
    fresh = ["w" + "x" * i for i in range(40)]
    there, back = " ".join(fresh + ["no"] * 20), " ".join(["no"] * 20 + fresh)
    measured = measure(lexical_diversity(TEXT), "mtld", [there, back])
    assert measured[0] == pytest.approx(measured[1])


def test_short_texts_and_numbers_are_not_measured():
    texts = [" ".join(CYCLE * 9), "1 2 " * 100, "", None]
    assert reasons(lexical_diversity(TEXT), texts) == [None, None, None, "empty"]
    assert measure(lexical_diversity(TEXT), "mtld", texts) == [None] * 4


def test_the_limit_is_an_option_and_turns_count_together():
    text = " ".join(CYCLE * 14)
    assert reasons(lexical_diversity(TEXT, min_mtld=7), [text]) == [None]
    turns = [[{"speaker": "A", "text": " ".join(CYCLE * 7)}] * 2]
    assert reasons(lexical_diversity(TEXT), turns) == ["too_uniform"]
