import polars as pl
import pytest
from sentences import HUMAN, judge, measure

from glotmill.errors import RecipeError
from glotmill.filters.language import cannot_judge, language

TEXT = pl.col("text")
TAGS = list(HUMAN)


def test_human_text_in_its_language_is_kept_and_named():
    assert judge(language(TEXT), list(HUMAN.values()), language=TAGS) == [None] * len(TAGS)
    assert measure(language(TEXT), "detected", list(HUMAN.values()), language=TAGS) == TAGS


def test_text_in_another_language_is_dropped():
    others = TAGS[-5:] + TAGS[:-5]
    assert set(judge(language(TEXT), list(HUMAN.values()), language=others)) == {"wrong_language"}


def test_english_is_dropped_wherever_another_language_was_asked_for():
    asked = [tag for tag in TAGS if tag != "eng_Latn"]
    texts = [HUMAN["eng_Latn"]] * len(asked)
    assert judge(language(TEXT), texts, language=asked) == ["wrong_language"] * len(asked)


def test_the_verdict_does_not_depend_on_the_order_of_rows_or_on_other_rows():
    texts = [text[:60] for text in HUMAN.values()]
    scores = measure(language(TEXT), "score", texts, language=TAGS)
    back = measure(language(TEXT), "score", texts[::-1], language=TAGS[::-1])
    alone = [measure(language(TEXT), "score", [t], language=[g])[0] for t, g in zip(texts, TAGS, strict=True)]
    assert scores == back[::-1] == alone


def test_languages_that_no_detector_tells_apart_count_as_one():
    text = "Pekar otvara svoju radnju prije izlaska sunca i cijela ulica miriše na svjež kruh i tople kolače."
    assert judge(language(TEXT), [text] * 2, language=["hrv_Latn", "bos_Latn"]) == [None, None]


@pytest.mark.parametrize(
    "text", ["", "OK", "42", "x = 3", "नमस्ते", "😀😀😀", "https://example.org/a-long-path/of-words"]
)
def test_what_holds_too_few_letters_is_kept_unjudged(text):
    assert judge(language(TEXT), [text], language=["swh_Latn"]) == [None]
    assert measure(language(TEXT), "detected", [text], language=["swh_Latn"]) == ["und"]
    assert measure(language(TEXT), "score", [text], language=["swh_Latn"]) == [None]


def test_code_addresses_and_formulas_do_not_count():
    code = "\n```python\nfor item in the_whole_list_of_all_items:\n    print(item, 'and more English')\n```\n"
    code += "`another_long_name_in_english(with_its_arguments)`"
    text = (
        HUMAN["hin_Deva"][:60]
        + code
        + "https://example.com/the/english/path $\\alpha = \\text{speed of light}$"
    )
    assert judge(language(TEXT), [text], language=["hin_Deva"]) == [None]


def test_latin_names_in_chinese_and_capitals_do_not_mislead():
    text = "Holly Willoughby 退出與 Dragons Den 明星 Peter Jones 的合作，今後將專注於新的電視節目"
    assert judge(language(TEXT), [text], language=["zho_Hant"]) == [None]
    assert judge(language(TEXT), [HUMAN["fra_Latn"].upper()], language=["fra_Latn"]) == [None]


def test_decomposed_text_is_read_as_composed():
    import unicodedata

    texts = [unicodedata.normalize("NFD", HUMAN[tag]) for tag in ("vie_Latn", "kor_Hang")]
    assert judge(language(TEXT), texts, language=["vie_Latn", "kor_Hang"]) == [None, None]


def test_a_turn_in_another_language_drops_the_dialogue():
    first, second = HUMAN["swh_Latn"].split(". ")
    turns = [{"speaker": "A", "text": first}, {"speaker": "B", "text": second}]
    strange = [*turns, {"speaker": "A", "text": "I really do not know what you are talking about."}]
    short = [*turns, {"speaker": "A", "text": "Okay, yes!"}]
    asked = ["swh_Latn"] * 3
    assert judge(language(TEXT), [turns, strange, short], language=asked) == [None, "mixed_language", None]


def test_an_item_of_a_list_in_another_language_drops_the_list():
    lists = [[HUMAN["rus_Cyrl"]], [HUMAN["rus_Cyrl"], HUMAN["ell_Grek"]], [], None, [None]]
    asked = ["rus_Cyrl"] * 5
    assert judge(language(TEXT), lists, language=asked) == [None, "wrong_language", None, "empty", None]


def test_a_language_that_no_detector_knows_is_said_and_never_passed():
    text = "Ŋdi sia ŋdi la, abolomela la ʋua eƒe fiasea nu hafi ɣe dzena."
    assert judge(language(TEXT), [text], language=["ewe_Latn"]) == ["no_detector"]
    assert judge(language(TEXT, unjudged="keep"), [text], language=["ewe_Latn"]) == [None]
    assert judge(language(TEXT), [HUMAN["eng_Latn"]] * 2, language=[None, "no such"]) == ["no_detector"] * 2
    assert cannot_judge("ewe_Latn", max_foreign=0.1) == "pycld2, py3langid: none knows ewe_Latn (Ewe)"
    assert cannot_judge("ewe_Latn", unjudged="keep") is None
    assert cannot_judge("ewe_Latn", policy="script") is None
    assert cannot_judge("amh", detectors=["langdetect"]) == "langdetect does not know amh_Ethi (Amharic)"
    assert cannot_judge("swh_Latn") is None


def test_an_unknown_detector_is_an_error_that_names_those_there_are():
    with pytest.raises(RecipeError, match=r"no detector 'langdetct'; there is .*langdetect"):
        language(TEXT, detectors=["langdetct"])
    with pytest.raises(RecipeError, match=r"write \[langdetect\]"):
        language(TEXT, detectors="langdetect")


def test_null_is_empty():
    assert judge(language(TEXT), [None, HUMAN["eng_Latn"]], language=["eng_Latn"] * 2) == ["empty", None]


def test_the_limit_is_an_option():
    mixed = HUMAN["spa_Latn"][:70]
    assert judge(language(TEXT, min_score=1.01), [mixed], language=["spa_Latn"]) == ["wrong_language"]


def test_the_column_of_languages_is_an_option():
    assert judge(language(TEXT, language="asked"), [HUMAN["eng_Latn"]], asked=["fra_Latn"]) == [
        "wrong_language"
    ]
