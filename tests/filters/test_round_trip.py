import polars as pl
import pytest
from sentences import HOSTILE, HUMAN, measure, reasons

from glotmill.errors import UsageError
from glotmill.filters import round_trip as module
from glotmill.filters.round_trip import round_trip

TEXT = pl.col("text")
TEXTS = list(HUMAN.values())


def test_the_same_text_has_100_in_every_language():
    assert measure(round_trip(TEXT), "chrf", TEXTS, back=TEXTS, source=TEXTS) == [100] * len(TEXTS)


def test_an_unrelated_text_is_changed():
    other = [text[: len(text) // 2] for text in TEXTS[1:] + TEXTS[:1]]
    assert reasons(round_trip(TEXT), TEXTS, back=other, source=TEXTS) == ["changed"] * len(TEXTS)


def test_a_paraphrase_is_kept_and_the_limit_is_an_option():
    source = ["The baker opens his shop before sunrise, and the street smells of fresh bread."]
    back = ["The baker opens the store before the sun rises and the street smells like fresh bread."]
    assert reasons(round_trip(TEXT), ["x"], back=back, source=source) == [None]
    assert reasons(round_trip(TEXT, min_chrf=90), ["x"], back=back, source=source) == ["changed"]


def test_chrf_agrees_with_a_calculation_by_hand():
    back, source = "thecatsat", "thecatssat"
    shares = []
    for n in range(1, 7):
        own, other = ([text[i : i + n] for i in range(len(text) - n + 1)] for text in (back, source))
        shared = sum(min(own.count(run), other.count(run)) for run in set(own))
        shares.append((shared / len(own), shared / len(other)))
    precision, recall = (sum(share) / 6 for share in zip(*shares, strict=True))
    by_hand = 100 * 5 * precision * recall / (4 * precision + recall)
    chrf = measure(round_trip(TEXT), "chrf", ["x"], back=["the cat sat"], source=["the cats sat"])
    assert chrf == [pytest.approx(by_hand)]


def test_missing_texts_have_reasons():
    columns = {"back": ["a", None, " ", "a"], "source": ["a", "a", "a", None]}
    result = reasons(round_trip(TEXT), [None, "x", "x", "x"], **columns)
    assert result == ["empty", "no_source", "no_source", "no_source"]


def test_lists_and_hostile_text_are_compared():
    assert measure(round_trip(TEXT), "chrf", ["x"], back=[["a b", "c d"]], source=["a b\nc d"]) == [100]
    assert len(reasons(round_trip(TEXT), HOSTILE, back=HOSTILE, source=HOSTILE[::-1])) == len(HOSTILE)


def test_a_missing_package_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"glotmill\[mt\]"):
        round_trip(TEXT)
