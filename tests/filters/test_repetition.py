import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.filters.repetition import repetition

TEXT = pl.col("text")
SONG = """The river runs down to the sea,
Oh carry me home, carry me home.
The wind has a letter for me,
Oh carry me home, carry me home.
The night puts a lamp on the hill,
Oh carry me home, carry me home.
My father is waiting there still."""


def test_human_text_is_kept():
    assert reasons(repetition(TEXT), list(HUMAN.values())) == [None] * len(HUMAN)


def test_a_repeated_text_is_dropped():
    assert reasons(repetition(TEXT), [f"{t} " * 5 for t in HUMAN.values()]) == ["repetition"] * len(HUMAN)


def test_a_text_that_ends_in_a_loop_is_dropped():
    for text in HUMAN.values():
        piece = text[20:34]
        assert reasons(repetition(TEXT), [text * 1 + piece * 12]) == ["repetition"], text


@pytest.mark.parametrize(
    "text",
    [
        SONG,
        "Ha ha ha ha ha! No, no, no, no. 哈哈哈哈哈哈！",
        "हा हा हा हा! बहुत अच्छा।",
        "2 x 1 = 2\n2 x 2 = 4\n2 x 3 = 6\n2 x 4 = 8\n2 x 5 = 10\n2 x 6 = 12\n2 x 7 = 14\n2 x 8 = 16",
        "| name | age |\n|------|-----|\n| Asha | 12 |\n| Juma | 13 |",
        "Sign here:\n________________________________________________________________________________",
        "Yes.\nYes.\nYes, of course, whatever you say.",
        "1. Buy rice\n2. Buy beans\n3. Buy oil\n4. Buy salt\n5. Buy tea\n6. Buy soap",
    ],
)
def test_songs_laughter_tables_and_lists_are_kept(text):
    assert reasons(repetition(TEXT), [text]) == [None]


@pytest.mark.parametrize(
    "text",
    [
        "Nzuriiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii sana rafiki",
        "1. Kula mboga kila siku.\n2. Kula mboga kila siku.\n3. Kula mboga kila siku.\n4. Lala mapema.",
        "好的，" * 40 + "再见。",
        "Я не знаю. Ты не знаешь. Я не знаю. Он не знает. Я не знаю. Я не знаю. Я не знаю.",
    ],
)
def test_repeated_runs_and_sentences_are_dropped(text):
    assert reasons(repetition(TEXT), [text]) == ["repetition"]


def test_the_share_is_measured_and_its_limit_an_option():
    texts = [SONG, HUMAN["eng_Latn"], "", None]
    shares = measure(repetition(TEXT), "share", texts)
    assert 0.1 < shares[0] < 0.4
    assert shares[1:] == [0.0, 0.0, None]
    assert reasons(repetition(TEXT, max_share=0.1), texts) == ["repetition", None, None, "empty"]


def test_turns_count_together():
    turn = {"speaker": "A", "text": "Je ne sais pas quoi te dire."}
    assert reasons(repetition(TEXT), [[turn] * 6, [turn]]) == ["repetition", None]


def test_repeated_lines_and_paragraphs_are_dropped():
    lines = [
        "Wash the rice",
        "Heat the oil",
        "Add an onion",
        "Stir until brown",
        "Pour in water",
        "Serve hot",
    ]
    assert reasons(repetition(TEXT), ["\n".join(lines), "\n".join(lines * 2)]) == [None, "repetition"]
    paragraphs = list(HUMAN.values())[:2]
    assert reasons(repetition(TEXT), ["\n\n".join(paragraphs * 2)]) == ["repetition"]


def test_the_same_short_paragraph_between_others_is_dropped():
    fresh = [" ".join(f"word{i}x{j}" for j in range(40)) for i in range(2)]
    assert reasons(repetition(TEXT), ["\n\n".join(["Thank you all", *fresh])]) == [None]
    assert reasons(repetition(TEXT), ["\n\n".join(["Thank you all", *fresh] + ["Thank you all"] * 3)]) == [
        "repetition"
    ]


def test_texts_measured_in_several_parts_are_independent(monkeypatch):
    texts = [*HUMAN.values(), "й" * 40 + " конец", SONG, "", None, "好的，" * 40]
    expected = reasons(repetition(TEXT), texts)
    monkeypatch.setattr("glotmill.filters._text.code_points._PART_SIZE", 100)
    assert reasons(repetition(TEXT), texts) == expected
    assert expected[-5:] == ["repetition", None, None, "empty", "repetition"]


def test_an_answer_given_twice_is_dropped_in_every_language():
    for tag, text in HUMAN.items():
        assert reasons(repetition(TEXT), [f"{text} {text}"]) != [None], tag


def test_gophers_limits_apply_from_50_words():
    words = [f"w{i}" for i in range(100)]
    short, long = " ".join(words[:13] * 2 + words[50:70]), " ".join(words[:10] * 2 + words[50:90])
    assert reasons(repetition(TEXT), [short, long]) == [None, None]
    assert reasons(repetition(TEXT, slack=1), [short, long]) == [None, "repeated_ngrams"]


def test_a_run_of_one_letter_is_found_at_any_position():
    texts = ["x" * before + "й" * 30 + " конец" for before in range(20)]
    assert reasons(repetition(TEXT), texts) == ["repetition"] * 20
    assert (
        reasons(repetition(TEXT), [text.replace("й", "й" * 29, 1)[:48] for text in ["й", "ok"]]) == [None] * 2
    )
    assert reasons(repetition(TEXT), ["é" * 29, "-" * 80, "a" * 15 + "\n" + "a" * 15]) == [None] * 3
