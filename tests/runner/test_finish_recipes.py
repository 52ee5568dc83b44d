"""Recipes whose finish, or a step, judges rows by other rows; run to the end with an engine that is a spy."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from spy import State, user, write

import glotmill
from glotmill.errors import RecipeError

RECIPE = """
about: Rows that are judged by other rows.
languages: [eng_Latn, swh_Latn]
seeds: {draw: {word: [moon, rain, bread, tree], source: [web, book], score: SCORES}}
steps:
  - generate: answer
FINISH
output: {columns: [answer, word, source, score]}
""".replace("SCORES", str(list(range(1, 41))))
TEMPLATE = "{{ word }} {{ score }} of {{ source }} in {{ language.name }}"


def recipe(folder: Path, finish: str) -> Path:
    return write(folder / "late", RECIPE.replace("FINISH", finish), answer=TEMPLATE)


def run(recipe: Path, **options: Any) -> glotmill.Run:
    wanted = {"engine": "spy:spy", "model": "m", "folder": recipe.parent / "run", "per_language": 20}
    return glotmill.run(recipe, **{**wanted, **options})


def contents(made: glotmill.Run) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((made.folder / "dataset").rglob("*.parquet"))}


def reasons(made: glotmill.Run) -> Counter[tuple[str, str]]:
    return Counter(made.rows().collect().filter(verdict="dropped").select("reason", "reason_at").rows())


def test_rows_that_a_selection_drops_are_asked_for_in_another_round(tmp_path: Path, spy: State) -> None:
    late = recipe(tmp_path, "finish: [{filter: select, of: score, keep: 0.5}]")
    made = run(late)
    rows, every = made.frame(), made.rows().collect()
    assert Counter(rows["language"]) == {"eng_Latn": 20, "swh_Latn": 20}
    assert len(spy.asked) > 80  # one round of 20 rows a language leaves 10
    assert set(reasons(made)) == {("not_selected", "finish.score.select")}
    for (tag,), there in every.partition_by("language", as_dict=True).items():
        kept = there.filter(verdict="kept")["score"]
        lost = there.filter(verdict="dropped")["score"]
        assert kept.min() >= lost.max()  # the best of all rounds, not of each
        assert len(kept) == -(-len(there) // 2)
        assert rows.filter(language=tag)["score"].min() >= lost.max()


def test_a_selection_run_again_asks_nothing_and_is_the_same(tmp_path: Path, spy: State) -> None:
    late = recipe(tmp_path, "finish: [{filter: select, of: score, keep: 0.5}]")
    first = contents(run(late))
    asked = len(spy.asked)
    assert contents(run(late)) == first
    assert len(spy.asked) == asked
    elsewhere = run(late, folder=tmp_path / "other", window=1)
    assert contents(elsewhere) == first


def test_a_bucket_leaves_a_third(tmp_path: Path, spy: State) -> None:
    late = recipe(tmp_path, "finish: [{filter: quality_buckets, of: score, bucket: high}]")
    made = run(late, languages=["swh"], per_language=12)
    rows = made.rows().collect()
    assert made.frame().height == 12
    assert set(rows.filter(verdict="kept")["score_quality_buckets_bucket"]) == {"high"}
    assert rows.filter(verdict="kept").height == rows.height // 3


def test_no_value_passes_its_cap_in_the_whole_run(tmp_path: Path, spy: State) -> None:
    late = recipe(tmp_path, "finish: [{filter: balance, of: word, most: 5}]")
    made = run(late)
    rows = made.frame()
    assert Counter(rows.select("language", "word").rows()) == {
        (tag, word): 5 for tag in ("eng_Latn", "swh_Latn") for word in ("moon", "rain", "bread", "tree")
    }
    assert set(reasons(made)) == {("over_cap", "finish.word.balance")}
    assert contents(run(late)) == contents(made)


def test_duplicates_a_cap_and_a_selection_stand_together(tmp_path: Path, spy: State) -> None:
    finish = """finish:
  - {filter: duplicates, of: id}
  - {filter: balance, of: source, most: 30}
  - {filter: select, of: score, keep: 0.5}"""
    made = run(recipe(tmp_path, finish), languages=["eng"])
    rows = made.frame()
    assert rows.height == 20
    assert {at for _, at in reasons(made)} <= {"finish.source.balance", "finish.score.select"}
    kept_or_late = made.rows().collect().filter(reason_at="finish.score.select").height + rows.height
    assert kept_or_late <= 60


def test_rows_that_are_in_a_benchmark_are_dropped_and_refilled(tmp_path: Path, spy: State) -> None:
    question = (
        "A baker sells forty loaves in the morning and half as many later, so how many are sold in all?"
    )
    exam = tmp_path / "My exam.jsonl"
    exam.write_text(json.dumps({"question": question}))
    spy.answer(lambda r: f"Well: {question.upper()}" if user(r).startswith("moon") else user(r))
    step = f"  - {{filter: decontaminate, of: answer, against: [{json.dumps(str(exam))}]}}"
    made = run(recipe(tmp_path, step))
    rows = made.rows().collect()
    assert Counter(made.frame()["language"]) == {"eng_Latn": 20, "swh_Latn": 20}
    assert set(made.frame()["word"]) == {"rain", "bread", "tree"}
    assert set(reasons(made)) == {("in_my_exam", "answer.decontaminate")}
    lost = rows.filter(verdict="dropped")
    assert lost["answer_decontaminate_share"].min() > 0.9
    assert set(lost["answer_decontaminate_match"]) == {
        "a baker sells forty loaves in the morning and half as many later"
    }


def test_a_missing_benchmark_is_told_before_an_engine_is_opened(tmp_path: Path, spy: State) -> None:
    step = "  - {filter: decontaminate, of: answer, against: [gone.jsonl]}"
    with pytest.raises(RecipeError, match=r"gone\.jsonl: no such file or folder"):
        run(recipe(tmp_path, step))
    assert spy.opened == 0
