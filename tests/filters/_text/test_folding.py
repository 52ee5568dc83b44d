import unicodedata

import polars as pl
import pytest
from sentences import HUMAN, reasons

from glotmill.filters._text.words import folded_series
from glotmill.filters.duplicates import duplicates


def fold(*texts):
    return folded_series(pl.Series(texts, dtype=pl.String)).to_list()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("مُحَمَّدٌ", "محمد"),
        ("الـــسلام", "السلام"),
        ("أحمد إلى آخر", "احمد الى اخر"),
        ("ا\u0654حمد", "أحمد"),
        ("علی کتاب", "علي كتاب"),
        ("می‌خواهم", "میخواهم"),
        ("שָׁלוֹם עֲלֵיכֶם", "שלום עליכם"),
        ("क़लम ज़रूर", "\u0958लम \u095bरूर"),
        ("ড়", "\u09dc"),
        ("ਸ਼", "\u0a36"),
        ("അവന്\u200d", "അവൻ"),
        ("क्\u200dष", "क्ष"),
        ("co\u00adoperate", "cooperate"),
        ("Å", "A\u030a"),
    ],
)
def test_spellings_of_one_word_become_one(one, other):
    folded = fold(one, other)
    assert folded[0] == folded[1]
    assert reasons(duplicates(pl.col("text"), within=""), [one, other]) == [None, "duplicate"]


def test_other_letters_stay_what_they_are():
    words = ["كتاب", "كاتب", "كتب", "שבת", "שבט", "क", "ख", "কি", "কী", "é", "e", "ñ", "n", "ш", "щ"]
    assert len(set(fold(*words))) == len(words)


def test_other_scripts_are_only_composed():
    for tag, text in HUMAN.items():
        if not tag.endswith(("Arab", "Hebr")):
            assert fold(text, None) == [unicodedata.normalize("NFC", text), None]
