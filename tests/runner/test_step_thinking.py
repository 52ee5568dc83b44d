"""Thinking: what a step asks for, what becomes of thoughts, and of thinking that does not end."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from spy import Said, State, write

import glotmill
from glotmill.errors import RecipeError
from glotmill.messages import Reply, Request

RECIPE = """
about: Thinking.
languages: [fra_Latn]
seeds: {draw: {word: [moon, rain, bread, tree, road, lamp]}}
steps: [STEP]
output: OUTPUT
"""
OUTPUT = "{columns: [answer]}"
UNFINISHED = Reply("", "length", completion_tokens=9, reasoning="hm, well", reasoning_tokens=9)


def run(folder: Path, step: str, output: str = OUTPUT) -> glotmill.Run:
    recipe = write(folder, RECIPE.replace("STEP", step).replace("OUTPUT", output), answer="{{ word }}")
    return glotmill.run(recipe, engine="spy:spy", model="m", folder=folder / "run", per_language=2)


def thoughtful(request: Request) -> Said:
    return Reply("said", completion_tokens=5, reasoning="thought", reasoning_tokens=3)


@pytest.mark.parametrize(
    ("thinking", "tokens", "max_tokens"), [("off", 0, 100), ("keep", -1, 100), ("300", 300, 400)]
)
def test_thinking_has_its_own_tokens(
    tmp_path: Path, spy: State, thinking: str, tokens: int, max_tokens: int
) -> None:
    run(tmp_path, f"{{generate: answer, max_tokens: 100, thinking: {thinking}}}")
    assert {(r.thinking, r.sampling.max_tokens) for r in spy.asked} == {(tokens, max_tokens)}


def test_thoughts_are_a_column_and_part_of_the_chat(tmp_path: Path, spy: State) -> None:
    spy.answer(thoughtful)
    output = "{messages: {user: answer_prompt, assistant: answer, reasoning: answer_reasoning}}"
    made = run(tmp_path, "{generate: answer, thinking: keep}", output)
    rows = made.rows().collect()
    assert set(rows["answer_reasoning"]) == {"thought"}
    assert set(rows["answer_reasoning_tokens"]) == {3}
    assert set(rows["answer_tokens"]) == {5}
    chat = made.frame()["messages"][0].to_list()
    assert chat[1]["reasoning_content"] == "thought"


def test_thoughts_that_nobody_asked_for_stay_in_the_journal(tmp_path: Path, spy: State) -> None:
    spy.answer(thoughtful)
    made = run(tmp_path, "{generate: answer}")
    assert "answer_reasoning" not in made.rows().collect().columns
    (journal,) = made.folder.glob("replies/*00000.jsonl")
    assert '"reasoning":"thought"' in journal.read_text()


def test_thoughts_are_judged_like_any_column(tmp_path: Path, spy: State) -> None:
    spy.answer(lambda r: Reply("said", reasoning="short" if r.seed % 2 else "long enough"))
    step = "{generate: answer, thinking: keep}, {filter: length, of: answer_reasoning, min_chars: 8}"
    rows = run(tmp_path, step).rows().collect()
    assert set(rows.filter(verdict="dropped")["reason_at"]) == {"answer_reasoning.length"}
    assert set(rows.filter(verdict="kept")["answer_reasoning"]) == {"long enough"}


@pytest.mark.parametrize(
    ("step", "tries"),
    [
        ("thinking: 50, max_tokens: 10", [(50, 60), (100, 110), (200, 210)]),
        ("thinking: 50, max_tokens: 10, unfinished_thinking: off", [(50, 60), (0, 10)]),
        ("thinking: keep, max_tokens: 10", [(-1, 10), (-1, 20), (-1, 40)]),
        ("max_tokens: 10", [(0, 10), (0, 20), (0, 40)]),
    ],
)
def test_thinking_that_does_not_end_is_asked_again(
    tmp_path: Path, spy: State, step: str, tries: list[tuple[int, int]]
) -> None:
    def says(request: Request) -> Said:
        return UNFINISHED if (request.thinking, request.sampling.max_tokens) != tries[-1] else "at last"

    spy.answer(says)
    rows = run(tmp_path, f"{{generate: answer, tries: 3, {step}}}").rows().collect()
    assert set(rows["answer"]) == {"at last"}
    moon = [r for r in spy.asked if r.messages[0].content == "moon"]
    assert [(r.thinking, r.sampling.max_tokens) for r in moon[: len(tries)]] == tries


def test_thinking_that_never_ends_is_a_reason(tmp_path: Path, spy: State) -> None:
    spy.answer(lambda r: "fine" if r.messages[0].content in ("rain", "tree") else UNFINISHED)
    rows = run(tmp_path, "{generate: answer, thinking: 50}").rows().collect()
    lost = rows.filter(pl.col("verdict") != "kept").row(0, named=True)
    assert (lost["verdict"], lost["reason"], lost["answer_raw"]) == (
        "dropped",
        "unfinished_thinking",
        "hm, well",
    )


def test_a_thinking_that_is_no_number_is_refused(tmp_path: Path, spy: State) -> None:
    with pytest.raises(RecipeError, match="write off, keep, or the number of tokens"):
        run(tmp_path, "{generate: answer, thinking: sometimes}")


def test_a_language_gets_the_tokens_that_it_needs_and_keeps_its_replies(tmp_path: Path, spy: State) -> None:
    text = RECIPE.replace("STEP", "{generate: answer, max_tokens: 100, thinking: 50}").replace(
        "OUTPUT", OUTPUT
    )
    recipe = write(tmp_path, text.replace("[fra_Latn]", "[eng_Latn, hin_Deva]"), answer="{{ word }}")
    options = {"engine": "spy:spy", "model": "m", "folder": tmp_path / "run", "per_language": 2}
    glotmill.run(recipe, **options)
    english, hindi = (
        {r.parameters["max_tokens"] for r in spy.asked if (r.max_tokens is None) == is_english}
        for is_english in (True, False)
    )
    assert english == {150}
    assert len(hindi) == 1
    assert min(hindi) > 2 * 100 + 50, "the thoughts keep their budget, the answer grows"
    one = next(r for r in spy.asked if r.max_tokens)
    assert replace(one, max_tokens=None).key == one.key
