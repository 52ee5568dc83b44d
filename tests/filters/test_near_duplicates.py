"""Texts that are nearly the same, or mean the same."""

import random
import subprocess
import sys
from itertools import pairwise

import polars as pl
import pytest
from sentences import HOSTILE, HUMAN, reasons
from static_model import write_model

from glotmill.errors import UsageError
from glotmill.filters import duplicates as module
from glotmill.filters._similar.history import History, rule
from glotmill.filters.duplicates import duplicates

TEXT = pl.col("text")
NEAR = 0.65
UNSPACED = ("zho_Hans", "zho_Hant", "jpn_Jpan", "tha_Thai")


def near(**options):
    return duplicates(TEXT, **{"within": "", "near": NEAR, **options})


def edited(text, tag, chance):
    """Change 4 % of the words, of the characters where there are no words, for others of the text."""
    parts = list(text) if tag in UNSPACED else text.split(" ")
    for place in chance.sample(range(len(parts)), max(1, round(0.04 * len(parts)))):
        parts[place] = chance.choice([part for part in parts if part.strip() and part != parts[place]])
    return ("" if tag in UNSPACED else " ").join(parts)


def test_copies_with_few_words_changed_are_found_in_every_script():
    chance, found = random.Random(5), 0
    for tag, text in HUMAN.items():
        copies = [edited(text, tag, chance) for _ in range(10)]
        said = reasons(near(), [text, *copies])
        assert said[0] is None
        found += said.count("near_duplicate")
    assert found >= 0.95 * 10 * len(HUMAN)


