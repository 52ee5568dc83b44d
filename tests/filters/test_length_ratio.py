import polars as pl
from sentences import HOSTILE, HUMAN, measure, reasons

from glotmill.filters.length_ratio import length_ratio

TEXT = pl.col("text")
ENGLISH = HUMAN["eng_Latn"]


def test_human_translations_are_kept_from_and_into_every_language():
    for source_language, source in HUMAN.items():
        result = reasons(
            length_ratio(TEXT, source_language=source_language),
            list(HUMAN.values()),
            language=list(HUMAN),
            source=[source] * len(HUMAN),
        )
        assert result == [None] * len(HUMAN), source_language


def test_a_fragment_is_too_short_and_a_translation_with_an_essay_too_long():
    texts, source = list(HUMAN.values()), [ENGLISH] * len(HUMAN)
    short = reasons(
        length_ratio(TEXT), [t[: len(t) // 6] for t in texts], language=list(HUMAN), source=source
    )
    long = reasons(length_ratio(TEXT), [t * 5 for t in texts], language=list(HUMAN), source=source)
    assert short == ["too_short"] * len(texts)
    assert long == ["too_long"] * len(texts)


def test_the_usual_length_depends_on_the_language():
    chinese = HUMAN["zho_Hans"]
    result = reasons(
        length_ratio(TEXT), [chinese] * 2, language=["zho_Hans", "fra_Latn"], source=[ENGLISH] * 2
    )
    assert result == [None, "too_short"]
    ratio = measure(
        length_ratio(TEXT), "ratio", [chinese] * 2, language=["zho_Hans", "fra_Latn"], source=[ENGLISH] * 2
    )
    assert 0.7 < ratio[0] < 1.4
    assert ratio[1] < 0.4


def test_short_texts_may_deviate_further():
    result = reasons(
        length_ratio(TEXT),
        ["Si, señor!", "Si, señor! " * 20],
        language=["spa_Latn"] * 2,
        source=["Yes.", "Yes. " * 20],
    )
    assert result == [None, "too_long"]


def test_the_source_language_may_be_a_column():
    columns = {"language": ["eng_Latn"], "source": [HUMAN["zho_Hans"]], "from": ["zho_Hans"]}
    assert reasons(length_ratio(TEXT, source_language="from"), [ENGLISH], **columns) == [None]
    assert reasons(length_ratio(TEXT, source_language="eng_Latn"), [ENGLISH], **columns) == ["too_long"]


def test_a_language_without_a_row_uses_its_script():
    columns = {"language": ["lmo_Latn", "xxx_Cakm", None], "source": [ENGLISH] * 3}
    result = reasons(length_ratio(TEXT), [HUMAN["fra_Latn"]] * 3, **columns)
    assert result == [None, "unknown_language", "unknown_language"]


def test_combining_marks_are_not_counted():
    composed, apart = "\u00e9\u00e8" * 60, "e\u0301e\u0300" * 60
    columns = {"language": ["fra_Latn"] * 2, "source": [ENGLISH] * 2}
    ratios = measure(length_ratio(TEXT), "ratio", [composed, apart], **columns)
    assert ratios[0] == ratios[1]


def test_null_is_empty_rows_without_a_source_are_kept_and_a_blank_text_is_too_short():
    columns = {"language": ["fra_Latn"] * 4, "source": [ENGLISH, None, "", ENGLISH]}
    assert reasons(length_ratio(TEXT), [None, "x", "x", ""], **columns) == ["empty", None, None, "too_short"]


def test_the_limit_is_an_option():
    columns = {"language": ["fra_Latn"], "source": [ENGLISH]}
    assert reasons(length_ratio(TEXT, limit=0.01), [HUMAN["fra_Latn"]], **columns) != [None]
    assert reasons(length_ratio(TEXT, limit=1000), ["x"], **columns) == [None]


def test_hostile_lists_and_turns_are_read():
    columns = {"language": ["fra_Latn"] * len(HOSTILE), "source": [[t, None] for t in HOSTILE[::-1]]}
    turns = [[{"speaker": "A", "text": text}] for text in HOSTILE]
    assert len(reasons(length_ratio(TEXT), turns, **columns)) == len(HOSTILE)
