import numpy as np
import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.errors import RecipeError
from glotmill.filters._text import scripts
from glotmill.filters.detectors import Scores
from glotmill.filters.language import cannot_judge, language

TEXT = pl.col("text")
TAGS = list(HUMAN)
NONE_KNOWS = "pycld2, py3langid: none knows ewe_Latn (Ewe)"
NOT_KNOWN = "langdetect does not know amh_Ethi (Amharic)"
REMEDY = "; choose other detectors, or unjudged: keep"


def test_human_text_in_its_language_is_kept_and_named():
    assert reasons(language(TEXT), list(HUMAN.values()), language=TAGS) == [None] * len(TAGS)
    assert measure(language(TEXT), "detected", list(HUMAN.values()), language=TAGS) == TAGS


def test_text_in_another_language_is_dropped():
    others = TAGS[-5:] + TAGS[:-5]
    assert set(reasons(language(TEXT), list(HUMAN.values()), language=others)) == {"wrong_language"}


def test_english_is_dropped_wherever_another_language_was_asked_for():
    asked = [tag for tag in TAGS if tag != "eng_Latn"]
    texts = [HUMAN["eng_Latn"]] * len(asked)
    assert reasons(language(TEXT), texts, language=asked) == ["wrong_language"] * len(asked)


def test_the_verdict_does_not_depend_on_the_order_of_rows_or_on_other_rows():
    texts = [text[:60] for text in HUMAN.values()]
    scores = measure(language(TEXT), "score", texts, language=TAGS)
    back = measure(language(TEXT), "score", texts[::-1], language=TAGS[::-1])
    alone = [measure(language(TEXT), "score", [t], language=[g])[0] for t, g in zip(texts, TAGS, strict=True)]
    assert scores == back[::-1] == alone


def test_rows_are_judged_alike_however_many_are_looked_at_at_once(monkeypatch):
    turns = [[{"speaker": "A", "text": text}, {"speaker": "B", "text": text[:40]}] for text in HUMAN.values()]
    asked = TAGS[1:] + TAGS[:1]
    for column in (list(HUMAN.values()), turns):
        together = [
            measure(language(TEXT), name, column, language=asked) for name in ("reason", "share", "votes")
        ]
        monkeypatch.setattr(scripts, "_MAX_SLICE", 300)
        apart = [
            measure(language(TEXT), name, column, language=asked) for name in ("reason", "share", "votes")
        ]
        assert together == apart


def test_languages_that_no_detector_tells_apart_count_as_one():
    text = "Pekar otvara svoju radnju prije izlaska sunca i cijela ulica miriše na svjež kruh i tople kolače."
    assert reasons(language(TEXT), [text] * 2, language=["hrv_Latn", "bos_Latn"]) == [None, None]


@pytest.mark.parametrize(
    "text", ["", "OK", "42", "x = 3", "नमस्ते", "😀😀😀", "https://example.org/a-long-path/of-words"]
)
def test_what_holds_too_few_letters_is_kept_unjudged(text):
    assert reasons(language(TEXT), [text], language=["swh_Latn"]) == [None]
    assert measure(language(TEXT), "detected", [text], language=["swh_Latn"]) == ["und"]
    assert measure(language(TEXT), "score", [text], language=["swh_Latn"]) == [None]


def test_a_short_text_that_no_detector_is_sure_of_is_kept_unjudged():
    judged = language(TEXT, detectors=["py3langid"], min_score=0.9)
    texts = ["We take away: 16 - 7 = 9.", "Wir haben nur noch 9 Äpfel."]
    assert reasons(judged, texts[:1], language=["eng_Latn"]) == [None]
    assert measure(judged, "detected", texts[:1], language=["eng_Latn"]) == ["und"]
    assert reasons(judged, texts[1:], language=["eng_Latn"]) == ["wrong_language"]


def test_code_addresses_and_formulas_do_not_count():
    code = "\n```python\nfor item in the_whole_list_of_all_items:\n    print(item, 'and more English')\n```\n"
    code += "`another_long_name_in_english(with_its_arguments)`"
    text = (
        HUMAN["hin_Deva"][:60]
        + code
        + "https://example.com/the/english/path $\\alpha = \\text{speed of light}$"
    )
    assert reasons(language(TEXT), [text], language=["hin_Deva"]) == [None]


