import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.filters.script import script
from glotmill.languages import table

TEXT = pl.col("text")
TAGS = list(HUMAN)


def test_human_text_is_in_its_script():
    assert reasons(script(TEXT), list(HUMAN.values()), language=TAGS) == [None] * len(TAGS)
    assert measure(script(TEXT), "share", list(HUMAN.values()), language=TAGS) == [1.0] * len(TAGS)


def test_english_is_dropped_where_another_script_was_asked_for():
    asked = [tag for tag in TAGS if not tag.endswith("Latn")]
    assert len(asked) >= 10
    assert reasons(script(TEXT), [HUMAN["eng_Latn"]] * len(asked), language=asked) == ["wrong_script"] * len(
        asked
    )


def test_every_language_of_the_table_has_a_script_that_can_be_judged():
    tags = [language.tag for language in table()]
    endonyms = [language.endonym for language in table()]
    assert "unknown_script" not in reasons(script(TEXT), endonyms, language=tags)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("tha_Thai", "ชม: Daniel Sturridge ทีม Liverpool ทำคะแนนเสมอ Chelsea"),
        ("yue_Hant", "我覺得呢间店嘅面包系最好食嘅"),
        ("arb_Arab", "اشتريت هاتف iPhone 15 Pro من متجر Apple أمس"),
        ("hin_Deva", "यदि x = 3 और y = 5 हो तो x + y का मान क्या होगा?"),
        ("jpn_Jpan", "昨日NetflixでコメディーのSeason 2を見ました。"),
        ("rus_Cyrl", "Он работает в компании Google и живёт в Москве."),
        ("kor_Hang", "大韓民國의 수도는 서울입니다."),
        ("zho_Hans", "苹果公司的 CEO 今天在 Cupertino 发布了新手机。"),
        ("tha_Thai", "๑๒๓ ปีที่แล้วไม่มี Facebook"),
    ],
)
def test_foreign_names_and_signs_are_fine(tag, text):
    assert reasons(script(TEXT), [text], language=[tag]) == [None]


def test_code_and_addresses_do_not_count():
    text = "استخدم هذا:\n```python\nprint('hello to everyone who reads this')\n```\nأو https://example.com/long/path"
    assert reasons(script(TEXT), [text], language=["arb_Arab"]) == [None]
    assert measure(script(TEXT), "share", [text], language=["arb_Arab"]) == [1.0]


def test_simplified_and_traditional_chinese_are_told_apart():
    texts = [HUMAN["zho_Hans"], HUMAN["zho_Hant"]]
    assert reasons(script(TEXT), texts, language=["zho_Hant", "zho_Hans"]) == ["wrong_script"] * 2
    assert reasons(script(TEXT), ["人山人海"] * 2, language=["zho_Hant", "zho_Hans"]) == [None] * 2


def test_a_language_of_two_scripts_is_held_to_the_one_asked_for():
    latin, cyrillic = "Dobar dan, kako ste danas?", "Добар дан, како сте данас?"
    asked = ["srp_Cyrl", "srp_Latn", "srp_Cyrl", "srp_Latn"]
    said = reasons(script(TEXT), [cyrillic, latin, latin, cyrillic], language=asked)
    assert said == [None, None, "wrong_script", "wrong_script"]


def test_long_chinese_is_neither_japanese_nor_korean():
    texts = [HUMAN["zho_Hant"]] * 2
    assert reasons(script(TEXT), texts, language=["jpn_Jpan", "kor_Hang"]) == ["wrong_script"] * 2


def test_text_without_letters_is_kept_and_null_is_empty():
    texts = ["", "12 + 3 = 15", "😀", None]
    assert reasons(script(TEXT), texts, language=["arb_Arab"] * 4) == [None, None, None, "empty"]
    assert measure(script(TEXT), "share", texts, language=["arb_Arab"] * 4) == [None] * 4


def test_no_script_in_the_tag_is_a_reason():
    said = reasons(script(TEXT), ["Hello there"] * 3, language=["eng", "eng_Zzzz", None])
    assert said == ["unknown_script"] * 3


def test_rows_of_many_languages_keep_their_order():
    texts, tags = list(HUMAN.values()), TAGS[1:] + TAGS[:1]
    together = reasons(script(TEXT), texts, language=tags)
    alone = [reasons(script(TEXT), [t], language=[g])[0] for t, g in zip(texts, tags, strict=True)]
    assert together == alone
    assert {None, "wrong_script"} == set(together)


def test_turns_and_lists_are_judged_as_a_whole():
    turns = [[{"speaker": "A", "text": "Привет"}, {"speaker": "B", "text": "Здравствуй, как дела?"}]]
    assert reasons(script(TEXT), turns, language=["rus_Cyrl"]) == [None]
    assert reasons(script(TEXT), [["Hello there", "my friend"]], language=["rus_Cyrl"]) == ["wrong_script"]
