import csv
from pathlib import Path

import polars as pl
import pytest
from sentences import HUMAN, reasons

from glotmill import filters
from glotmill.filters.question import question
from glotmill.languages import find

TEXT = pl.col("text")
ASKING = [
    ("eng_Latn", "Asha has 3 bags of 7 stones. How many stones has she?"),
    ("eng_Latn", "Asha has 3 bags of 7 stones. Find the number of stones."),
    ("eng_Latn", "A train leaves at noon; calculate when it arrives."),
    ("fra_Latn", "Awa a 3 sacs de 7 pierres. Calculez le nombre de pierres."),
    ("spa_Latn", "¿Cuántas piedras tiene Ana?"),
    ("spa_Latn", "Ana tiene 3 bolsas de 7 piedras. Calcula cuántas piedras tiene."),
    ("deu_Latn", "Eva hat 3 Beutel mit je 7 Steinen. Berechne die Anzahl der Steine."),
    ("rus_Cyrl", "У Ани 3 мешка по 7 камней. Найдите число камней."),
    ("arb_Arab", "لدى سارة ٣ أكياس في كل منها ٧ أحجار. كم حجرا لديها؟"),
    ("arb_Arab", "لدى سارة ٣ أكياس في كل منها ٧ أحجار. احسب عدد الأحجار."),
    ("hin_Deva", "आशा के पास 7 पत्थरों की 3 थैलियाँ हैं। कुल पत्थर ज्ञात कीजिए।"),
    ("zho_Hans", "小明有3袋石头，每袋7颗。他一共有多少颗石头"),
    ("zho_Hans", "小明有3袋石头，每袋7颗，求石头总数。"),
    ("jpn_Jpan", "石が7個入った袋が3つあります。石の数を求めなさい。"),
    ("jpn_Jpan", "石は全部でいくつありますか。"),
    ("kor_Hang", "돌이 7개씩 든 자루가 3개 있습니다. 돌의 수를 구하시오."),
    ("tha_Thai", "มีถุง 3 ถุง ถุงละ 7 ก้อน มีหินทั้งหมดเท่าไร"),
    ("swh_Latn", "Asha ana mifuko 3 ya mawe 7. Ana mawe mangapi"),
    ("tur_Latn", "Her birinde 7 taş olan 3 torba var. Taş sayısını bulunuz."),
    ("ell_Grek", "Πόσες πέτρες έχει η Άννα;"),
    ("hye_Armn", "Քանի՞ քար ունի Աննան։"),
    ("amh_Ethi", "አና ስንት ድንጋይ አላት፧"),
    ("ewe_Latn", "Kpe nenie le Ama si?"),
]
TELLING = [
    ("eng_Latn", "Asha has 3 bags of 7 stones. 3 × 7 = 21, so she has 21 stones."),
    ("fra_Latn", "Awa a 3 sacs de 7 pierres, donc 21 pierres."),
    ("deu_Latn", "Eva hat 3 Beutel mit je 7 Steinen, also 21 Steine."),
    ("rus_Cyrl", "У Ани 3 мешка по 7 камней, всего 21 камень."),
    ("arb_Arab", "لدى سارة ٣ أكياس في كل منها ٧ أحجار، أي ٢١ حجرا."),
    ("hin_Deva", "आशा के पास 7 पत्थरों की 3 थैलियाँ हैं, यानी 21 पत्थर।"),
    ("zho_Hans", "小明有3袋石头，每袋7颗，一共21颗。"),
    ("jpn_Jpan", "石が7個入った袋が3つあり、全部で21個です。"),
    ("swh_Latn", "Asha ana mifuko 3 ya mawe 7, yaani mawe 21."),
    ("ewe_Latn", "Kpe blaeve vɔ ɖekɛ le Ama si."),
]  # fmt: skip


@pytest.mark.parametrize(("tag", "text"), ASKING)
def test_questions_and_requests_are_kept(tag, text):
    assert reasons(question(TEXT), [text], language=[tag]) == [None]


@pytest.mark.parametrize(("tag", "text"), TELLING)
def test_what_only_tells_is_dropped(tag, text):
    assert reasons(question(TEXT), [text], language=[tag]) == ["no_question"]


def test_a_story_asks_nothing():
    tags = [tag for tag in HUMAN if "?" not in HUMAN[tag]]
    kept = [
        t
        for t, r in zip(tags, reasons(question(TEXT), [HUMAN[t] for t in tags], language=tags), strict=True)
        if not r
    ]
    assert len(kept) <= 2, kept


def test_null_lists_and_turns():
    assert reasons(question(TEXT), ["Why?", None], language=["eng_Latn", None]) == [None, "empty"]
    turns = [[{"speaker": "A", "text": "Where are you?"}, {"speaker": "B", "text": "At home."}]]
    assert reasons(question(TEXT), turns, language=["eng_Latn"]) == [None]
    assert reasons(question(TEXT), [["At home.", "Here."]], language=["eng_Latn"]) == ["no_question"]


def test_rows_of_the_table_are_languages():
    with Path(filters.__file__).with_name("questions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(find(row["language"]).tag == row["language"] for row in rows)
    assert {row["reviewed"] for row in rows} <= {"yes", "no"}
