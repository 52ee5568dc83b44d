import polars as pl
import pytest
from sentences import HOSTILE, HUMAN, measure, reasons

from glotmill.filters.numbers_kept import numbers_kept

TEXT = pl.col("text")


def verdict(text, source, **options):
    return reasons(numbers_kept(TEXT, **options), [text], source=[source])[0]


@pytest.mark.parametrize(
    "text",
    [
        "كان العدد ١٬٢٣٤٫٥ لترًا.",
        "मात्रा १,२३४.५ लीटर थी।",
        "ปริมาณคือ ๑,๒๓๔.๕ ลิตร",
        "Es waren 1.234,5 Liter.",
        "Il y avait 1\u202f234,5 litres.",
        "Il y avait 1 234,5 litres.",
        "Es waren 1'234.5 Liter.",
        "量は１，２３４．５リットルでした。",
    ],
)
def test_the_same_number_in_other_digits_and_marks_is_kept(text):
    assert verdict(text, "There were 1,234.5 litres.") is None
    assert verdict(text, "There were 1,235.5 litres.") == "numbers_missing"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("15 लाख लोग", "1.5 million people"),
        ("१५ लाख लोग", "1,500,000 people"),
        ("15,00,000 लोग", "1.5 million people"),
        ("150万人", "1.5 million people"),
        ("1億2,500万ポンド", "£125m"),
        ("20 مىليون 400 مىڭدىن ئارتۇق", "more than 20.4 million"),
        ("2,8 Milliarden Pfund", "£2.8bn"),
        ("2 800 miljoonaa puntaa", "£2.8 billion"),
        ("380 ألف شخص", "380,000 people"),
        ("38만 명", "380,000 people"),
        ("3 триллиона", "3,000,000,000,000"),
    ],
)
def test_scale_words_after_digits_are_read(text, source):
    assert verdict(text, source, smallest=0) is None


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("in den 80er Jahren", "in the 1980s"),
        ("au XIXe siècle", "in the 19th century"),
        ("на рубеже XVIII века", "the 18th century"),
        ("у ХІХ столітті", "the 19th century"),
        ("十九世纪", "in the 19th century"),
        ("二百八十一家店", "281 stores"),
        ("二〇一六年", "in 2016"),
        ("百分之一百", "100 percent"),
        ("um 7:55 Uhr", "at 7.55 am"),
        ("at 7.55", "at 7:55"),
        ("ในปี 2560", "in 2017"),
        ("am 30.05.2005", "on May 30, 2005"),
        ("call 0800555111", "call 0800 555 111"),
    ],
)
def test_other_ways_to_write_years_times_and_centuries(text, source):
    assert verdict(text, source) is None


def test_a_wrong_number_is_listed():
    texts = ["Er ist 48 Jahre alt.", "Er ist 47 Jahre alt und wiegt 80 kg.", "Er ist alt."]
    source = ["He is 47 years old, and weighs 81 kg."] * 3
    assert reasons(numbers_kept(TEXT), texts, source=source) == ["numbers_missing", None, "numbers_missing"]
    assert measure(numbers_kept(TEXT), "share", texts, source=source) == [0, 0.5, 0]
    assert measure(numbers_kept(TEXT), "missing", texts, source=source) == ["47, 81", "81", "47, 81"]
    assert reasons(numbers_kept(TEXT, min_share=1), texts, source=source)[1] == "numbers_missing"


def test_small_numbers_may_be_words_unless_all_are_required():
    assert verdict("Trois chats et deux chiens", "3 cats and 2 dogs") is None
    assert (
        verdict("Trois chats et 2 chiens", "3 cats and 2 dogs", smallest=0, min_share=1) == "numbers_missing"
    )
    assert verdict("3 chats et 2 chiens", "3 cats and 2 dogs", smallest=0, min_share=1) is None


def test_numbers_that_are_not_in_the_source_are_invented():
    assert verdict("Em 1998, 25 pessoas", "25 people") is None
    assert verdict("Em 1998, 25 pessoas", "25 people", invented=True) == "numbers_invented"
    assert verdict("Em 1998 pessoas", "people", invented=True) == "numbers_invented"
    assert verdict("2 pessoas", "two people", invented=True) is None
    assert measure(numbers_kept(TEXT, invented=True), "missing", ["1998"], source=["x"]) == ["1998"]


def test_a_number_is_not_found_inside_another():
    assert verdict("Es waren 1470.", "There were 47.") == "numbers_missing"
    assert verdict("Es waren 4,7 Liter.", "There were 47 litres.") == "numbers_missing"
    assert verdict("十八世纪", "in the 19th century") == "numbers_missing"


def test_texts_without_numbers_are_kept():
    texts = list(HUMAN.values())
    assert reasons(numbers_kept(TEXT, invented=True), texts, source=texts) == [None] * len(texts)
    assert measure(numbers_kept(TEXT), "share", texts, source=texts) == [None] * len(texts)


def test_a_null_text_is_empty_and_a_null_source_requires_nothing():
    assert reasons(numbers_kept(TEXT), [None, "12", ""], source=["12", None, "12"]) == [
        "empty",
        None,
        "numbers_missing",
    ]


def test_lists_and_turns_are_joined():
    turns = [[{"speaker": "A", "text": "Hai 25 anni?"}, {"speaker": "B", "text": "No, 31."}]]
    assert reasons(numbers_kept(TEXT, min_share=1), turns, source=[["25?", "No, 31"]]) == [None]


def test_hostile_text_is_read():
    assert len(reasons(numbers_kept(TEXT, invented=True), HOSTILE, source=HOSTILE[::-1])) == len(HOSTILE)
    assert verdict("1 million " * 20_000, "1 million 2 thousand " * 10_000) is None
