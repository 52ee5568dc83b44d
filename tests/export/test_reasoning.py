"""Reasoning that a recipe keeps apart, on its way into an export."""

from pathlib import Path

import polars as pl
import pytest
from exported import all_languages
from spy import write

import glotmill
from glotmill.errors import UsageError
from glotmill.export.export import export
from glotmill.recipes.read import read_recipe
from glotmill.recipes.recipe import Output
from glotmill.runner import dataset


def test_reasoning_is_kept_apart_in_the_dataset(tmp_path: Path) -> None:
    output = {"messages": {"system": "s", "user": "q", "assistant": "a", "reasoning": "t"}}
    said = pl.DataFrame(
        {"id": ["1", "2"], "language": "eng_Latn", "s": ["S", None], "q": "Q", "a": "A", "t": ["T", None]}
    )
    made = dataset.shape(said, Output.model_validate(output))
    assert made["messages"].to_list() == [
        [
            {"role": "system", "content": "S", "reasoning_content": ""},
            {"role": "user", "content": "Q", "reasoning_content": ""},
            {"role": "assistant", "content": "A", "reasoning_content": "T"},
        ],
        [
            {"role": "user", "content": "Q", "reasoning_content": ""},
            {"role": "assistant", "content": "A", "reasoning_content": ""},
        ],
    ]


def test_reasoning_that_there_is_not_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--reasoning: .*run has no reasoning column; a recipe names it"):
        export(all_languages(tmp_path, 5), tmp_path / "out", options={"reasoning": "inline"})


def test_a_recipe_with_reasoning_needs_an_answer(tmp_path: Path) -> None:
    plain = "about: x\nlanguages: [eng]\nseeds: {rows: [{w: a}]}\nsteps: [{generate: said}]\n"
    folder = write(
        tmp_path / "r", f"{plain}output: {{messages: {{user: w, reasoning: said}}}}\n", said="{{ w }}"
    )
    with pytest.raises(
        glotmill.errors.RecipeError, match=r"output\.messages\.reasoning: goes with `assistant`"
    ):
        glotmill.run(folder, engine="echo", model="m", folder=tmp_path / "run")
    assert read_recipe(folder).output.messages == {"user": "w", "reasoning": "said"}
