import sys

import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.errors import UsageError
from glotmill.filters.pii import pii
from glotmill.io.pii import find

TEXT = pl.col("text")
PERSONAL = [
    ("eng_Latn", "Call me at 202-555-0143 or (212) 736-5000 tonight.", "phone"),
    ("eng_Latn", "Write to jane.doe@gmail.com, please", "email"),
    ("eng_Latn", "My mail is jane.doe@gmail.com: write to me/us", "email"),
    ("eng_Latn", "My number is +44 7911 123456.", "phone"),
    ("fra_Latn", "Mon numéro : 06 12 34 56 78.", "phone"),
    ("fra_Latn", "Appelez le 01.42.68.53.00", "phone"),
    ("deu_Latn", "Tel. 030 901820 oder 0151 23456789", "phone"),
    ("deu_Latn", "IBAN: DE89 3704 0044 0532 0130 00 bei der Bank", "iban"),
    ("eng_Latn", "card 4111 1111 1111 1111 exp 12/26", "card"),
    ("eng_Latn", "card 378282246310005", "card"),
    ("por_Latn", "CPF 390.533.447-05", "id"),
    ("zho_Hans", "我的手机是13812345678", "phone"),
    ("zho_Hans", "身份证11010519491231002X", "id"),
    ("swh_Latn", "Piga simu 0712 345 678", "phone"),
    ("hin_Deva", "फ़ोन 98765 43210", "phone"),
    ("hin_Deva", "मेरा फ़ोन ९८७६५४३२१० है", "phone"),
    ("arb_Arab", "هاتف: ٠٥٠ ١٢٣ ٤٥٦٧", "phone"),
    ("rus_Cyrl", "Звоните: 8 (916) 123-45-67", "phone"),
    ("rus_Cyrl", "+7 916 123-45-67", "phone"),
    ("jpn_Jpan", "電話は03-3224-5000です", "phone"),
    ("kor_Hang", "010-1234-5678로 전화", "phone"),
    ("ita_Latn", "RSSMRA85T10A562S", "id"),
    ("pol_Latn", "PESEL 44051401359", "id"),
    ("spa_Latn", "DNI 12345678Z", "id"),
    ("spa_Latn", "móvil 612 34 56 78", "phone"),
    ("kor_Hang", "주민번호 990101-1234563", "id"),
    ("tur_Latn", "0532 123 45 67", "phone"),
    ("vie_Latn", "SĐT: 0912 345 678", "phone"),
    ("ind_Latn", "WA 0812-3456-7890", "phone"),
    ("eng_Latn", "SSN 536-90-4399", "id"),
    ("zho_Hans", "请写信给jane@gmail.com谢谢", "email"),
]
HARMLESS = [
    ("eng_Latn", "In 1914-1918 and 2001-2005 it rained."),
    ("eng_Latn", "On 2018-09-12 10:30:45 it was 12.5."),
    ("eng_Latn", "1 000 000 people and 1,234,567 trees; $1 234 567."),
    ("eng_Latn", "12 + 34 = 46; 3 * 4 * 5 * 6 = 360"),
    ("eng_Latn", "x = 1234567 / 89"),
    ("eng_Latn", "The number 1234567890 is big"),
    ("eng_Latn", "1 2 3 4 5 6 7 8 9 10"),
    ("eng_Latn", "The ISBN is 978-0-306-40615-7."),
    ("eng_Latn", "12.09.2018 and 12/09/2018"),
    ("eng_Latn", "3.14159265358979"),
    ("eng_Latn", "user@example.com"),
    ("eng_Latn", "Clone it with git@github.com:acme/widgets.git and run make."),
    ("eng_Latn", "Use ssh://git@gitlab.com/acme/widgets.git as the remote."),
    ("eng_Latn", "@MerPolCC or 5 @ 3"),
    ("eng_Latn", "Room 12-34-56, flight 447"),
    ("eng_Latn", "call 911 or 0800 555 111"),
    ("eng_Latn", "2^64 = 18446744073709551616"),
    ("eng_Latn", "1234567812345678 apples"),
    ("eng_Latn", "phi = 1.6180339887, e = 2.718281828"),
    ("eng_Latn", "192.168.100.200"),
    ("eng_Latn", "between 100-200-300"),
    ("eng_Latn", "GB and DE2024 ROUND TABLE MEETING HALL"),
    ("eng_Latn", "0.123456789 and 0,123456789"),
    ("eng_Latn", "01 02 03 04 05 06"),
    ("eng_Latn", "coordinates 52.520008, 13.404954"),
    ("eng_Latn", "$2,025,550,143 2025550143"),
    ("fra_Latn", "En 2018 2019 2020, 12 34 56 78 90."),
    ("deu_Latn", "100 200 300 400 Äpfel, 0,5 bis 0,75"),
    ("zho_Hans", "共1234567890元，13亿人"),
    ("hin_Deva", "१२३४५६७८९० रुपये"),
    ("rus_Cyrl", "8 123 456 789 рублей"),
    ("swh_Latn", "Jumla ni 7 123 456 shilingi"),
    ("jpn_Jpan", "2018年9月12日 1234567890円"),
]


