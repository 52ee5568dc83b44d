import numpy as np
import polars as pl
import pytest
from sentences import HUMAN, reasons

from glotmill.filters.detectors._leads import foreign_leads
from glotmill.filters.language import language

TEXT = pl.col("text")
LEADS = [
    "Sure, here's your request in Hindi:",
    "Of course! Here is the story:",
    "Certainly! Here's the text.",
    "I'd be happy to help!",
    "Here is the answer:",
    "Bien sûr, voici la réponse :",
    "Voici le texte demandé :",
    "Claro, aquí tienes el texto:",
    "Gerne, hier ist die Antwort:",
    "Конечно, вот ваш текст:",
    "好的，以下是您的请求：",
    "当然，这是翻译：",
    "はい、こちらが回答です：",
    "بالتأكيد، إليك النص المطلوب:",
    "Tentu, berikut jawabannya:",
]
TARGETS = ["hin_Deva", "swh_Latn", "ben_Beng", "heb_Hebr", "tha_Thai", "ell_Grek"]


@pytest.mark.parametrize("lead", LEADS)
def test_a_short_lead_in_another_language_is_mixed_language(lead):
    texts = [f"{lead}{gap}{HUMAN[tag]}" for tag in TARGETS for gap in (" ", "\n\n")]
    tags = [tag for tag in TARGETS for _ in range(2)]
    assert reasons(language(TEXT), texts, language=tags) == ["mixed_language"] * len(texts)


def test_a_lead_of_any_turn_counts():
    turns = [
        [
            {"speaker": "A", "text": HUMAN["swh_Latn"]},
            {"speaker": "B", "text": f"Sure, here is my answer: {HUMAN['swh_Latn']}"},
        ]
    ]
    assert reasons(language(TEXT), turns, language=["swh_Latn"]) == ["mixed_language"]


def test_leads_in_the_language_and_names_are_none():
    texts = [
        f"Holly Willoughby: {HUMAN['tur_Latn']}",
        f"The Lion King\n\n{HUMAN['swh_Latn']}",
        f"OK! {HUMAN['fra_Latn']}",
        f"Voici le texte : {HUMAN['fra_Latn']}",
        f"iPhone 15 Pro Max: {HUMAN['hin_Deva']}",
        "Here is the answer:",
    ]
    tags = ["tur_Latn", "swh_Latn", "fra_Latn", "fra_Latn", "hin_Deva", "eng_Latn"]
    assert reasons(language(TEXT), texts, language=tags) == [None] * len(texts)


def test_human_text_has_no_foreign_lead():
    tags = list(HUMAN)
    texts = [f"{line}\n\n{line}" for line in HUMAN.values()]
    found = foreign_leads(["py3langid"], texts, np.arange(len(tags)), tags, None)
    assert not found.any()


def test_nothing_to_judge():
    none = np.zeros(0, np.intp)
    assert not len(foreign_leads(["py3langid"], [], none, [], None))
    assert not foreign_leads(
        [], ["Sure, here it is: bonjour à tous"], np.zeros(1, np.intp), ["fra_Latn"], None
    )[0]