def test_latin_names_in_chinese_and_capitals_do_not_mislead():
    text = "Holly Willoughby 退出與 Dragons Den 明星 Peter Jones 的合作，今後將專注於新的電視節目"
    assert reasons(language(TEXT), [text], language=["zho_Hant"]) == [None]
    assert reasons(language(TEXT), [HUMAN["fra_Latn"].upper()], language=["fra_Latn"]) == [None]


def test_decomposed_text_is_read_as_composed():
    import unicodedata

    texts = [unicodedata.normalize("NFD", HUMAN[tag]) for tag in ("vie_Latn", "kor_Hang")]
    assert reasons(language(TEXT), texts, language=["vie_Latn", "kor_Hang"]) == [None, None]


def test_a_turn_in_another_language_drops_the_dialogue():
    first, second = HUMAN["swh_Latn"].split(". ")
    turns = [{"speaker": "A", "text": first}, {"speaker": "B", "text": second}]
    strange = [*turns, {"speaker": "A", "text": "I really do not know what you are talking about."}]
    short = [*turns, {"speaker": "A", "text": "Okay, yes!"}]
    asked = ["swh_Latn"] * 3
    assert reasons(language(TEXT), [turns, strange, short], language=asked) == [None, "mixed_language", None]


def test_a_whole_turn_in_another_language_counts_however_small_its_share():
    said = [*HUMAN["spa_Latn"].split(". ") * 5, HUMAN["tur_Latn"].split(". ")[1]]
    turns = [{"speaker": "A", "text": text} for text in said]
    assert reasons(language(TEXT), [turns], language=["spa_Latn"]) == ["mixed_language"]
    assert reasons(language(TEXT), [". ".join(said)], language=["spa_Latn"]) == [None]


def test_an_item_of_a_list_in_another_language_drops_the_list():
    lists = [[HUMAN["rus_Cyrl"]], [HUMAN["rus_Cyrl"], HUMAN["ell_Grek"]], [], None, [None]]
    asked = ["rus_Cyrl"] * 5
    assert reasons(language(TEXT), lists, language=asked) == [None, "wrong_language", None, "empty", None]


def test_a_language_that_no_detector_knows_is_said_and_never_passed():
    text = "Ŋdi sia ŋdi la, abolomela la ʋua eƒe fiasea nu hafi ɣe dzena."
    assert reasons(language(TEXT), [text], language=["ewe_Latn"]) == ["no_detector"]
    assert reasons(language(TEXT, unjudged="keep"), [text], language=["ewe_Latn"]) == [None]
    assert reasons(language(TEXT), [HUMAN["eng_Latn"]] * 2, language=[None, "no such"]) == ["no_detector"] * 2
    assert cannot_judge("ewe_Latn", max_foreign=0.1) == NONE_KNOWS + REMEDY
    assert cannot_judge("ewe_Latn", unjudged="keep") is None
    assert cannot_judge("ewe_Latn", policy="script") is None
    assert cannot_judge("amh", detectors=["langdetect"]) == NOT_KNOWN + REMEDY
    assert cannot_judge("swh_Latn") is None


def test_an_unknown_detector_is_an_error_that_names_those_there_are():
    with pytest.raises(RecipeError, match=r"no detector named 'langdetct'; did you mean 'langdetect'"):
        language(TEXT, detectors=["langdetct"])
    with pytest.raises(RecipeError, match=r"write \[langdetect\]"):
        language(TEXT, detectors="langdetect")


def test_null_is_empty():
    assert reasons(language(TEXT), [None, HUMAN["eng_Latn"]], language=["eng_Latn"] * 2) == ["empty", None]


def test_the_limit_is_an_option():
    mixed = HUMAN["spa_Latn"][:70]
    assert reasons(language(TEXT, min_score=1.01), [mixed], language=["spa_Latn"]) == ["wrong_language"]


def test_the_column_of_languages_is_an_option():
    assert reasons(language(TEXT, language="asked"), [HUMAN["eng_Latn"]], asked=["fra_Latn"]) == [
        "wrong_language"
    ]


