"""Steps that ask a model for numbers: vectors, scores, likelihoods."""

from pathlib import Path

import pytest
from spy import Said, State, write

import glotmill
from glotmill.errors import RecipeError, ShortfallError
from glotmill.messages import EMBED, LIKELIHOOD, SCORE, Reply, Request

RECIPE = """
about: Numbers.
languages: [fra_Latn]
seeds: {rows: [{word: moon, other: sun}, {word: rain, other: snow}, {word: null, other: x}]}
models: {measure: {model: encoder}}
steps: [STEP]
output: {columns: [word]}
passes: 1
"""


def run(folder: Path, step: str, **templates: str) -> glotmill.Run:
    recipe = write(folder, RECIPE.replace("STEP", step), **templates)
    return glotmill.run(recipe, engine="spy:spy", model="m", folder=folder / "run", per_language=2)


def test_a_vector_a_score_and_a_likelihood_are_columns(tmp_path: Path, spy: State) -> None:
    def says(request: Request) -> Said:
        if request.task == LIKELIHOOD:
            return Reply("", logprobs=(-1.0, -3.0))
        return Reply("", values=(0.5, 1.5) if request.task == EMBED else (4.0,))

    spy.answer(says)
    steps = (
        "{embed: vector, of: word, model: measure}, {score: near, of: [word, other]}, "
        "{score: reward}, {likelihood: likely, of: word, template: context}"
    )
    made = run(
        tmp_path,
        steps,
        reward="{% block user %}{{ other }}{% endblock %}{% block assistant %}{{ word }}{% endblock %}",
        context="Say {{ other }}.",
    )
    rows = made.rows().collect()
    kept = rows.filter(verdict="kept")
    assert kept["vector"].to_list() == [[0.5, 1.5]] * 2
    assert kept["near"].to_list() == kept["reward"].to_list() == [4.0] * 2
    assert kept["likely"].to_list() == [-2.0] * 2
    assert kept["likely_tokens"].to_list() == [2] * 2
    asked = {r.task + str(len(r.messages)): [(m.role, m.content) for m in r.messages] for r in spy.asked}
    assert asked[EMBED + "1"] in ([("user", "moon")], [("user", "rain")])
    assert {r.alias for r in spy.asked if r.task == EMBED} == {"measure"}
    likely = next(r for r in spy.asked if r.task == LIKELIHOOD and r.messages[-1].content == "moon")
    assert [(m.role, m.content) for m in likely.messages] == [("user", "Say sun."), ("assistant", "moon")]
    pairs = [[m.content for m in r.messages] for r in spy.asked if r.task == SCORE]
    assert ["moon", "sun"] in pairs
    assert ["sun", "moon"] in pairs
    lost = rows.filter(verdict="failed").row(0, named=True)
    assert (lost["reason"], lost["reason_at"]) == ("empty_prompt", "vector")


def test_numbers_are_paid_for_once(tmp_path: Path, spy: State) -> None:
    spy.answer(lambda request: Reply("", values=(1.0,)))
    run(tmp_path, "{embed: vector, of: word}")
    asked = len(spy.asked)
    run(tmp_path, "{embed: vector, of: word}, {filter: length, of: word, min_chars: 1}")
    assert len(spy.asked) == asked


def test_a_reply_without_a_number_fails_the_row(tmp_path: Path, spy: State) -> None:
    spy.answer(lambda request: Reply("", values=(1.0,) if request.messages[0].content == "moon" else ()))
    with pytest.raises(ShortfallError, match="no_value"):
        run(tmp_path, "{embed: vector, of: word}")


def test_a_score_of_several_numbers_is_none(tmp_path: Path, spy: State) -> None:
    spy.answer(lambda request: Reply("", values=(1.0, 2.0)))
    with pytest.raises(ShortfallError, match="no_value"):
        run(tmp_path, "{score: near, of: [word, other]}")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{embed: vector, of: wort}", "no column 'wort'; did you mean 'word'?"),
        ("{score: s, of: [word]}", "give either a template, or `of:` with two columns"),
        ("{score: s, of: [word, other], template: t}", "give either a template"),
        ("{embed: word, of: other}", "the column 'word' exists already"),
        ("{likelihood: l, of: word, model: nobody}", "no model 'nobody'"),
        ("{embed: v, of: word}, {embed: w, of: v}", "'v' is List(Float32); a model reads a text"),
        ("{score: s}", "no template s.j2"),
    ],
)
def test_steps_that_do_not_fit_are_refused(tmp_path: Path, spy: State, step: str, message: str) -> None:
    with pytest.raises(RecipeError) as error:
        run(tmp_path, step)
    assert message in str(error.value)


def test_a_filter_may_have_an_option_named_like_a_kind_of_step(tmp_path: Path, spy: State) -> None:
    with pytest.raises(RecipeError, match="at_least"):
        run(tmp_path, "{filter: at_least, of: word, score: 3}")
