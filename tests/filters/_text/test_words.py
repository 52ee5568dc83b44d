import polars as pl
import pytest

from glotmill.filters._text.words import words_series


def words(*texts):
    return words_series(pl.Series(texts, dtype=pl.String)).to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop, ÉMILE: 12 + 3!", ["don", "t", "stop", "émile", "12", "3"]),
        ("ภาษาไทยมีวรรณยุกต์", ["ภาษา", "ไทย", "มี", "วรรณยุกต์"]),
        ("我们正在测试中文分词。", ["我们", "正在", "测试", "中文", "分词"]),
        ("今日はパーティーがあります", ["今日", "は", "パーティー", "が", "あり", "ます"]),
        ("ຂ້ອຍຮັກພາສາລາວ", ["ຂ້ອຍ", "ຮັກ", "ພາສາ", "ລາວ"]),
        ("ខ្ញុំស្រឡាញ់ភាសា", ["ខ្ញុំ", "ស្រឡាញ់", "ភាសា"]),
        ("བོད་སྐད་ཡིག", ["བོད", "སྐད", "ཡིག"]),
        ("한국어를 배웁니다", ["한국어를", "배웁니다"]),
        ("ශ්‍රී ලංකාව", ["ශ්‍රී", "ලංකාව"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("ใช้ iPhone 15 ทุกวัน", ["ใช้", "iphone", "15", "ทุก", "วัน"]),
    ],
)
def test_words_are_those_of_the_language(text, expected):
    assert words(text) == [expected]


def test_a_word_never_spans_a_line_and_rows_stay_apart():
    assert words("ภาษา\nไทย", "ภา", "ษา", "我\r\n们") == [["ภาษา", "ไทย"], ["ภา"], ["ษา"], ["我", "们"]]


def test_what_stands_beside_does_not_matter():
    texts = ["ภาษาไทย", None, "", "plain words", "\n\n我们\n", "\x00", "字" * 5_002, "a\u2028我们\u0085b\x0c"]
    together = words(*texts)
    assert together == [words(text)[0] for text in texts]
    assert together[1:5] == [None, [], ["plain", "words"], ["我们"]]
