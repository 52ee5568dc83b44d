"""Which template made the rows of which language."""

import shutil
from pathlib import Path

import pytest

from glotmill.hub.card.reproduce import templates
from glotmill.languages import find
from glotmill.recipes import template
from glotmill.recipes.read import read_recipe
from glotmill.runner.run_folder import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of `instruction`, as far as its templates go."""
    recipe = read_recipe("instruction")
    shutil.copytree(recipe.folder, tmp_path / "recipe")
    digests = {
        tag: {step: template.load(recipe.folder, name, find(tag)).digest for step, name in STEPS.items()}
        for tag in ("eng_Latn", "fra_Latn", "spa_Latn")
    }
    made = Run(tmp_path)
    made.write_info({"recipe": recipe.resolved(), "templates": digests})
    return made


STEPS = {"instruction": "draft", "answer": "answer"}


def test_a_template_of_a_language_is_told_apart(run: Run) -> None:
    found = {(of["step"], of["file"]): of for of in templates(run, read_recipe("instruction"))}
    assert found["instruction", "draft.j2"]["languages"][0] == "eng_Latn"
    assert not found["instruction", "draft.j2"]["unreviewed"]
    assert found["answer", "answer.spa.j2"]["languages"] == ["spa_Latn"]
    assert found["answer", "answer.spa.j2"]["unreviewed"]


def test_one_that_was_changed_since_is_not_named(run: Run) -> None:
    file = run.folder / "recipe" / "answer.j2"
    file.write_text(file.read_text().replace("{%- endblock", " Be brief.{%- endblock", 1))
    assert template.load(file.parent, "answer", find("eng_Latn")).path == file
    found = {
        of["step"]: of["file"]
        for of in templates(run, read_recipe("instruction"))
        if "eng_Latn" in of["languages"]
    }
    assert found == {"instruction": "draft.j2", "answer": ""}


def test_without_a_copy_it_is_that_of_the_recipe(run: Run) -> None:
    shutil.rmtree(run.folder / "recipe")
    assert "draft.j2" in {of["file"] for of in templates(run, read_recipe("instruction"))}
    nowhere = read_recipe("instruction").model_copy(update={"name": "nowhere"})
    assert {of["file"] for of in templates(run, nowhere)} == {""}
