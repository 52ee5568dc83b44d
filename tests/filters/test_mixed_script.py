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
    ("rus_Cyrl", "Хлеб пахнет naturalным дымом, и это очень хорошо для всех людей.", "naturalным"),
    ("rus_Cyrl", "Мы помним о наших responsibilitiesам каждый день.", "responsibilitiesам"),
    ("eng_Latn", "We share our responsibilitiesам every single day of the week.", "responsibilitiesам"),
    ("ell_Grek", "Η responsibilitiesα είναι μεγάλη για όλους μας σήμερα.", "responsibilitiesα"),
    ("hin_Deva", "यह बहुत दुपार্ष अच्छा है और हम सब यहाँ रहते हैं।", "दुपार্ष"),
    ("hin_Deva", "यह बहुत नужी अच्छा है और हम सब यहाँ रहते हैं।", "नужी"),
    ("hin_Deva", "यह बहुत द\u09bfन अच्छा है और हम सब यहाँ रहते हैं।", "द\u09bfन"),  # a vowel sign of Bengali
    ("ben_Beng", "আমি প্রতিদিন সকালে ভা\u0924 খাই এবং কাজে যাই।", "ভা\u0924"),
    ("tha_Thai", "วันนี้อากาศดีมาก确保ครับ", "วันนี้อากาศดีมาก确保ครับ"),
    ("amh_Ethi", "ዛሬ ጥሩкቀን ነው።", "ጥሩкቀን"),
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
    ("rus_Cyrl", "T-рубашка, PDF'ы, Wi-Fi-роутер и 5 μm."),
    ("kaz_Cyrl", "Ол Googleдың Facebookтегі iPhoneдары туралы айтты."),
    ("tur_Latn", "PDF'in içinde, Facebook'ta ve NATO'nun."),
    ("fin_Latn", "PDF:n ja EU:ssa, 5 µm ja 3 µg."),
    ("kor_Hang", "API를 쓰고 GPU가 iPhone에서."),
    ("hin_Deva", "मैंने iPhone से WhatsAppपर लिखा।"),
    ("srp_Latn", "Na ćirilici se piše хлеб, na latinici hleb, i tako je svuda kod nas."),
    ("eng_Latn", "Let α + β = γ, and kΩ, μs, λ-calculus, 2πr."),
    ("aka_Latn", "Berԑ a ԑyԑ fԑ no, wɔn nyinaa kɔɔ fie."),
    ("kab_Latn", "Yesεa yiwen n uxxam, Γef wakken ad iεeddi."),
    (
        "zho_Hans",
        "俄语的да是你好的意思，我们每天都这样打招呼，大家都很开心也很友好，晚上一起吃饭聊天，周末去公园散步，然后回家看书休息。",
    ),
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


def test_one_mixed_word_is_too_many_in_any_length():
    line = HUMAN["rus_Cyrl"]
    one = line.replace("свежим", "cвежим")
    texts = [one, " ".join([one, *[line] * 20]), line.replace("свежим", "свежим确保"), line]
    said = reasons(mixed_script(TEXT), texts, language=["rus_Cyrl"] * 4)
    assert said == ["mixed_script"] * 3 + [None]
    assert measure(mixed_script(TEXT), "example", texts[:1], language=["rus_Cyrl"]) == ["cвежим"]


def test_max_mixed_leaves_slips_of_people():
    line = HUMAN["rus_Cyrl"]
    one, two = line.replace("свежим", "cвежим"), line.replace("свежим", "cвежим").replace("городе", "гoроде")
    texts = [" ".join([one, *[line] * 5]), two]
    assert reasons(mixed_script(TEXT, max_mixed=0.03), texts, language=["rus_Cyrl"] * 2) == [
        None,
        "mixed_script",
    ]
    assert reasons(mixed_script(TEXT, max_mixed=0.2), texts[1:], language=["rus_Cyrl"]) == [None]


def test_a_chinese_character_in_a_word_is_no_slip_in_any_alphabet():
    alphabets = [tag for tag in HUMAN if tag not in ("tha_Thai", "kor_Hang", "jpn_Jpan")]
    alphabets = [tag for tag in alphabets if not tag.startswith("zho")]
    texts = [f"{HUMAN[tag]} {HUMAN[tag].split()[1].strip(',')}确保 {HUMAN[tag]}" for tag in alphabets]
    assert reasons(mixed_script(TEXT), texts, language=alphabets) == ["mixed_script"] * len(texts)


def test_decomposed_letters_are_composed_first():
    texts = [unicodedata.normalize("NFD", text) for text in HUMAN.values()]
    assert reasons(mixed_script(TEXT), texts, language=list(HUMAN)) == [None] * len(texts)
