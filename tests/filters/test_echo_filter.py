import unicodedata

import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.filters.echo import echo

TEXT = pl.col("text")
TEXTS = list(HUMAN.values())


def test_other_texts_and_translations_are_kept():
    assert reasons(echo(TEXT), TEXTS, prompt=TEXTS[1:] + TEXTS[:1]) == [None] * len(TEXTS)


def test_a_copy_is_an_echo_in_any_case_and_punctuation():
    copies = [f"  {text.title()} !!" for text in TEXTS]
    assert reasons(echo(TEXT), copies, prompt=TEXTS) == ["echo"] * len(TEXTS)


def test_a_text_contained_in_the_source_is_an_echo():
    parts = [text[5:45] for text in TEXTS]
    assert reasons(echo(TEXT), parts, prompt=TEXTS) == ["echo"] * len(TEXTS)


def test_a_copy_with_words_around_it_is_an_echo():
    wrapped = [f"1 2 3. {text} 4 5 6." for text in TEXTS]
    assert reasons(echo(TEXT), wrapped, prompt=TEXTS) == ["echo"] * len(TEXTS)
    assert min(measure(echo(TEXT), "share", wrapped, prompt=TEXTS)) > 0.5


def test_a_short_answer_may_appear_in_the_question():
    prompt = ["Is Nairobi or Mombasa the capital of Kenya?"] * 3
    texts = ["Nairobi", "Nairobi is the capital of Kenya.", prompt[0].lower()]
    assert reasons(echo(TEXT), texts, prompt=prompt) == [None, None, "echo"]


def test_an_answer_may_repeat_the_question_and_go_on():
    question = "Why does the baker open his shop before sunrise every day?"
    answer = f"{question} Because {HUMAN['eng_Latn'][30:]} So the bread is ready, and he sleeps after noon."
    assert reasons(echo(TEXT), [answer], prompt=[question]) == [None]


def test_a_sentence_of_a_persona_in_a_turn_is_an_echo():
    persona = [["Ninafanya kazi kama mwuguzi hospitalini.", "Napenda kuimba."]] * 3
    talk = [
        ["Habari za leo?", "Nzuri."],
        ["Habari!", "ninafanya kazi kama mwuguzi hospitalini, na wewe?"],
        ["Napenda kuimba."],
    ]
    turns = [[{"speaker": "AB"[i % 2], "text": text} for i, text in enumerate(texts)] for texts in talk]
    assert reasons(echo(TEXT, source="persona"), turns, persona=persona) == [None, "echo", "echo"]


def test_a_sentence_of_a_persona_is_as_long_in_chinese():
    persona = [["我喜欢和朋友们一起做菜。", "我唱歌。"]] * 2
    talk = [
        "你好！我喜欢和朋友们一起做菜，你周末一般都做些什么呢？",
        "你好！我唱歌，你周末一般都做些什么呢？",
    ]
    turns = [[{"speaker": "A", "text": text}] for text in talk]
    assert reasons(echo(TEXT, source="persona"), turns, persona=persona) == ["echo", None]


def test_a_turn_of_a_demonstration_is_an_echo():
    demonstrations = [
        ["small talk", "A: Is this seat free?\nB: Sure, I only put my bag there for a moment."]
    ] * 2
    turns = [
        [
            {"speaker": "A", "text": "Sure, I only put my bag there for a moment!"},
            {"speaker": "B", "text": "Thanks."},
        ],
        [{"speaker": "A", "text": "We had some small talk."}, {"speaker": "B", "text": "Sure."}],
    ]
    assert reasons(echo(TEXT, source="demonstrations"), turns, demonstrations=demonstrations) == [
        "echo",
        None,
    ]


def test_the_source_may_be_turns():
    demonstrations = [[{"speaker": "A", "text": "Сегодня на рынке были очень дорогие яблоки."}]]
    texts = ["Она сказала: сегодня на рынке были очень дорогие яблоки, и ушла."]
    assert reasons(echo(TEXT, source="demonstrations"), texts, demonstrations=demonstrations) == ["echo"]


def test_rows_without_a_source_are_kept_and_null_is_empty():
    assert reasons(echo(TEXT), ["abc", "abc", None], prompt=[None, "", "abc"]) == [None, None, "empty"]
    assert reasons(echo(TEXT), ["abc"], prompt=pl.Series([None], dtype=pl.List(pl.String))) == [None]


def test_the_limit_is_an_option():
    text, prompt = HUMAN["fra_Latn"] + " " + HUMAN["spa_Latn"], HUMAN["fra_Latn"]
    assert reasons(echo(TEXT, max_share=0.9), [text], prompt=[prompt]) == [None]
    assert reasons(echo(TEXT, max_share=0.3), [text], prompt=[prompt]) == ["echo"]


def test_a_copy_in_other_letter_forms_is_an_echo():
    wide = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})
    apart = [unicodedata.normalize("NFD", text) for text in TEXTS]
    unseen = [
        text.replace(" ", " \u200b").replace("ا", "ا\u064e").replace("ال", "ا\u0640ل") for text in TEXTS
    ]
    for copies in (apart, unseen, [text.translate(wide) for text in TEXTS]):
        assert reasons(echo(TEXT), copies, prompt=TEXTS) == ["echo"] * len(TEXTS)
        assert reasons(echo(TEXT), TEXTS, prompt=copies) == ["echo"] * len(TEXTS)


def test_a_run_is_found_wherever_it_begins():
    given = " ".join(f"given{i}" for i in range(8))
    for before in range(12):
        own = [f"own{i}" for i in range(30)]
        text = " ".join([*own[:before], given, *own[before:]])
        share = measure(echo(TEXT), "share", [text], prompt=[f"x {given} y"])[0]
        assert share == 1 / 31


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Write a short poem about the sea.", "Write a short poem about sea."),
        (
            "Explique la photosynthèse à un enfant de six ans.",
            "Explique la photosynthèse à un enfant de huit ans.",
        ),
        ("Напиши короткое письмо другу о весне.", "Напиши короткое письмо подруге о весне."),
        ("请用简单的话解释光合作用。", "请用简单的话解释光合作用吧。"),
        ("なぜ空は青いのか説明してください。", "なぜ空が青いのか説明してください。"),
        ("Je, mwalimu anafanya nini shuleni leo?", "Je, mwalimu anafanya nini shuleni kesho?"),
        (
            "I bake bread early in the morning.",
            ["I live in a small town.", "I bake some bread early in the morning."],
        ),
    ],
)
def test_short_near_copies_are_dropped(text, source):
    assert reasons(echo(TEXT, source="source"), [text], source=[source]) == ["echo"]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Paris is the capital of France.", "What is the capital of France?"),
        ("法国的首都是巴黎，很美。", "法国的首都是哪里，很美？"),
        ("Yes, I like tea.", "Do you like tea?"),
        ("The sea is calm and blue today.", "Write a short poem about the sea."),
        ("Tea, bread, salt.", "Tea, bread, milk."),
    ],
)
def test_short_answers_with_words_of_the_source_are_kept(text, source):
    assert reasons(echo(TEXT, source="source"), [text], source=[source]) == [None]
