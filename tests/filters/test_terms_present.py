import polars as pl
import pytest
from sentences import HOSTILE, HUMAN, measure, reasons

from glotmill.filters.terms_present import terms_present

TEXT = pl.col("text")
INFLECTED = [
    ("bakery", "All bakeries were closed."),
    ("książka", "Nie mam tej książki."),
    ("книга", "В этой книге много картинок."),
    ("Haus", "Die Häuser sind alt."),
    ("Datenbank", "Das Datenbanksystem läuft."),
    ("talo", "Asumme taloissamme."),
    ("kitap", "Kitaplarımızdan biri kayıp."),
    ("ışık", "IŞIKLAR söndü."),
    ("İstanbul", "istanbul'da yağmur var."),
    ("ház", "A házak közt."),
    ("casa", "Vivían en casas pequeñas."),
    ("économie", "L'ECONOMIE va mieux."),
    ("كتاب", "قرأت الكِتَاب أمس."),
    ("مدرسة", "ذهب إلى مدرسته وبالمدرسة طلاب"),
    ("مدرسة", "هم فرحون بمدرستهم"),
    ("يد", "أمسكه باليد."),
    ("ספר", "קראתי בספרים."),
    ("mwalimu", "Walimu wote walikuja."),
    ("kitabu", "Vitabu vyangu vimepotea."),
    ("σχολείο", "Στα σχολεία υπάρχουν παιδιά."),
    ("학교", "학교에서 공부합니다."),
    ("बाज़ार", "बाज़ारों में भीड़ है।"),
    ("climate change", "Climate changes are here."),
    ("面包师", "那位面包师很早起床。"),
    ("東京タワー", "昨日東京タワーに行きました。"),
    ("ตลาด", "เขาไปตลาดทุกวัน"),
    ("API", "เขาใช้APIของเรา"),
    ("H2O", "Wasser ist H2O."),
]


@pytest.mark.parametrize(("term", "text"), INFLECTED)
def test_a_term_matches_its_inflected_forms(term, text):
    assert reasons(terms_present(TEXT, terms=[term]), [text]) == [None]


@pytest.mark.parametrize("term", [term for term, _ in INFLECTED])
def test_a_term_does_not_match_other_text(term):
    others = [text for text in HUMAN.values() if "bake" not in text or term != "bakery"]
    others = [text for text in others if not {"面包师", "book"} & {term} or term not in text]
    result = reasons(terms_present(TEXT, terms=[term]), others)
    assert result == ["terms_missing"] * len(others)


@pytest.mark.parametrize(
    ("term", "text"),
    [("art", "The party was great."), ("car", "A careful man"), ("2019", "Im Jahr 20190"), ("面包", "面条")],
)
def test_a_short_term_does_not_match_inside_other_words(term, text):
    assert reasons(terms_present(TEXT, terms=[term]), [text]) == ["terms_missing"]


def test_terms_of_a_column_are_counted_and_listed():
    texts = ["Der Motor und die Bremse", "Der Motor"]
    terms = pl.Series([["Motor", "Bremse"]] * 2)
    assert reasons(terms_present(TEXT), texts, terms=terms) == [None, "terms_missing"]
    assert measure(terms_present(TEXT), "share", texts, terms=terms) == [1, 0.5]
    assert measure(terms_present(TEXT), "missing", texts, terms=terms) == [None, "Bremse"]
    assert reasons(terms_present(TEXT, min_share=0.5), texts, terms=terms) == [None, None]


def test_only_terms_of_the_source_are_required():
    glossary = [{"source": "brake", "target": "Bremse"}, {"source": "engine", "target": "Motor"}]
    texts, source = (
        ["Der Motor ist laut.", "Der Wagen ist laut."],
        ["The engines are loud.", "The car is loud."],
    )
    assert reasons(terms_present(TEXT, terms=glossary, source="source"), texts, source=source) == [None, None]
    shares = measure(terms_present(TEXT, terms=glossary, source="source"), "share", texts, source=source)
    assert shares == [1, None]
    assert reasons(terms_present(TEXT, terms=glossary), texts) == ["terms_missing"] * 2


def test_a_glossary_may_differ_by_row():
    glossary = pl.Series([[{"source": "engine", "target": "moteur"}], [], None])
    texts = ["Le mot", "Le mot", "Le mot"]
    result = reasons(
        terms_present(TEXT, terms="glossary", source="source"),
        texts,
        glossary=glossary,
        source=["An engine"] * 3,
    )
    assert result == ["terms_missing", None, None]


def test_null_is_empty_and_lists_are_joined():
    assert reasons(terms_present(TEXT, terms=["x"]), [None, ""]) == ["empty", "terms_missing"]
    turns = [[{"speaker": "A", "text": "Motor"}, {"speaker": "B", "text": "Bremse"}]]
    assert reasons(terms_present(TEXT, terms=["Bremse", "Motor"]), turns) == [None]


def test_a_glossary_without_targets_is_refused():
    with pytest.raises(ValueError, match="target"):
        terms_present(TEXT, terms=[{"source": "engine"}])


def test_hostile_text_and_terms_are_read():
    terms = pl.Series([[text[:500] for text in HOSTILE]] * len(HOSTILE))
    assert len(reasons(terms_present(TEXT), HOSTILE, terms=terms)) == len(HOSTILE)