@pytest.mark.parametrize(("tag", "text", "kind"), PERSONAL)
def test_personal_data_is_dropped(tag, text, kind):
    assert reasons(pii(TEXT), [text], language=[tag]) == [f"pii_{kind}"]


@pytest.mark.parametrize(("tag", "text"), HARMLESS)
def test_other_numbers_are_kept(tag, text):
    assert reasons(pii(TEXT), [text], language=[tag]) == [None]


def test_human_text_is_kept():
    assert reasons(pii(TEXT), list(HUMAN.values()), language=list(HUMAN)) == [None] * len(HUMAN)


def test_numbers_are_read_as_the_language_writes_them():
    text = "Simu 0712 345 678"
    assert reasons(pii(TEXT), [text] * 3, language=["swh_Latn", "jpn_Jpan", None]) == [
        "pii_phone",
        None,
        None,
    ]
    assert reasons(pii(TEXT), ["44051401359"] * 2, language=["pol_Latn", "ita_Latn"]) == ["pii_id", None]


def test_a_number_with_a_wrong_check_digit_is_kept():
    texts = ["card 4111 1111 1111 1112", "DE89 3704 0044 0532 0130 01", "390.533.447-06", "+44 1"]
    assert reasons(pii(TEXT), texts, language=["eng_Latn"] * 4) == [None] * 4


def test_all_are_counted_and_the_first_is_the_reason():
    text = "Call +44 7911 123456 or write to a@gmail.com and b@gmail.com"
    assert reasons(pii(TEXT), [text], language=["eng_Latn"]) == ["pii_phone"]
    assert measure(pii(TEXT), "count", [text, "none", None], language=["eng_Latn"] * 3) == [3, 0, None]
    assert reasons(pii(TEXT, kinds=["iban"]), [text], language=["eng_Latn"]) == [None]
    with pytest.raises(ValueError, match="kinds: name"):
        pii(TEXT, kinds=["name"])


def test_matches_are_exact_and_never_overlap():
    text = "x a@gmail.com, 378282246310005."
    matches = find(text, "eng_Latn")
    assert [text[f.start : f.end] for f in matches] == ["a@gmail.com", "378282246310005"]


def test_turns_lists_and_null():
    assert reasons(pii(TEXT), [["x", "a@gmail.com"], ["x"], None], language=["eng_Latn"] * 3) == [
        "pii_email",
        None,
        "empty",
    ]
    turns = [[{"speaker": "A", "text": "a@gmail.com"}]]
    assert reasons(pii(TEXT), turns, language=["eng_Latn"]) == ["pii_email"]


def test_a_missing_package_is_an_error(monkeypatch):
    from glotmill.io import pii

    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    pii._phonenumbers.cache_clear()
    with pytest.raises(UsageError, match=r"glotmill\[pii\]"):
        find("Call +44 7911 123456", "eng_Latn")


def test_long_runs_of_numbers_are_fast():
    for text in ("0712 345 678 " * 2_000, "1-" * 50_000, "a@" * 50_000, "DE89 " * 20_000, "(1) " * 20_000):
        assert reasons(pii(TEXT), [text], language=["swh_Latn"]) in (["pii_phone"], [None])
