import subprocess
import sys
import unicodedata

import polars as pl
from sentences import HUMAN, reasons

from glotmill.filters.duplicates import duplicates, keys

TEXT = pl.col("text")


def test_the_first_of_equal_texts_stays():
    texts = ["Habari yako", "habari  YAKO!", "Habari zako", None, None, "Habari yako?"]
    said = reasons(duplicates(TEXT, within=""), texts)
    assert said == [None, "duplicate", None, "empty", "empty", "duplicate"]


def test_human_texts_differ_and_their_copies_do_not():
    texts = list(HUMAN.values())
    copies = ["«" + unicodedata.normalize("NFD", text).replace(" ", "\n ") + "» !" for text in texts]
    assert reasons(duplicates(TEXT, within=""), texts + copies) == [None] * len(texts) + ["duplicate"] * len(
        texts
    )


def test_texts_are_compared_within_a_language():
    texts, tags = ["Taxi!", "Taxi?", "taxi"], ["deu_Latn", "fra_Latn", "deu_Latn"]
    assert reasons(duplicates(TEXT), texts, language=tags) == [None, None, "duplicate"]
    assert reasons(duplicates(TEXT, within="topic"), texts, topic=[1, 1, 2]) == [None, "duplicate", None]


def test_other_columns_may_have_to_be_equal_too():
    texts = ["same", "same", "same", "same"]
    said = reasons(duplicates(TEXT, within="", also=["answer"]), texts, answer=["1", "2", "1", None])
    assert said == [None, None, "duplicate", None]


def test_signs_between_numbers_tell_texts_apart():
    texts = [
        "What is 12 / 4?",
        "What is 12 * 4?",
        "What is 12 - 4?",
        "What is 12 + 4?",
        "What is 1.5?",
        "What is 15?",
    ]
    assert reasons(duplicates(TEXT, within=""), texts) == [None] * 6


def test_lists_are_compared_by_their_items():
    lists = [["3+4=7", "7*2=14"], ["7*2=14", "3+4=7"], ["3+4=7", "7*2=14"], []]
    assert reasons(duplicates(TEXT, within=""), lists) == [None, None, "duplicate", None]


def keys_of(texts, **columns):
    table = pl.DataFrame({"text": texts, **columns})
    return table.select(keys(TEXT, within="", also=list(columns))).to_series().to_list()


def test_a_key_is_the_same_everywhere():
    assert keys_of(["Habari yako", None]) == [[10648538223023796624], None]  # BLAKE2b of "habari yako"


def test_a_key_is_the_same_in_another_process():
    code = (
        "import polars as pl; from glotmill.filters.duplicates import keys;"
        "print(pl.DataFrame({'t': ['Привет, мир']}).select(keys(pl.col('t'), within='')).item()[0])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [[int(out.stdout)]] == keys_of(["привет МИР"])


def test_columns_of_a_key_do_not_run_together():
    assert len({key for (key,) in keys_of(["ab", "a", "a b"], other=["c", "bc", ""])}) == 3
