"""How many tokens languages need, and what becomes of a budget of tokens."""

import csv
import shutil
import unicodedata
from pathlib import Path

import pytest

from glotmill.errors import RecipeError
from glotmill.generators._shared.fertility import TABLE, fertility, token_budget, token_counter
from glotmill.languages import find

# Articles 1 of the Universal Declaration of Human Rights: one content in several languages.
ARTICLE = {
    "eng": "All human beings are born free and equal in dignity and rights. They are endowed with reason and "
    "conscience and should act towards one another in a spirit of brotherhood.",
    "deu": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und "
    "Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
    "spa": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de "
    "razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
    "rus": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и "
    "совестью и должны поступать в отношении друг друга в духе братства.",
    "hin": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और "
    "अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
}


@pytest.mark.parametrize("language", ["deu", "spa", "rus", "hin"])
def test_fertility_is_about_what_a_translation_costs(language: str) -> None:
    count = token_counter("glotmill-nano")
    assert count is not None
    cost = count(ARTICLE[language]) / count(ARTICLE["eng"])
    assert fertility(count, language) == pytest.approx(cost, rel=0.4)


def test_a_tokenizer_of_bytes_costs_scripts_of_three_bytes_most() -> None:
    def of_bytes(text: str) -> int:
        return len(text.encode())

    factors = [fertility(of_bytes, language) for language in ("eng", "fra", "rus", "hin")]
    assert factors[0] == 1
    assert factors == sorted(factors)
    assert fertility(of_bytes, "mya") > 2.5


def test_without_a_tokenizer_it_is_that_of_usual_ones() -> None:
    assert fertility(None, "eng") == 1
    assert 1 < fertility(None, "deu") < fertility(None, "mya")
    with pytest.raises(RecipeError):
        fertility(None, "klingon")


def test_a_script_that_the_table_lacks_counts_as_rare() -> None:
    assert fertility(None, "div_Thaa") == fertility(len, "div_Thaa") == 4


def test_a_budget_grows_and_never_shrinks() -> None:
    assert token_budget(200, 2.401) == 481
    assert token_budget(200, 0.5) == 200


def test_a_tokenizer_that_is_not_at_hand_is_none(tmp_path: Path, nano: Path) -> None:
    assert token_counter("nobody/no-such-model") is None
    assert token_counter(str(tmp_path)) is None
    (tmp_path / "tokenizer.json").write_text("{}")
    token_counter.cache_clear()
    assert token_counter(str(tmp_path)) is None
    shutil.copy(nano / "tokenizer.json", tmp_path)
    token_counter.cache_clear()
    count = token_counter(str(tmp_path))
    assert count is not None
    assert count("hello") >= 1


def test_the_table_is_of_known_languages_and_holds_words_alone() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 200
    for row in rows:
        assert len(row["language"]) == 4 or find(row["language"]).tag == row["language"]
        words = row["words"].split()
        assert [len(word) for word in words] == sorted(len(word) for word in words)
        assert not any(unicodedata.category(character) in ("Cc", "Co") for character in row["words"])
