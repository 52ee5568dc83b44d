import unicodedata

import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.filters.mixed_script import mixed_script
from glotmill.languages import table

TEXT = pl.col("text")
MIXED = [
    ("rus_Cyrl", "Он живёт в Mоскве давно.", "Mоскве"),
    ("rus_Cyrl", "Я люблю тебя сoлнце.", "сoлнце"),
    ("rus_Cyrl", "Нужно использоvать это.", "использоvать"),
    ("rus_Cyrl", "Это необходимо确保 сделать.", "необходимо确保"),
    ("eng_Latn", "The соmputer is here.", "соmputer"),
    ("eng_Latn", "A рarty for all.", "рarty"),
    ("eng_Latn", "The word你好 is here.", "word你好"),
    ("ell_Grek", "Η Aθήνα είναι ωραία πόλη.", "Aθήνα"),
    ("arb_Arab", "هذا كتاbب جديد هنا", "كتاbب"),
    ("ukr_Cyrl", "Це свiтлий день сьогодні.", "свiтлий"),
    ("srp_Latn", "Dobar дan svima.", "дan"),
    ("kor_Hang", "나는 сегодня빵을 먹었다.", "сегодня빵을"),
    ("eng_Latn", "Use pοwer wisely.", "pοwer"),
    ("hye_Armn", "Սա գիpք է և ոչ թուղթ։", "գիpք"),
    ("hin_Deva", "यह कਮरा बहुत अच्छा है।", "कਮरा"),
]
WHOLE = [
    ("rus_Cyrl", "Он смотрит CNN и Facebook."),
    ("tat_Cyrl", "Ул CNNның Instagramда хәбәре."),
    ("rus_Cyrl", "IT-компания и SMS-ка, iPhone."),
    ("eng_Latn", "α-helix, the angle θ, Δx = 3 μm, 2πr, Ωm"),
    ("zho_Hans", "我在用iPhone看CNN新闻，T恤和卡拉OK。"),
    ("jpn_Jpan", "TシャツとCDを買った。PCRは検査だ。"),
    ("kor_Hang", "K팝과 SK이노베이션의 大韓民國"),
    ("tha_Thai", "ฉันใช้Facebookทุกวัน"),
    ("ewe_Latn", "Eƒe gbeƒã, afͻ kple mίaƒe dukͻ."),
    ("amh_Ethi", "የCNNን ዜና አየሁ ዛሬ።"),
    ("heb_Hebr", "ה-iPhone והCNN בישראל היום"),
    ("arb_Arab", "يعمل في شركة Google وCNN."),
    ("tel_Telu", "CBSలో FBIని చూశాను ఈరోజు"),
    ("vie_Latn", "Người Việt Nam ở TP.HCM."),
    ("srp_Cyrl", "Он воли SMS и USB-ове."),
    ("rus_Cyrl", "Страны ЕC и США"),
]


@pytest.mark.parametrize(("tag", "text", "word"), MIXED)
def test_mixed_words_are_dropped_and_told(tag, text, word):
    assert reasons(mixed_script(TEXT), [text], language=[tag]) == ["mixed_script"]
    assert measure(mixed_script(TEXT), "example", [text], language=[tag]) == [word]


@pytest.mark.parametrize(("tag", "text"), WHOLE)
def test_names_endings_and_formulas_are_whole(tag, text):
    assert reasons(mixed_script(TEXT), [text], language=[tag]) == [None]


def test_what_people_write_is_kept():
    texts, tags = list(HUMAN.values()), list(HUMAN)
    assert reasons(mixed_script(TEXT), texts, language=tags) == [None] * len(texts)
    assert set(measure(mixed_script(TEXT), "share", texts, language=tags)) == {0.0}


def test_letters_of_other_scripts_have_a_share():
    text = "Это хлеб и 这是新鲜面包的味道"
    assert measure(mixed_script(TEXT), "share", [text], language=["rus_Cyrl"]) == [pytest.approx(9 / 17)]
    assert reasons(mixed_script(TEXT), [text], language=["rus_Cyrl"]) == ["mixed_script"]
    assert reasons(mixed_script(TEXT, max_share=0.6), [text], language=["rus_Cyrl"]) == [None]
    assert measure(mixed_script(TEXT), "share", ["да 是"], language=["rus_Cyrl"]) == [None]


def test_latin_words_have_no_share_and_code_is_set_aside():
    texts = ["Он читает The New York Times", "Пишем так: `wоrd` и $x_а$, см. https://exаmple.org/а"]
    assert reasons(mixed_script(TEXT), texts, language=["rus_Cyrl"] * 2) == [None, None]
    assert measure(mixed_script(TEXT), "share", texts, language=["rus_Cyrl"] * 2)[0] == 0.0


def test_every_script_of_the_table_can_be_judged():
    tags = sorted({f"xxx_{language.script}" for language in table()})
    assert "unknown_script" not in reasons(mixed_script(TEXT), ["12"] * len(tags), language=tags)
    said = reasons(mixed_script(TEXT), ["Hello there"] * 3, language=["eng", "eng_Zzzz", None])
    assert said == ["unknown_script"] * 3


def test_rows_of_many_languages_keep_their_order():
    texts = [text for _, text, _ in MIXED] + [text for _, text in WHOLE] + [None]
    tags = [tag for tag, _, _ in MIXED] + [tag for tag, _ in WHOLE] + ["eng_Latn"]
    said = reasons(mixed_script(TEXT), texts, language=tags)
    assert said == ["mixed_script"] * len(MIXED) + [None] * len(WHOLE) + ["empty"]


def test_turns_and_lists_are_judged_as_a_whole():
    turns = [[{"speaker": "Mосква", "text": "Да"}, {"speaker": "B", "text": "Mосква"}]]
    assert reasons(mixed_script(TEXT), turns, language=["rus_Cyrl"]) == ["mixed_script"]
    assert reasons(mixed_script(TEXT), [["Да", "Нет"]], language=["rus_Cyrl"]) == [None]


def test_one_slip_is_human_and_more_are_not():
    line = HUMAN["rus_Cyrl"]
    one, two = line.replace("свежим", "cвежим"), line.replace("свежим", "cвежим").replace("городе", "гoроде")
    texts = [one, two, " ".join([two, *[line] * 5]), line.replace("свежим", "свежим确保")]
    said = reasons(mixed_script(TEXT), texts, language=["rus_Cyrl"] * 4)
    assert said == [None, "mixed_script", None, "mixed_script"]
    assert measure(mixed_script(TEXT), "example", texts[:1], language=["rus_Cyrl"]) == ["cвежим"]
    assert reasons(mixed_script(TEXT, max_mixed=0.2), texts[1:2], language=["rus_Cyrl"]) == [None]


def test_a_chinese_character_in_a_word_is_no_slip_in_any_alphabet():
    alphabets = [tag for tag in HUMAN if tag not in ("tha_Thai", "kor_Hang", "jpn_Jpan")]
    alphabets = [tag for tag in alphabets if not tag.startswith("zho")]
    texts = [f"{HUMAN[tag]} {HUMAN[tag].split()[1].strip(',')}确保 {HUMAN[tag]}" for tag in alphabets]
    assert reasons(mixed_script(TEXT), texts, language=alphabets) == ["mixed_script"] * len(texts)


def test_decomposed_letters_are_composed_first():
    texts = [unicodedata.normalize("NFD", text) for text in HUMAN.values()]
    assert reasons(mixed_script(TEXT), texts, language=list(HUMAN)) == [None] * len(texts)
