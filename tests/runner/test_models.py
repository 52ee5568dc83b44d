"""Several models in one recipe: who is asked, when it is opened, and what tells their replies apart."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from spy import State, write

import glotmill
from glotmill.errors import RecipeError, UsageError
from glotmill.messages import COMPLETION, Message, Request, Sampling
from glotmill.runner.open_engine import ModelSettings

RECIPE = """
about: A second model.
languages: [eng_Latn]
seeds: {draw: {word: [moon, rain, bread, tree, road, lamp]}}
models: MODELS
steps:
  - STEP
  - {generate: score, model: judge}
output: {columns: [answer, score]}
"""


def run(folder: Path, entries: str, step: str = "{generate: answer}", **options: Any) -> glotmill.Run:
    text = RECIPE.replace("MODELS", entries).replace("STEP", step)
    recipe = write(folder, text, answer="{{ word }}", score="rate {{ word }}")
    options = {"engine": "spy:spy", "model": "small", "per_language": 3, **options}
    return glotmill.run(recipe, folder=folder / "run", **options)


def names(spy: State) -> Counter[tuple[str, str]]:
    return Counter((request.alias, request.model) for request in spy.asked)


def test_a_step_asks_the_model_that_it_names(tmp_path: Path, spy: State) -> None:
    made = run(tmp_path, "{judge: {model: large, revision: r1}}")
    assert set(names(spy)) == {("", "small"), ("judge", "large")}
    assert {r.revision for r in spy.asked if r.alias} == {"r1"}
    assert spy.opened == 2
    assert made.info()["models"]["judge"]["model"] == "large"
    lines = [json.loads(line) for p in made.folder.glob("replies/*") for line in p.read_text().splitlines()]
    assert Counter(line.get("model", "") for line in lines) == Counter(
        {"judge": len(spy.asked) // 2, "": len(spy.asked) // 2}
    )


def test_an_empty_entry_is_the_model_of_the_run(tmp_path: Path, spy: State) -> None:
    made = run(tmp_path, "{judge: }")
    assert set(names(spy)) == {("", "small")}
    assert spy.opened == 1
    assert "models" not in made.info()


def test_the_user_says_which_model_it_is(tmp_path: Path, spy: State) -> None:
    run(tmp_path, "{judge: }", models={"judge": ModelSettings(model="larger", arguments={"more": 1})})
    assert set(names(spy)) == {("", "small"), ("judge", "larger")}


def test_a_model_is_opened_by_its_first_request_and_replies_are_found_again(
    tmp_path: Path, spy: State
) -> None:
    run(tmp_path, "{judge: {model: large}}")
    asked, opened = len(spy.asked), spy.opened
    run(tmp_path, "{judge: {model: large}}")
    assert (len(spy.asked), spy.opened) == (asked, opened)
    run(tmp_path, "{judge: {model: another}}")
    assert spy.opened == opened + 1, "the replies of the run's model were there"
    assert {r.model for r in spy.asked[asked:]} == {"another"}


def test_one_reply_from_each_of_several_models(tmp_path: Path, spy: State) -> None:
    spy.answer(lambda request: "" if request.model == "mute" else f"{request.model}: {request.sample}")
    step = "{generate: answer, models: [judge, b, c]}"
    made = run(tmp_path, "{judge: {model: x}, b: {model: y}, c: {model: mute}}", step)
    rows = made.rows().collect()
    assert rows["answer"].to_list()[0] == ["x: 0", "y: 0"], "the one that did not parse is left out"
    assert rows["answer_models"].to_list()[0] == ["judge", "b"]


@pytest.mark.parametrize(
    ("models", "step", "message"),
    [
        ("{}", "{generate: answer}", "no model 'judge'; add it under `models:`, as judge: {}"),
        ("{judge: {engine: 'spy:spy'}}", "{generate: answer}", "an engine of your own is named on the"),
        ("{judge: {engine_args: {base_url: u}}}", "{generate: answer}", "base_url is not a recipe's to set"),
        ("{judges: }", "{generate: answer}", "no model 'judge'; did you mean 'judges'?"),
        (
            "{judge: , b: {model: small}}",
            "{generate: answer, models: [judge, nobody]}",
            "no model 'nobody'",
        ),
        ("{judge: , b: }", "{generate: answer, models: [judge, b]}", "judge and b are the same model"),
        ("{judge: }", "{generate: answer, model: judge, models: [judge]}", "name one model, or a list"),
        ("{judge: {modell: x}}", "{generate: answer}", "models.judge.modell: unknown key"),
    ],
)
def test_models_that_do_not_fit_are_refused(
    tmp_path: Path, spy: State, models: str, step: str, message: str
) -> None:
    with pytest.raises(RecipeError) as error:
        run(tmp_path, models, step)
    assert message in str(error.value)


def test_a_name_that_the_recipe_does_not_have_is_refused(tmp_path: Path, spy: State) -> None:
    with pytest.raises(UsageError, match=r"names no model 'lr' \(it names: judge\); .* write \./lr="):
        run(tmp_path, "{judge: }", models={"lr": ModelSettings(model="1e-4")})


def test_keys_of_requests_without_anything_new_stay_as_they_were() -> None:
    request = Request(
        (Message("user", "hello"),),
        "m",
        "r",
        Sampling(temperature=0.5, stop=("x",)),
        7,
        1,
        '{"type":"object"}',
    )
    assert request.key == "102f3c05fb98b4f020ef5595d4d567b8"


@pytest.mark.parametrize(
    "more",
    [
        {"alias": "judge"},
        {"task": COMPLETION},
        {"choice": ("yes",)},
        {"regex": "[0-9]+"},
        {"grammar": 'root ::= "x"'},
        {"allowed_scripts": ("Deva",)},
        {"thinking": 5},
        {"chat_template_kwargs": '{"a":1}'},
        {"lora": "x/y"},
        {"sampling": Sampling(others='{"bad_words":["x"]}')},
    ],
    ids=lambda more: next(iter(more)),
)
def test_whatever_can_change_a_reply_is_in_its_key(more: dict[str, Any]) -> None:
    plain = Request((Message("user", "hello"),), "m")
    assert replace(plain, **more).key != plain.key


def test_a_model_opened_with_the_engine_of_the_run_gets_its_arguments(tmp_path: Path, spy: State) -> None:
    judge = ModelSettings(model="large", arguments={"api_key": "k"})
    made = run(tmp_path, "{judge: }", models={"judge": judge}, engine_args={"more": 1})
    assert made.info()["models"]["judge"]["engine_args"]["more"] == 1
    other = run(
        tmp_path / "other",
        "{judge: }",
        models={"judge": ModelSettings(engine="echo", arguments={"text": "5"})},
        engine_args={"more": 1},
    )
    assert other.info()["models"]["judge"]["engine_args"] == {"text": "5"}
