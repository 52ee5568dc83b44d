import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.filters._text.language_limits import limits, stop_words
from glotmill.filters.gopher_quality import gopher_quality

TEXT = pl.col("text")
ENGLISH = " ".join([HUMAN["eng_Latn"]] * 3)
LONG = [" ".join([text] * 5) for text in HUMAN.values()]


def reason_for(text, language="eng_Latn", **options):
    return reasons(gopher_quality(TEXT, **options), [text], language=[language])[0]


def test_human_text_is_kept_in_its_language():
    assert reasons(gopher_quality(TEXT), LONG, language=list(HUMAN)) == [None] * len(LONG)
    assert reasons(gopher_quality(TEXT), list(HUMAN.values()), language=list(HUMAN)) == [None] * len(LONG)
    assert min(measure(gopher_quality(TEXT), "words", LONG, language=list(HUMAN))) >= 50


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("the of to a b c d e f g " * 6, "short_words"),
        ("internationalization of the characteristically incomprehensible " * 15, "long_words"),
        (" ".join(str(n) for n in range(80)) + " the of and", "few_letters"),
        (ENGLISH.replace("the", "zza").replace("The", "Zza").replace("of", "zzo"), None),
        ("Potatoes carrots onions pepper garlic butter " * 10, "few_stop_words"),
        (ENGLISH.replace(" ", " # "), "symbols"),
        (ENGLISH.replace(" ", "... "), "symbols"),
        ("\n".join(["- the price of rice"] * 20), "bullets"),
        ("\n".join(["The days of the week went by and by, as they do…"] * 12), "ellipses"),
    ],
)
def test_each_rule_has_a_reason(text, reason):
    assert reason_for(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "No.",
        "42",
        "# # #",
        "Potatoes, carrots, onions, pepper, garlic.",
        "Well... maybe... I do not know...",
        "\n".join(
            f"- {word} is one of the ten things to know about the sea" for word in ENGLISH.split()[:10]
        ),
        " ".join(f"apples {n} + {n}" for n in range(30)),
        "Then 12 * 3 = 36 and 36 + 4 = 40, so 40 / 5 = 8 of the boxes.\n" * 5,
    ],
)
def test_short_answers_lists_and_sums_are_kept(text):
    assert reason_for(text) is None


def test_languages_in_one_table_are_independent(monkeypatch):
    texts = [" ".join([HUMAN[tag]] * 3) for tag in ("deu_Latn", "deu_Latn", "spa_Latn", "deu_Latn")]
    asked = ["deu_Latn", "spa_Latn", "spa_Latn", "gsw_Latn"]
    together = reasons(gopher_quality(TEXT), texts, language=asked)
    assert together == [None, "few_stop_words", None, None]
    counts = measure(gopher_quality(TEXT), "stop_words", texts, language=asked)
    monkeypatch.setattr("glotmill.filters._text.code_points._PART_SIZE", 50)
    assert reasons(gopher_quality(TEXT), texts, language=asked) == together
    assert measure(gopher_quality(TEXT), "stop_words", texts, language=asked) == counts


def test_stop_words_are_those_of_the_language():
    german = " ".join([HUMAN["deu_Latn"]] * 3)
    assert reason_for(german, "deu_Latn") is None
    assert reason_for(german, "spa_Latn") == "few_stop_words"
    assert measure(gopher_quality(TEXT), "stop_words", [german], language=["deu_Latn"])[0] >= 4


def test_a_language_without_limits_uses_those_of_its_script_or_of_all():
    assert reason_for(ENGLISH, "gsw_Latn") is None
    assert reason_for(ENGLISH, None) is None
    assert measure(gopher_quality(TEXT), "stop_words", [ENGLISH], language=["gsw_Latn"]) == [None]
    tags = pl.Series(["fin_Latn", "gsw_Latn", "xxx_Zzzz", None, "not a tag"])
    longest = limits(tags, "longest_words")["longest_words"].to_list()
    assert longest[0] < longest[1] < longest[2] == longest[3] == longest[4]


def test_from_words_is_an_option():
    text = "Potatoes carrots onions pepper garlic butter " * 4
    assert reason_for(text) is None
    assert reason_for(text, from_words=20) == "few_stop_words"


def test_empty_null_and_turns():
    assert reasons(gopher_quality(TEXT), ["", None], language=["eng_Latn"] * 2) == [None, "empty"]
    turns = [[{"speaker": "A", "text": "Potatoes carrots onions pepper garlic butter " * 5}] * 2]
    assert reasons(gopher_quality(TEXT), turns, language=["eng_Latn"]) == ["few_stop_words"]


def test_stop_words_are_lower_case():
    tags = list(HUMAN)
    for tag, words in zip(tags, stop_words(pl.Series(tags)), strict=True):
        assert 10 <= len(words.split()) <= 25, tag
        assert words.split(" ") == list(dict.fromkeys(words.lower().split()))
