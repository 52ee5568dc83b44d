"""The templates of a recipe: variants must say what their base says."""

from pathlib import Path

import pytest
from spy import write

from glotmill.errors import RecipeError
from glotmill.languages import find
from glotmill.recipes import recipe
from glotmill.recipes.read import read_recipe
from glotmill.recipes.template import load_all, refuse_uneven_variants, seed_variables

PLAIN = """
about: A test.
seeds: {rows: [{topic: the sea}]}
steps: [{render: ask}, {generate: draft, template: write}, {generate: later, skip: true}]
output: {columns: [draft]}
"""


def recipe_with(folder: Path, **texts: str) -> recipe.Recipe:
    base = {"ask": "About {{ topic }} in {{ language }}", "write": "{{ ask }} {{ feedback }} {{ mood }}"}
    return read_recipe(
        write(folder / "mine", PLAIN, **base, **{n.replace("__", "."): t for n, t in texts.items()})
    )


def test_each_language_has_its_own(tmp_path: Path) -> None:
    recipe = recipe_with(tmp_path, ask__swh="Kuhusu {{ topic }}")
    assert {n: t.path.name for n, t in load_all(recipe, find("sw")).items()} == {
        "ask": "ask.swh.j2",
        "draft": "write.j2",
    }
    assert load_all(recipe, find("fr"))["ask"].path.name == "ask.j2"


def test_what_seeds_must_bring(tmp_path: Path) -> None:
    assert seed_variables(recipe_with(tmp_path)) == {"topic", "mood"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ask__swh", "Kuhusu", "ask.swh.j2: does not use topic, which its base does"),
        ("ask__swh", "{{ topic }} {{ mood }}", "ask.swh.j2: uses mood, which its base does not"),
        ("ask__swh", '{% extends "ask.j2" %}', None),
        ("ask__swh_Latn", "{{ topic }}", None),
        ("ask__sw", "{{ topic }}", "ask.sw.j2: rename it to ask.swh_Latn.j2; 'sw' is never looked for"),
        ("ask__old", "{{ topic }}", "ask.old.j2: named as the variant of a language"),
        ("write__fra", "{{ ask }}{{ mood }}", None),
    ],
)
def test_variants_are_even(tmp_path: Path, name: str, text: str, message: str | None) -> None:
    recipe = recipe_with(tmp_path, **{name: text})
    if message is None:
        refuse_uneven_variants(recipe)
        return
    with pytest.raises(RecipeError, match=message):
        refuse_uneven_variants(recipe)


def test_a_variant_that_overrides_a_block_must_read_what_the_block_read(tmp_path: Path) -> None:
    recipe = recipe_with(tmp_path, ask__swh='{% extends "ask.j2" %}{% block user %}Kuhusu{% endblock %}')
    (recipe.folder / "ask.j2").write_text("{% block user %}{{ topic }}{% endblock %}")
    with pytest.raises(RecipeError, match=r"does not use topic"):
        refuse_uneven_variants(recipe)


def test_a_variant_for_every_script_is_seen_beside_one_for_one(tmp_path: Path) -> None:
    recipe = recipe_with(tmp_path, ask__swh_Latn="{{ topic }}", ask__swh="Kuhusu")
    with pytest.raises(RecipeError, match=r"ask.swh.j2: does not use topic"):
        refuse_uneven_variants(recipe)
