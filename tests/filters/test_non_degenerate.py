import polars as pl
from sentences import HOSTILE, HUMAN, reasons

from glotmill.filters.non_degenerate import non_degenerate

TEXT = pl.col("text")
TEXTS = list(HUMAN.values())
PROMPTS = ["Write two sentences about a baker."] * len(TEXTS)


def test_human_text_is_kept_in_every_language():
    assert reasons(non_degenerate(TEXT), TEXTS, prompt=PROMPTS) == [None] * len(TEXTS)


def test_degenerate_text_has_one_reason():
    text = HUMAN["fra_Latn"]
    texts = [None, "", " \n\u200b\x00", f"{text} " + "et puis " * 30, f"{text} Il a dit (et", text]
    prompts = ["x"] * 5 + [text]
    assert reasons(non_degenerate(TEXT), texts, prompt=prompts) == [
        "empty",
        "empty",
        "empty",
        "repetition",
        "truncated",
        "echo",
    ]


def test_the_finish_reason_is_an_option():
    result = reasons(
        non_degenerate(TEXT, finish_reason="why"), TEXTS[:2], prompt=PROMPTS[:2], why=["stop", "length"]
    )
    assert result == [None, "truncated"]


def test_the_source_may_be_another_column_or_none():
    assert reasons(non_degenerate(TEXT, source="given"), TEXTS[:1], given=TEXTS[:1]) == ["echo"]
    assert reasons(non_degenerate(TEXT, source=""), TEXTS[:1]) == [None]


def test_turns_and_hostile_text_are_read():
    turns = [[{"speaker": "A", "text": text}] for text in [*TEXTS, *HOSTILE]]
    result = reasons(non_degenerate(TEXT), turns, prompt=["x"] * len(turns))
    assert result[: len(TEXTS)] == [None] * len(TEXTS)
    assert result[len(TEXTS)] == "empty"
