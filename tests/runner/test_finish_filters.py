"""Runs whose finish needs all rows of a language: they go on until enough are left, or say why not."""

import sys
from pathlib import Path
from typing import Any

import pytest
from spy import State, user, write

import glotmill
from glotmill.errors import EngineError, ShortfallError
from glotmill.messages import Reply

RECIPE = """
about: One step, and the best of its rows.
languages: [eng_Latn, swh_Latn]
seeds: {draw: {word: [moon, rain, bread, tree, road], number: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}
steps:
  - generate: answer
finish:
  - {filter: duplicates, of: answer}
  - {filter: "own_selection:best", of: number, share: 0.5}
output: {columns: [answer, word, number]}
"""
OWN = """
import polars as pl
def best(number, *, share=0.5, at_most=1000):
    place = number.rank("ordinal", descending=True)
    reason = pl.when((place > number.len() * share) | (place > at_most)).then(pl.lit("not_the_best"))
    return pl.struct(reason=reason, place=place)
def none(number):
    return pl.when(number.is_not_null()).then(pl.lit("nothing_is_good"))
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own_selection.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_selection", raising=False)
    return write(tmp_path / "one", RECIPE, answer="{{ word }} {{ number }} in {{ language.name }}")


def run(recipe: Path, *settings: str, **options: Any) -> glotmill.Run:
    folder = options.pop("folder", recipe.parent / "run")
    options = {"engine": "spy:spy", "model": "m", "per_language": 20, **options}
    return glotmill.run(recipe, folder=folder, settings=settings, **options)


def contents(run: glotmill.Run) -> dict[str, bytes]:
    files = [*run.folder.glob("dataset/*/*.parquet"), *run.folder.glob("rows/*.parquet")]
    return {str(p.relative_to(run.folder)): p.read_bytes() for p in sorted(files)}


def test_more_rows_are_asked_for_until_enough_are_left(recipe: Path, spy: State) -> None:
    made = run(recipe)
    rows = made.rows("eng").collect()
    assert made.frame("eng").height == made.frame("swh").height == 20
    kept, lost = rows.filter(verdict="kept"), rows.filter(verdict="dropped")
    assert kept.height == lost.height == 20
    assert kept["number"].min() >= lost["number"].max()  # type: ignore[operator]
    assert set(lost.select("reason", "reason_at").rows()) == {
        ("not_the_best", "finish.number.own_selection:best")
    }
    assert sorted(rows["number_best_place"]) == list(range(1, 41))
    assert len({r.key for r in spy.asked}) == len(spy.asked), "no reply is asked for twice"


def test_the_same_again_asks_nothing_and_changes_nothing(recipe: Path, spy: State) -> None:
    first = contents(run(recipe))
    asked = len(spy.asked)
    assert contents(run(recipe)) == first
    assert len(spy.asked) == asked
    spy.delay = lambda r: int(r.key[:4], 16) % 7 / 1000
    assert contents(run(recipe, folder=recipe.parent / "slow", window=3)) == first


def test_a_run_that_stopped_in_its_second_round_goes_on(recipe: Path, spy: State) -> None:
    whole = contents(run(recipe, folder=recipe.parent / "whole"))
    spy.asked.clear()
    spy.answer(lambda r: EngineError("died") if len(spy.asked) == 60 else user(r))
    with pytest.raises(EngineError):
        run(recipe, window=4)
    spy.answer(user)
    before = {r.key for r in spy.asked}
    spy.asked.clear()
    assert contents(run(recipe, window=4)) == whole
    assert len(before & {r.key for r in spy.asked}) <= 4, "no more than what was in flight"


def test_another_share_asks_only_for_what_is_lacking(recipe: Path, spy: State) -> None:
    run(recipe)
    asked = {r.key for r in spy.asked}
    spy.asked.clear()
    made = run(recipe, "finish.1.share=0.8")
    assert made.frame("eng").height == 20
    assert asked.isdisjoint(r.key for r in spy.asked)
    rows = made.rows("eng").collect()
    assert rows.filter(verdict="kept").height == pytest.approx(0.8 * rows.height, abs=1)


def test_what_more_rows_do_not_help_is_said(recipe: Path, spy: State) -> None:
    with pytest.raises(
        ShortfallError, match=r"eng_Latn: 5 of 20 rows: own_selection:best left 5 of \d+ rows"
    ) as e:
        run(recipe, "finish.1.at_most=5", "finish.0.skip=true", languages=["eng"])
    assert "more rows do not help" in str(e.value)
    assert glotmill.Run(recipe.parent / "run").frame().height == 5, "what is left is the dataset"


def test_spent_seeds_end_the_rounds(recipe: Path, spy: State) -> None:
    with pytest.raises(ShortfallError, match="eng_Latn: 25 of 30 rows: the seeds are spent after 1 pass"):
        run(recipe, "passes=1", languages=["eng"], per_language=30)
    assert glotmill.Run(recipe.parent / "run").frame().height == 25
    made = run(recipe, "passes=1", languages=["eng"], per_language=25)
    assert made.frame().height == 25, "all seeds are needed, and are enough"


def test_nothing_left_ends_under_the_floor(recipe: Path, spy: State) -> None:
    settings = ["finish.1={filter: 'own_selection:none', of: number}", "finish.0.skip=true"]
    with pytest.raises(ShortfallError, match="own_selection:none left 0 of"):
        run(recipe, *settings, languages=["eng"])
    made = glotmill.Run(recipe.parent / "run")
    assert made.frame().is_empty()
    assert set(made.rows().collect()["reason"]) == {"nothing_is_good"}


def test_a_language_without_rows_is_not_selected_from(recipe: Path, spy: State) -> None:
    (recipe / "seeds.jsonl").write_text('{"word": "moon", "number": 1, "language": "swh_Latn"}')
    with pytest.raises(ShortfallError) as error:
        run(recipe, "seeds=seeds.jsonl", "passes=8", "finish.0.skip=true", per_language=4)
    assert str(error.value).startswith("eng_Latn: 0 of 4 rows: no seed row is for this language: ")
    spy.answer(lambda r: Reply("half a", "length"))
    with pytest.raises(ShortfallError, match="fra_Latn: 0 of 4 rows: the seeds are spent after 1 pass"):
        run(recipe, "passes=1", "floor=0", languages=["fra"], per_language=4)
