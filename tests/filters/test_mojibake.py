import polars as pl
import pytest
from ftfy.badness import badness
from sentences import HUMAN, measure, reasons

from glotmill.filters.mojibake import mojibake

TEXT = pl.col("text")
TABLES = ["latin-1", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "mac-roman", "cp437"]


def misread(text, table):
    return text.encode().decode(table, "ignore")


def test_human_text_is_kept():
    texts = [
        *HUMAN.values(),
        "«Où est le cœur ?», demanda-t-elle — 20 °C, £5, 3½.",
        "”Äldre personer”, sade han. „Ärger“, sagte sie.",
        "Eƒe gbeƒã, ŋdi ɖe, ƒe 37.",
        "x² ≥ 0, ∑ ≈ √2 ± 1, 5 × 3 ÷ 2, ½",
        "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 e\u0301 می‌خواهم \u200fשלום\u200e",
        "a\tb\r\nc",
        "",
    ]
    assert reasons(mojibake(TEXT), texts) == [None] * len(texts)
    assert measure(mojibake(TEXT), "badness", texts) == [0] * len(texts)


@pytest.mark.parametrize("table", ["latin-1", "cp1252", "cp1250", "cp1254", "cp1257", "cp437"])
def test_text_decoded_with_the_wrong_encoding_is_dropped(table):
    texts = [misread(text, table) for tag, text in HUMAN.items() if tag not in ("eng_Latn", "swh_Latn")]
    assert reasons(mojibake(TEXT), texts) == ["mojibake"] * len(texts)


def test_cyrillic_and_lost_chinese_too():
    assert reasons(mojibake(TEXT), [misread(HUMAN["rus_Cyrl"], "cp1251"), "锟斤拷锟斤拷"]) == ["mojibake"] * 2


def test_one_bad_word_is_enough_unless_more_are_allowed():
    texts = ["Un cafÃ© noir.", "It doesnâ€™t matter.", "Un café noir."]
    assert reasons(mojibake(TEXT), texts) == ["mojibake", "mojibake", None]
    assert measure(mojibake(TEXT), "badness", texts) == [1, 1, 0]
    assert reasons(mojibake(TEXT, max_badness=1), texts) == [None] * 3


@pytest.mark.parametrize("sign", ["\ufffd", "\ue000", "\uf8ff", "\x00", "\x1b", "\x85", "\uffff", "\ufffc"])
def test_characters_without_text_count(sign):
    texts = [f"a{sign}b{sign}", "ab"]
    assert reasons(mojibake(TEXT), texts) == ["mojibake", None]
    assert measure(mojibake(TEXT), "badness", texts) == [2, 0]


def test_the_quick_check_misses_nothing_that_ftfy_finds():
    pieces = [misread(HUMAN[tag], table) for tag in HUMAN for table in TABLES]
    words = sorted({word for piece in pieces for word in piece.split() if "\ufffd" not in word})
    bad = [word for word in words if badness(word) and not set(word) & set("ƒ“”„")]
    assert len(bad) > 1_000
    assert [word for word, kept in zip(bad, reasons(mojibake(TEXT), bad), strict=True) if kept is None] == []


def test_lists_turns_and_null():
    assert reasons(mojibake(TEXT), [["fine", "cafÃ©"], ["fine"], None]) == ["mojibake", None, "empty"]
    assert reasons(mojibake(TEXT), [[{"speaker": "A", "text": "cafÃ©"}]]) == ["mojibake"]