def test_one_language_for_all_rows_is_an_option():
    """Such as English, in which many models think whatever the language of the answer."""
    english = "First I think about what the question asks, and then about how to answer it."
    table = pl.DataFrame({"text": [english, HUMAN["fra_Latn"]], "language": ["swh_Latn", "fra_Latn"]})
    made = table.with_columns(language(pl.col("text"), language="eng_Latn").struct.field("reason"))
    assert made["reason"].to_list() == [None, "wrong_language"]
    assert table.clear().select(language(pl.col("text"), language="eng_Latn")).is_empty()
    assert cannot_judge("xyz_Latn", language="eng_Latn") is None


def half_english(tag, between):
    """A text of the language of which one sentence in four is English."""
    first, second = HUMAN["eng_Latn"].split(". ")
    return between.join([HUMAN[tag], HUMAN[tag], first + "."]), between.join([HUMAN[tag], second])


@pytest.mark.parametrize("between", [" ", "\n"], ids=["space", "line"])
def test_english_among_another_language_is_dropped_and_measured(between):
    tags = [tag for tag in TAGS if tag != "eng_Latn"]
    for number in (0, 1):
        texts = [half_english(tag, between)[number] for tag in tags]
        assert reasons(language(TEXT), texts, language=tags) == ["mixed_language"] * len(tags)
        for share in measure(language(TEXT), "english_share", texts, language=tags):
            assert 0.08 < share < 0.5
        runners = measure(language(TEXT), "runner_up", texts, language=tags)
        assert runners == ["eng_Latn"] * len(tags)


def test_another_language_than_english_may_be_a_part_up_to_the_limit():
    text = " ".join([HUMAN["spa_Latn"]] * 4 + [HUMAN["tur_Latn"]])
    asked = {"language": ["spa_Latn"]}
    assert reasons(language(TEXT), [text], **asked) == [None]
    assert reasons(language(TEXT, max_foreign=0.1), [text], **asked) == ["mixed_language"]
    (share,) = measure(language(TEXT), "share", [text], **asked)
    assert 0.75 < share < 0.85
    assert measure(language(TEXT), "english_share", [text], **asked) == [0]


def test_most_of_another_language_is_the_wrong_language():
    text = " ".join([HUMAN["spa_Latn"]] * 4 + [HUMAN["tur_Latn"]])
    assert reasons(language(TEXT), [text], language=["tur_Latn"]) == ["wrong_language"]
    assert measure(language(TEXT), "detected", [text], language=["tur_Latn"]) == ["spa_Latn"]


def test_the_language_in_letters_of_another_script_is_said_to_be_that():
    cyrillic = "Пекар отвара своју радњу пре изласка сунца и цела улица мирише на свеж хлеб и топле колаче."
    latin = "Pekar otvara svoju radnju pre izlaska sunca i cela ulica miriše na svež hleb i tople kolače."
    texts = [cyrillic, latin, cyrillic, latin, HUMAN["zho_Hans"], HUMAN["zho_Hant"]]
    asked = ["srp_Cyrl", "srp_Latn", "srp_Latn", "srp_Cyrl", "zho_Hant", "zho_Hans"]
    said = reasons(language(TEXT), texts, language=asked)
    assert said == [None, None, *["wrong_script"] * 4]
    assert measure(language(TEXT), "share", texts, language=asked) == [1, 1, 0, 0, 0, 0]


def test_romanised_hindi_is_not_hindi():
    text = "Bekari wala suraj nikalne se pehle apni dukaan kholta hai aur poori gali mein roti ki mehak hai."
    assert reasons(language(TEXT), [text], language=["hin_Deva"])[0] in ("wrong_language", "wrong_script")


@pytest.mark.parametrize(
    "text",
    [
        'Tafsiri sentensi hii kwa Kiswahili: "The baker opens his shop before sunrise every day."',
        "Tafsiri sentensi hii kwa Kiswahili:\n> The baker opens his shop before sunrise every day.",
    ],
)
def test_a_cited_source_is_not_held_against_the_text(text):
    assert reasons(language(TEXT), [text], language=["swh_Latn"]) == [None]
    assert reasons(language(TEXT), [text], language=["eng_Latn"]) == ["wrong_language"]


