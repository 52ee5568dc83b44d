import polars as pl
import pytest
from sentences import HOSTILE, HUMAN, measure, reasons

from glotmill.filters.judge import judge, score

TEXT = pl.col("text")


@pytest.mark.parametrize(
    "reply",
    [
        "8",
        " 8.\n",
        "8.0",
        "8/10",
        "8 / 10 because it is clear",
        "Rating: 8",
        "Rating: 8. There are 3 mistakes.",
        "I see 2 problems.\nScore = 8",
        "**8**",
        "**Rating:** **8**/10",
        "8 out of 10",
        "8 von 10",
        "Je donne 8 sur 10.",
        "8 из 10",
        "۸ از ۱۰",
        "१० में से ८",
        "10点満点中8点",
        "10점 만점에 8점",
        "10 üzerinden 8",
        "８分",
        "٨",
        "८",
        "๘",
        '{"score": 8}',
        '```json\n{"reason": "2 of 3 hold", "score": "8"}\n```',
        '{"rating": 8.0, "max": 10}',
        "<score>8</score>",
        "Fluency: 7\nAdequacy: 9\nOverall score: 8",
        "Punkt 1: 3 Fehler.\nBewertung: 8\nKommentar: 5 Sätze",
        "错误：3 处。\n评分：8\n",
        "Grade: 8 (it was: 8)",
        "There were 3 problems and 2 gaps.\n\n8",
        "The answer to 3+4 is right.\nFinal rating: 8/10",
    ],
)
def test_a_score_is_read_in_any_wording(reply):
    assert score(reply, 1, 10) == 8


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "junk",
        "eight",
        "7-8",
        "Rating: 7-8",
        "between 7 and 8",
        "80",
        "0",
        "-8",
        "Rating: -8",
        "8/5",
        "11/10",
        "88888888888888888888",
        "1 2 3",
        "Fluency: 7\nAdequacy: 9",
        "7\n9",
        '{"score": null}',
        '{"score": true}',
        '{"score": [8]}',
        '{"other": 1, "thing": 2}',
        "{" * 5000,
    ],
)
def test_other_replies_have_no_score(reply):
    assert score(reply, 1, 10) is None


def test_the_scale_is_an_option_and_halves_are_read():
    assert score("4,5", 1, 5) == 4.5
    assert score("4.5 / 5", 1, 5) == 4.5
    assert score("-3", -5, 5) == -3
    assert score("85%", 0, 100) == 85
    assert score("5/5", 1, 5) == 5


def test_trials_have_a_mean_and_a_spread():
    replies = [["8", "9/10", "Rating: 7"], ["8", "junk", "6"], ["2", "10"], ["junk"], [], None]
    filtered = judge(TEXT, min_mean=6, max_spread=3)
    assert reasons(filtered, replies) == [None, None, "disputed", "no_score", "no_score", "empty"]
    assert measure(filtered, "mean", replies) == [8, 7, 6, None, None, None]
    assert measure(filtered, "trials", replies) == [3, 2, 2, 0, 0, None]
    spreads = measure(filtered, "spread", replies)
    assert spreads[:3] == pytest.approx([(2 / 3) ** 0.5, 1, 4])
    assert reasons(judge(TEXT, min_mean=7.5), replies)[:3] == [None, "too_low", "too_low"]


def test_texts_numbers_and_objects_are_read():
    assert reasons(judge(TEXT, min_mean=5), ["8", "2/10", "??", None]) == [
        None,
        "too_low",
        "no_score",
        "empty",
    ]
    assert reasons(judge(TEXT, min_mean=5), [8, 2, None]) == [None, "too_low", "empty"]
    assert reasons(judge(TEXT, min_mean=5), [[8.5, 7], [2.0]]) == [None, "too_low"]
    assert reasons(judge(TEXT, min_mean=5), [{"score": 8, "why": "x"}, {"score": 1, "why": "2"}]) == [
        None,
        "too_low",
    ]
    assert reasons(judge(TEXT, min_mean=5), [[{"rating": "8/10"}, {"rating": None}]]) == [None]


def test_a_wrong_scale_or_object_is_refused():
    with pytest.raises(ValueError, match="scale"):
        judge(TEXT, min_mean=1, scale=[10, 1])
    with pytest.raises(ValueError, match="score"):
        reasons(judge(TEXT, min_mean=1), [{"points": 1}])


def test_prose_and_hostile_text_have_no_score():
    texts = [*HUMAN.values(), *HOSTILE]
    assert set(reasons(judge(TEXT, min_mean=1), texts)) <= {"no_score", None}
    assert reasons(judge(TEXT, min_mean=1), list(HUMAN.values())) == ["no_score"] * len(HUMAN)
