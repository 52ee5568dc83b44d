import polars as pl
from sentences import HUMAN, reasons

from glotmill.filters.turns import turns

TEXT = pl.col("text")


def reasons_for(*dialogues, **options):
    """Filter dialogues, each a list of (speaker, text)."""
    rows = [d if d is None else [{"speaker": s, "text": t} for s, t in d] for d in dialogues]
    dtype = pl.List(pl.Struct({"speaker": pl.String, "text": pl.String}))
    return reasons(turns(TEXT, **options), pl.Series(rows, dtype=dtype))


def test_dialogues_that_alternate_are_kept():
    dialogues = [[("A", t[:15]), ("B", t[15:30]), ("A", t[30:])] for t in HUMAN.values()]
    assert reasons_for(*dialogues) == [None] * len(HUMAN)


def test_two_turns_of_one_speaker_do_not_alternate():
    assert reasons_for([("A", "Habari?"), ("A", "Nzuri."), ("B", "Karibu.")]) == ["not_alternating"]


def test_speakers_are_counted():
    three = [("A", "1"), ("B", "2"), ("C", "3")]
    assert reasons_for(three, three[:2]) == ["not_alternating", None]
    assert reasons_for(three, three[:2], speakers=3) == [None, "not_alternating"]
    assert (
        reasons_for([("A", "x"), (None, "y")], [("A", "x"), ("", "y")], [("A", "x"), (" A ", "y")])
        == ["not_alternating"] * 3
    )


def test_the_number_of_turns_has_limits():
    talk = [("A", "hm"), ("B", "ja")] * 3
    assert reasons_for(talk, talk[:1], [], min_turns=2, max_turns=5) == [
        "too_many_turns",
        "too_few_turns",
        "too_few_turns",
    ]
    assert reasons_for(talk, min_turns=6, max_turns=6) == [None]


def test_empty_and_overlong_turns():
    assert (
        reasons_for([("A", "hello"), ("B", " \n\u200b")], [("A", "hello"), ("B", None)]) == ["empty_turn"] * 2
    )
    assert reasons_for([("A", "hello"), ("B", "x" * 11)], max_chars=10) == ["turn_too_long"]
    assert reasons_for([("A", "hello"), ("B", "x" * 10)], max_chars=10) == [None]


def test_null_is_empty():
    assert reasons_for(None, [("A", "x"), ("B", "y")]) == ["empty", None]
