"""Several replies to one row, and what the engine thought of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from spy import State, write

import glotmill
from glotmill.messages import Reply, Request

RECIPE = """
about: A judge.
languages: [eng_Latn]
seeds: {draw: {word: [moon, rain, bread, tree, road, lamp]}}
steps:
  - {generate: answer, logprobs: 0}
  - STEP
  - {filter: judge, of: score, min_mean: 5}
output: {columns: [answer, score]}
"""


def run(folder: Path, step: str, **options: Any) -> pl.DataFrame:
    recipe = write(folder, RECIPE.replace("STEP", step), answer="{{ word }}", score="rate {{ answer }}")
    made = glotmill.run(recipe, engine="spy:spy", model="m", folder=folder / "run", per_language=3, **options)
    return made.rows().collect().sort("row")


def said_by_trial(spy: State, *scores: str) -> Callable[[Request], str | Reply]:
    """The scores in turn, for each row anew; other requests get what the user said."""

    def says(request: Request) -> str | Reply:
        prompt = request.messages[-1].content
        if not prompt.startswith("rate"):
            return Reply(prompt, logprobs=(-1.0, -2.0))
        return scores[request.sample % len(scores)]

    return says


def test_trials_are_a_list_in_one_row(tmp_path: Path, spy: State) -> None:
    spy.answer(said_by_trial(spy, "8", "9/10", "Rating: 4"))
    rows = run(tmp_path, "{generate: score, trials: 3}")
    assert rows["score"].to_list()[0] == ["8", "9/10", "Rating: 4"]
    assert rows["score_judge_mean"].to_list()[:3] == [7, 7, 7]
    assert rows["score_judge_trials"].to_list()[:3] == [3, 3, 3]
    assert rows["score_tokens"].to_list()[:3] == [4, 4, 4]
    assert not rows["id"].str.contains("-").any()


def test_every_trial_is_asked_with_a_seed_of_its_own(tmp_path: Path, spy: State) -> None:
    spy.answer(said_by_trial(spy, "8"))
    run(tmp_path, "{generate: score, trials: 3}")
    asked = [r for r in spy.asked if r.messages[-1].content.startswith("rate")]
    assert len({r.seed for r in asked}) == len(asked)
    assert [sum(r.sample == n for r in asked) for n in range(4)] == [len(asked) // 3] * 3 + [0]


def test_a_trial_that_does_not_parse_is_left_out_and_one_that_does_is_enough(
    tmp_path: Path, spy: State
) -> None:
    schema = "schema: {type: object, properties: {score: {type: integer}}, required: [score]}"
    spy.answer(said_by_trial(spy, "no", '{"score": 6}', "none"))
    rows = run(tmp_path, f"{{generate: score, trials: 3, {schema}}}")
    assert rows["score"].to_list()[0] == [{"score": 6}]
    assert rows["score_judge_trials"].to_list()[0] == 1
    assert set(rows["verdict"]) == {"kept"}


def test_a_row_without_any_trial_says_why(tmp_path: Path, spy: State) -> None:
    spy.answer(said_by_trial(spy, " "))
    with pytest.raises(glotmill.errors.ShortfallError):
        run(tmp_path, "{generate: score, trials: 2}")
    rows = glotmill.runner.run_folder.Run(tmp_path / "run").rows().collect()
    assert set(rows["reason"]) == {"empty_reply"}
    assert set(rows["reason_at"]) == {"score"}
    assert rows["id"].is_unique().all()


def test_each_trial_has_its_own_tries(tmp_path: Path, spy: State) -> None:
    # trial 0 uses the samples 0 and 1, trial 1 the samples 2 and 3
    spy.answer(said_by_trial(spy, " ", "8", "4", "2"))
    rows = run(tmp_path, "{generate: score, trials: 2, tries: 2, expect: [{filter: length, min_chars: 1}]}")
    assert rows["score"].to_list()[0] == ["8", "4"]


def test_the_mean_of_logprobs_is_a_column_that_likelihood_judges(tmp_path: Path, spy: State) -> None:
    spy.answer(said_by_trial(spy, "8"))
    step = (
        "{generate: score, trials: 2, logprobs: 0}\n  - {filter: likelihood, of: answer_logprob, min: -1.6}"
    )
    rows = run(tmp_path, step)
    assert rows["answer_logprob"].to_list()[:3] == [-1.5] * 3
    assert set(rows["verdict"]) == {"kept"}


def test_expect_judges_a_part_of_each_trial(tmp_path: Path, spy: State) -> None:
    schema = "schema: {type: object, properties: {score: {type: integer}}, required: [score]}"
    expect = "expect: [{filter: at_least, of: score.score, value: 5}]"
    spy.answer(said_by_trial(spy, '{"score": 6}', '{"score": 2}', '{"score": 8}'))
    rows = run(tmp_path, f"{{generate: score, trials: 3, {schema}, {expect}}}")
    assert rows["score"].to_list()[0] == [{"score": 6}, {"score": 8}]
