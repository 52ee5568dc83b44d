import json
import os

import polars as pl
import pytest
from sentences import HUMAN, measure, reasons

from glotmill.errors import GlotmillError, RecipeError, UsageError
from glotmill.filters.decontaminate import decontaminate

TEXT = pl.col("text")
EXAM = [
    "A baker sells 48 loaves in the morning and half as many in the afternoon. How many loaves are sold?",
    "Which river runs through the old town?",
    "yes",
]


@pytest.fixture
def exam(tmp_path):
    """A benchmark as a file."""
    return write(tmp_path / "exam.jsonl", [{"question": text} for text in EXAM])


def write(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return str(path)


def test_a_copy_is_found_whatever_stands_around_it(exam):
    copies = [
        EXAM[0],
        EXAM[0].upper(),
        "Try this:\n\n" + EXAM[0].replace(" ", "\n").replace(".", " -") + "\n\nAnswer in one word, please.",
        "Question " + EXAM[0].replace("loaves in", "rolls in") + " Thanks!",
        [{"speaker": "A", "text": "Hello"}, {"speaker": "B", "text": EXAM[0]}],
    ]
    assert reasons(decontaminate(TEXT, against=exam), copies[:4]) == ["in_exam"] * 4
    assert reasons(decontaminate(TEXT, against=exam), copies[4:]) == ["in_exam"]


def test_other_texts_stay(exam):
    texts = [
        "A baker sells 48 loaves in the morning and takes the afternoon off to sleep.",
        "yes",
        "The town is old.",
        "",
        None,
    ]
    assert reasons(decontaminate(TEXT, against=exam), texts) == [None, None, None, None, "empty"]


def test_a_short_text_is_found_only_where_it_is_all_that_a_sentence_says(exam):
    inside = [
        "I do not know which river runs through the old town?",
        "which river runs through the old town hall",
    ]
    alone = [
        "1. Which river runs\tthrough the old town?",
        "Hi! Which river runs through the old town? I asked.",
    ]
    assert reasons(decontaminate(TEXT, against=exam), inside + alone) == [None, None, "in_exam", "in_exam"]
    assert reasons(decontaminate(TEXT, against=exam), ["Q: «which river runs through the old town» …"]) == [
        "in_exam"
    ]


def test_a_short_text_may_be_several_sentences(tmp_path):
    file = write(tmp_path / "exam.jsonl", [{"text": "Who is there? It is me, Anna."}])
    inside = "He heard a knock. Who is there? It is me, Anna! And the door opened."
    assert reasons(decontaminate(TEXT, against=file), [inside, "He heard. Who is there? Is it me?"]) == [
        "in_exam",
        None,
    ]


def test_a_short_text_that_many_items_share_is_no_benchmark(tmp_path):
    phrase = "Which of the following is true?"
    for copies, found in ((3, ["in_quiz"]), (4, [None])):
        quiz = write(tmp_path / "quiz.jsonl", [{"q": phrase, "a": EXAM[0]}] * copies)
        assert reasons(decontaminate(TEXT, against=quiz), [phrase]) == found


def test_copies_are_found_in_every_script(tmp_path):
    texts = list(HUMAN.values())
    file = write(tmp_path / "exam.jsonl", [{"text": text} for text in texts[::2]])
    copies = ["…" + text.replace(" ", "  ") + "!" for text in texts]
    said = reasons(decontaminate(TEXT, against=file), copies)
    assert said == ["in_exam" if n % 2 == 0 else None for n in range(len(texts))]


@pytest.mark.parametrize(
    ("tag", "enough", "little"), [("zho_Hans", 28, 20), ("tha_Thai", 100, 50), ("jpn_Jpan", 34, 18)]
)
def test_signs_of_scripts_without_spaces_count_less_than_words(tmp_path, tag, enough, little):
    text = HUMAN[tag]
    file = write(tmp_path / "exam.jsonl", [{"text": text}])
    said = reasons(
        decontaminate(TEXT, against=file), ["1 " + text[3:enough] + " 2", "1 " + text[3:little] + " 2"]
    )
    assert said == ["in_exam", None]


def test_the_share_and_the_first_passage_are_told(exam):
    text = EXAM[0] + " " + " ".join(f"word{n}" for n in range(20))
    told = decontaminate(TEXT, against=exam)
    assert measure(told, "share", [text, "nothing of it", None]) == [pytest.approx(0.5), 0.0, None]
    assert measure(told, "match", [text, "nothing of it"]) == [
        "a baker sells 48 loaves in the morning and half as many in",
        None,
    ]


def test_a_share_may_be_allowed(exam):
    text = EXAM[0] + " " + " ".join(f"word{n}" for n in range(20))
    assert reasons(decontaminate(TEXT, against=exam, max_share=0.49), [text]) == ["in_exam"]
    assert reasons(decontaminate(TEXT, against=exam, max_share=0.51), [text]) == [None]


def test_shorter_passages_find_more(exam):
    text = "Once upon a time a baker sells 48 loaves in the morning, and then?"
    assert reasons(decontaminate(TEXT, against=exam), [text]) == [None]
    assert reasons(decontaminate(TEXT, against=exam, n=8), [text]) == ["in_exam"]


def test_the_reason_names_the_first_benchmark_that_fits(tmp_path, exam):
    other = write(tmp_path / "Other exam-2.jsonl", [{"text": EXAM[0]}, {"text": HUMAN["eng_Latn"]}])
    texts = [EXAM[0], HUMAN["eng_Latn"], "neither"]
    assert reasons(decontaminate(TEXT, against=[exam, other]), texts) == ["in_exam", "in_other_exam_2", None]
    assert reasons(decontaminate(TEXT, against=[other, exam]), texts)[0] == "in_other_exam_2"


def test_every_kind_of_file_is_read(tmp_path):
    frame = pl.DataFrame({"id": [1], "question": [EXAM[0]], "label": ["a"]})
    frame.write_csv(tmp_path / "c.csv")
    frame.write_parquet(tmp_path / "p.parquet")
    (tmp_path / "t.txt").write_text(f"\n{EXAM[0]}\n", encoding="utf-8")
    write(tmp_path / "j.jsonl", [{"turns": [{"text": EXAM[0]}]}])
    for name in ("c.csv", "p.parquet", "t.txt", "j.jsonl"):
        assert reasons(decontaminate(TEXT, against=str(tmp_path / name)), EXAM[:1]) == [f"in_{name[0]}"]


def test_only_the_named_columns_are_read(tmp_path):
    file = write(tmp_path / "exam.jsonl", [{"question": EXAM[0], "note": HUMAN["fra_Latn"]}])
    texts = [EXAM[0], HUMAN["fra_Latn"]]
    assert reasons(decontaminate(TEXT, against=file, text_columns=["question"]), texts) == ["in_exam", None]
    with pytest.raises(RecipeError, match="no column 'answer'; the columns are question, note"):
        decontaminate(TEXT, against=file, text_columns=["answer"])


def test_a_changed_file_is_read_again(tmp_path):
    file = write(tmp_path / "exam.jsonl", [{"text": EXAM[0]}])
    assert reasons(decontaminate(TEXT, against=file), EXAM[:1]) == ["in_exam"]
    write(tmp_path / "exam.jsonl", [{"text": HUMAN["eng_Latn"]}])
    os.utime(file, ns=(1, 1))
    assert reasons(decontaminate(TEXT, against=file), EXAM[:1]) == [None]


def test_a_dataset_is_read_by_its_id_without_its_train_split(tmp_path, monkeypatch):
    for split, text in (("train", HUMAN["eng_Latn"]), ("test", EXAM[0])):
        folder = tmp_path / "owner" / "Exam" / "data"
        folder.mkdir(parents=True, exist_ok=True)
        pl.DataFrame({"question": [text]}).write_parquet(folder / f"{split}-00000.parquet")
    monkeypatch.chdir(tmp_path)  # a folder stands for a dataset of the Hub
    judged = decontaminate(TEXT, against="hf://owner/Exam")
    assert reasons(judged, [EXAM[0], HUMAN["eng_Latn"]]) == ["in_exam", None]
    with pytest.raises(UsageError, match="no config 'swh'; choose from default"):
        reasons(decontaminate(TEXT, against="hf://owner/Exam/swh"), EXAM)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gone.jsonl", None, "gone.jsonl: no such file or folder"),
        ("mgms", None, "did you mean 'mgsm'"),
        ("gone", None, "gone: no such file or benchmark; the benchmarks are"),
        ("hf://exam", None, "hf://exam: write hf://owner/name"),
        ("empty.jsonl", "\n", "empty.jsonl: an empty file"),
        ("broken.jsonl", "{", "broken.jsonl:1: not JSON"),
        ("broken.parquet", "no", "broken.parquet: not parquet"),
        ("exam.pdf", "x", "unknown kind of file '.pdf'"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_runs(tmp_path, monkeypatch, name, content, told):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(GlotmillError, match=told):
        decontaminate(TEXT, against=name)


def test_a_benchmark_without_long_texts_is_an_error(tmp_path):
    file = write(tmp_path / "exam.jsonl", [{"text": "yes"}])
    with pytest.raises(UsageError, match=r"exam\.jsonl: no text of 4 words or more"):
        reasons(decontaminate(TEXT, against=file), ["yes"])


def test_a_benchmark_behind_a_login_needs_one(monkeypatch):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(RecipeError, match="openlanguagedata/flores_plus needs a login"):
        decontaminate(TEXT, against="flores_plus")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "some")
    decontaminate(TEXT, against="flores_plus")


def test_options_out_of_range_are_refused(exam):
    for options in ({"n": 3}, {"max_share": 1}, {"against": []}):
        with pytest.raises(ValueError, match=next(iter(options))):
            decontaminate(TEXT, **{"against": exam, **options})


def test_many_texts_are_judged_as_few_are(exam):
    texts = (list(HUMAN.values()) + EXAM + [None]) * 250
    said = reasons(decontaminate(TEXT, against=exam), texts)
    few = reasons(decontaminate(TEXT, against=exam), texts[:22])
    assert len(texts) > 2 * 2_000
    assert said == few * 250
