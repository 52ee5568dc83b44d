import polars as pl
from sentences import HUMAN, measure, reasons

from glotmill.filters.language import language

TEXT = pl.col("text")


def test_a_headline_that_runs_on_into_the_next_sentence_is_seen():
    headline = "Peter Jones furious after Holly Willoughby pulls out of the deal"
    for tag in ("swh_Latn", "tur_Latn", "vie_Latn", "spa_Latn"):
        first, second = HUMAN[tag].split(". ", 1)
        text = f"{first}. {headline} {second}"
        assert reasons(language(TEXT), [text], language=[tag]) == ["mixed_language"], tag
        (share,) = measure(language(TEXT), "english_share", [text], language=[tag])
        assert 0.05 < share < 0.5


def test_an_english_name_in_a_long_sentence_is_no_english():
    text = (
        "Chama cha Save the Children kimesema kwamba watoto wengi wa kijiji hicho wanahitaji chakula na maji."
    )
    assert reasons(language(TEXT), [text], language=["swh_Latn"]) == [None]
    assert reasons(language(TEXT), [HUMAN["eng_Latn"]], language=["eng_Latn"]) == [None]
