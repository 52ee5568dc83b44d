"""Which rows of a run are in its report."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from report_reader import packed
from run_folder import TEXTS, make

from glotmill.recipes.recipe import Recipe
from glotmill.report.report import report
from glotmill.report.sample import MAX_CHARS, sample, share


def test_a_sample_has_every_language_verdict_and_reason(tmp_path: Path) -> None:
    run = make(tmp_path / "run", rows=200, shard_size=16)
    recipe = Recipe.model_validate(run.info()["recipe"])
    chosen = sample(run, recipe, list(TEXTS), 140)
    assert len(chosen) == len({row["id"] for row in chosen}) == 140
    assert Counter(row["language"] for row in chosen) == dict.fromkeys(TEXTS, 20)
    assert Counter(row["verdict"] == "kept" for row in chosen) == {True: 70, False: 70}
    for tag in TEXTS:
        mine = [row for row in chosen if row["language"] == tag]
        reasons = Counter(row["reason"] for row in mine if row["reason"])
        assert sorted(reasons) == ["duplicate", "engine_died", "unparsed_json", "wrong_language"]
        assert max(reasons.values()) - min(reasons.values()) <= 1
        worst = [row["measured"]["answer_language_score"] for row in mine if row["worst"] is not None]
        low = run.rows(tag).filter(verdict="kept").collect()["answer_language_score"].bottom_k(3)
        assert sorted(worst) == sorted(low.to_list())
    assert sample(run, recipe, list(TEXTS), 140) == chosen
    assert sample(run, recipe, list(TEXTS), 0) == []


@pytest.mark.parametrize(
    ("total", "sizes", "shares"),
    [
        (10, {"a": 100, "b": 100}, {"a": 5, "b": 5}),
        (10, {"a": 2, "b": 100, "c": 3}, {"a": 2, "b": 5, "c": 3}),
        (10, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        (0, {"a": 1}, {"a": 0}),
        (5, {}, {}),
    ],
)
def test_shares(total: int, sizes: dict[str, int], shares: dict[str, int]) -> None:
    assert share(total, sizes) == shares


def test_scores_of_a_judge_count_too(tmp_path: Path) -> None:
    run = make(tmp_path)
    info = run.info()
    info["recipe"]["steps"].append({"filter": "at_least", "of": "grade.points", "value": 1})
    rows = run.read_rows("eng_Latn-00000").drop("answer_language_score")
    grades = [{"points": 50 - n} for n in range(rows.height)]
    run.write_rows("eng_Latn-00000", rows.with_columns(grade=pl.Series(grades)))
    chosen = sample(run, Recipe.model_validate(info["recipe"]), ["eng_Latn"], 30)
    last = rows.filter(verdict="kept")["id"].to_list()[-1]
    assert last in {row["id"] for row in chosen if row["worst"] is not None}


def test_a_lost_row_shows_the_texts_of_its_steps(tmp_path: Path) -> None:
    run = make(tmp_path)
    info = run.info()
    info["recipe"]["output"]["messages"] = {"user": "made_later", "assistant": "answer"}
    rows = sample(run, Recipe.model_validate(info["recipe"]), ["eng_Latn"], 50)
    shown = {row["reason"]: [name for name, _, _ in row["texts"]] for row in rows}
    assert shown[None] == ["assistant", "topic"]
    assert shown["wrong_language"] == ["assistant", "question", "topic"]
    assert shown["unparsed_json"] == ["question", "answer_raw", "topic"]
    assert shown["engine_died"] == ["question", "topic"]


def test_texts_in_another_language_are_not_marked_as_in_the_requested_one(tmp_path: Path) -> None:
    run = make(tmp_path)
    recipe = Recipe.model_validate(run.info()["recipe"])
    marked = {
        row["reason"]: {name: mark for name, _, mark in row["texts"]}
        for row in sample(run, recipe, ["arb_Arab"], 50)
    }
    assert marked[None] == {"user": True, "assistant": True, "topic": False}
    assert marked["wrong_language"] == {"user": False, "assistant": False, "topic": False}
    assert marked["duplicate"]["assistant"]


def test_long_texts_are_cut(tmp_path: Path) -> None:
    texts = {"eng_Latn": ("Why?", "a" * 1_000_000)}
    page = report(make(tmp_path, texts=texts))
    shown = [text for row in packed(page)["rows"] for _, text, _ in row["texts"]]
    assert max(map(len, shown)) < MAX_CHARS + 50
    assert any(text.endswith("characters more)") for text in shown)