def test_different_human_texts_are_kept():
    sentences = [s for text in HUMAN.values() for s in (text, text[: len(text) // 2], text[len(text) // 2 :])]
    assert reasons(near(), sentences) == [None] * len(sentences)


def test_one_template_filled_with_other_numbers_and_names_is_kept():
    problems = [
        f"A train leaves at {h} and travels {d} km in {t} hours. How fast is it on average, in km per hour?"
        for h, d, t in ((7, 120, 2), (8, 240, 3), (9, 300, 4))
    ]
    asked = [f"What is the capital of {name}?" for name in ("France", "Spain", "Kenya")]
    signs = ["What is 12 + 4?", "What is 12 * 4?", "What is 12 - 4?"]
    texts = [*problems, *asked, *signs]
    assert reasons(near(), texts) == [None] * len(texts)


def test_an_equal_text_is_near():
    for text in [*HUMAN.values(), "Yes", "42", "はい", "?", ""]:
        assert reasons(near(), [text, f" «{text}»\n"]) == [None, "near_duplicate"], text
    assert reasons(near(), ["Yes", "No", "42", "43", "?", None]) == [None, None, None, None, None, "empty"]


def test_rows_are_compared_within_and_by_other_columns():
    text = HUMAN["eng_Latn"]
    copy = text.replace("bread", "cake")
    assert reasons(near(within="topic"), [text, copy, copy], topic=[1, 2, 1]) == [
        None,
        None,
        "near_duplicate",
    ]
    assert reasons(near(also=["n"]), [text, copy, copy], n=[1, 2, 2]) == [None, None, "near_duplicate"]


def test_a_copy_of_a_row_that_was_dropped_is_like_the_row_that_was_kept():
    text = HUMAN["eng_Latn"]
    texts = [
        text,
        "Another text that has nothing to do with the first one, of some length.",
        text,
        text + "!",
    ]
    table = pl.DataFrame({"text": texts, "id": ["a", "b", "c", "d"]})
    said = table.with_columns(near(id="id").alias("said")).unnest("said")
    assert said["first"].to_list() == [None, None, "a", "a"]


def test_a_chain_of_edits_ends_where_the_first_text_is_no_longer_near():
    words = [f"word{n}" for n in range(60)]
    chain = [" ".join([f"new{n}" for n in range(k)] + words[k:]) for k in range(0, 60, 2)]
    said = reasons(near(), chain)
    kept = [n for n, reason in enumerate(said) if reason is None]
    assert 4 <= len(kept) <= 12
    assert all(b - a >= 2 for a, b in pairwise(kept)), "the next edit is near"


def test_numbers_are_the_same_in_another_process():
    code = (
        "import polars as pl; from glotmill.filters.duplicates import keys;"
        "made = pl.select(keys(pl.lit('Привет, мир! Как дела?'), within='', near=0.65)).item();"
        "print(made['keys'][0], made['sketch'].hex())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    made = pl.select(module.keys(pl.lit("ПРИВЕТ,  мир. Как дела"), within="", near=NEAR)).item()
    assert told == f"{made['keys'][0]} {made['sketch'].hex()}\n"
    assert told.startswith("8879958765828942834 f84f2b96"), "on every machine"


def test_the_less_alike_the_more_is_near():
    text = HUMAN["eng_Latn"]
    third = " ".join(word if n % 9 else "other" for n, word in enumerate(text.split()))
    assert reasons(near(near=0.9), [text, third]) == [None, None]
    assert reasons(near(near=0.4), [text, third]) == [None, "near_duplicate"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"near": 1.5}, "near is 1.5; give a share from 0.3 to 1"),
        ({"near": 0.01}, "near is 0.01"),
        ({"near": True}, "near is True; give a share"),
        ({"near": 0, "model": "org/name"}, "a model needs `near:`"),
        ({"against": "nowhere.parquet"}, "nowhere.parquet: no such file or folder"),
    ],
)
def test_options_that_cannot_be(options, told):
    with pytest.raises(UsageError, match=told):
        near(**options)


def test_hostile_texts_are_compared():
    said = reasons(near(), [*HOSTILE, *HOSTILE])
    assert said[len(HOSTILE) :] == ["near_duplicate"] * len(HOSTILE)
    assert reasons(near(), [HOSTILE[:3], HOSTILE[5:8]]) == [None, None], "lists of texts"


def test_meaning_is_compared_by_a_model(tmp_path):
    model = write_model(tmp_path / "model")
    texts = ["cat", "dog", "cat cat cat", "dog unheard", "cat dog", "unheard", "unheard of", None]
    assert reasons(near(near=0.95, model=model), texts) == [
        *(None, None, "same_meaning", "same_meaning", None),
        *(None, "same_meaning", "empty"),
    ]
    assert reasons(near(near=0.5, model=model), ["cat", "cat dog"]) == [None, "same_meaning"], "cosine 0.71"


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        near(model=str(tmp_path / "none"))
    (tmp_path / "config.json").write_text("{}")
    found = rule(module, TEXT, {"near": 0.9, "model": str(tmp_path)})
    with pytest.raises(UsageError, match="cannot be read as a model2vec model"):
        History(found).begin()


def test_the_rows_of_an_earlier_dataset_count_as_seen(tmp_path):
    text = HUMAN["eng_Latn"]
    path = tmp_path / "old.parquet"
    pl.DataFrame({"text": [text, HUMAN["hin_Deva"]]}).write_parquet(path)
    texts = [text.replace("bread", "cake"), HUMAN["swh_Latn"], HUMAN["hin_Deva"]]
    assert reasons(near(against=str(path)), texts) == ["near_duplicate", None, "near_duplicate"]
    assert reasons(duplicates(TEXT, within="", against=str(path)), texts) == [None, None, "duplicate"]


def test_an_earlier_dataset_without_the_columns_is_refused(tmp_path):
    path = tmp_path / "old.parquet"
    pl.DataFrame({"text": ["a"]}).write_parquet(path)
    with pytest.raises(UsageError, match="no column 'topic'; the columns are text"):
        reasons(near(against=str(path), within="topic"), ["a"], topic=["b"])


def test_earlier_rows_of_a_language_only(tmp_path):
    path = tmp_path / "old.parquet"
    pl.DataFrame({"text": ["one", "two"], "language": ["eng_Latn", "fra_Latn"]}).write_parquet(path)
    found = rule(module, TEXT, {"against": str(path)})
    history = History(found)
    history.begin("fra_Latn")
    said = history.apply(pl.DataFrame({"text": ["one", "two"], "language": ["fra_Latn"] * 2}))
    assert said["reason"].to_list() == [None, "duplicate"]
    pl.DataFrame({"text": ["one"]}).write_parquet(path)
    history = History(found)
    history.begin("fra_Latn")
    said = history.apply(pl.DataFrame({"text": ["one", "two"], "language": ["fra_Latn"] * 2}))
    assert said["reason"].to_list() == ["duplicate", None], "without a language, for every one"