def test_a_text_that_is_all_quoted_is_judged():
    said = reasons(language(TEXT), ['OK: "' + HUMAN["eng_Latn"] + '"'], language=["swh_Latn"])
    assert said == ["wrong_language"]


def test_names_in_another_script_do_not_make_a_text_foreign():
    texts = [
        "Peter Jones และ Holly Willoughby ก่อตั้งบริษัท Truly ร่วมกันเมื่อหลายปีก่อน แต่ตอนนี้เธอถอนตัวแล้ว",
        "Вчера Apple и Google представили новые телефоны, а Microsoft показала Windows для разработчиков.",
    ]
    assert reasons(language(TEXT), texts, language=["tha_Thai", "rus_Cyrl"]) == [None, None]


def test_only_the_script_is_judged_where_the_recipe_says_so():
    texts = [HUMAN["fra_Latn"], HUMAN["rus_Cyrl"], HUMAN["fra_Latn"]]
    asked = ["swh_Latn", "swh_Latn", "ewe_Latn"]
    judged = language(TEXT, policy="script")
    assert reasons(judged, texts, language=asked) == [None, "wrong_script", None]
    assert measure(judged, "detected", texts, language=asked) == ["und"] * 3
    assert reasons(language(TEXT, unjudged="keep"), texts, language=["ewe_Latn"] * 3)[1] == "wrong_script"


def test_the_very_language_is_asked_of_paragraphs_only():
    malay = (
        "Kerajaan telah mengumumkan bahawa semua kereta lama mesti diperiksa sebelum hari Khamis ini. "
        "Encik Rahman memandu lori ke kilang kerana bas sekolah anaknya rosak di tepi jalan raya. "
        "Dia berkata bahawa perbelanjaan kedainya bertambah besar tahun ini, tetapi dia tetap berpuas hati "
        "kerana pelanggan masih datang setiap petang Ahad untuk membeli epal, lobak merah dan kasut baharu."
    )
    judged = language(TEXT, policy="strict")
    assert reasons(judged, [malay, malay], language=["zsm_Latn", "ind_Latn"]) == [None, "wrong_language"]
    assert reasons(judged, [malay[:90]], language=["ind_Latn"]) == [None]
    assert reasons(language(TEXT), [malay], language=["ind_Latn"]) == [None]


def test_an_option_that_is_none_is_an_error():
    with pytest.raises(RecipeError, match="policy 'lax'; choose from group, strict, script"):
        language(TEXT, policy="lax")
    with pytest.raises(RecipeError, match="unjudged 'drop'; choose from error, keep"):
        language(TEXT, unjudged="drop")


def wavers(texts):
    """A detector that is sure of French in what holds `le`, and of nothing else."""
    french = np.array([float(" le " in text) for text in texts], np.float32)
    rest = np.tile((1 - french)[:, None] * np.float32(0.3), (1, 3))
    return Scores(("fra_Latn", "eus_Latn", "oci_Latn", "cat_Latn"), np.column_stack((french, rest)))


def test_a_piece_of_which_no_detector_is_sure_is_not_held_against_a_row_that_is_right():
    sure, unsure = "Hier soir on mange toujours le pain frais.", "Elle boit souvent du vin rouge ici aussi."
    texts = [f"{sure} {unsure} {sure}", unsure]
    judged = language(TEXT, detectors=[f"{__name__}:wavers"])
    assert reasons(judged, texts, language=["fra_Latn"] * 2) == [None, "wrong_language"]
    assert measure(judged, "share", texts, language=["fra_Latn"] * 2) == [1, 0]


def test_thai_and_lao_with_many_names_in_latin_letters_are_kept():
    texts = [
        "มีผู้ชมมากกว่า 20 ล้านคนคอยติดตามชมการให้การของ Brett Kavanaugh",
        "Chelsea จะเจอกับ Videoton ในศึก UEFA Europa League เวลาบ่าย 3 โมงของวันพฤหัสบดีที่ลอนดอน",
        "ຜູ້ຄົນຫຼາຍກວ່າ 20 ລ້ານຄົນຮັບຊົມການພິຈາລະນາຄະດີຂອງ Brett Kavanaugh",
    ]
    assert reasons(language(TEXT), texts, language=["tha_Thai", "tha_Thai", "lao_Laoo"]) == [None] * 3
