"""Every recipe that ships, found by itself: it fits together in all its languages, and runs on nano."""

import json
from pathlib import Path

import polars as pl
import pytest

import glotmill
from glotmill.languages import find, table
from glotmill.recipes import template
from glotmill.recipes.read import built_in, read_recipe
from glotmill.recipes.seeds import open_seeds
from glotmill.recipes.steps import Generate, Render
from glotmill.runner import check

RECIPES = built_in()
IN_LANGUAGES = [(name, tag) for name in RECIPES for tag in read_recipe(name).languages]


def test_the_three_recipes_ship() -> None:
    assert {"instruction", "dialogue", "reasoning"} <= set(RECIPES)


@pytest.mark.parametrize(("name", "tag"), IN_LANGUAGES)
def test_recipe_fits_together(name: str, tag: str) -> None:
    read = read_recipe(name)
    check.plan(read, find(tag), open_seeds(read), "some-model")


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_has_a_page_papers_and_seeds_of_its_own(name: str) -> None:
    read = read_recipe(name)
    page = (read.folder / "README.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {name}\n")
    assert read.papers
    rows = [
        json.loads(line) for line in (read.folder / str(read.seeds)).read_text(encoding="utf-8").splitlines()
    ]
    assert len({json.dumps(row, sort_keys=True) for row in rows}) >= 40


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_has_a_variant_that_says_whether_it_was_reviewed(name: str) -> None:
    read = read_recipe(name)
    steps = [s for s in read.steps if isinstance(s, Generate | Render)]
    variants = [path for s in steps for path in template.variants(read.folder, s.template_name)]
    assert variants
    for path in variants:
        assert path.read_text(encoding="utf-8").lower().count("reviewed") == 1, path


@pytest.mark.parametrize(("name", "tag"), IN_LANGUAGES)
def test_first_prompt_ends_with_the_language_and_holds_the_seed(name: str, tag: str) -> None:
    """Models write in the language that is said last."""
    read = read_recipe(name)
    language = find(tag)
    row = open_seeds(read).take(tag, 0, 1, 1)[0][2]
    step = next(s for s in read.steps if isinstance(s, Generate))
    prompt = template.load_all(read, language)[step.name]
    messages = prompt.render({**row, "language": language, "feedback": ""})
    turns = ["user", "assistant"] * len(messages)  # examples, then what is asked
    assert [m.role for m in messages] == ["system", *turns[: len(messages) - 1]]
    assert messages[-1].role == "user"
    assert language.name in messages[-1].content.splitlines()[-1]
    used = prompt.variables - {"language", "feedback"}
    assert used
    assert all(str(row[name]) in messages[-1].content for name in used)


@pytest.mark.parametrize("row", table(), ids=lambda row: row.tag)
def test_templates_render_in_every_language(row: object) -> None:
    for name in RECIPES:
        assert template.load_all(read_recipe(name), find(str(getattr(row, "tag", ""))))


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_runs_and_runs_again_without_an_engine(name: str, tmp_path: Path) -> None:
    options = {"languages": ["spa", "rus"], "per_language": 4, "folder": tmp_path / "run"}
    run = glotmill.run(name, engine="transformers", **options)  # type: ignore[arg-type]
    rows = run.frame()
    assert rows.group_by("language").len().sort("language").rows() == [("rus_Cyrl", 4), ("spa_Latn", 4)]
    assert rows["id"].is_unique().all()
    roles = rows["messages"].list.eval(pl.element().struct.field("role"))
    assert roles.list.last().to_list() == ["assistant"] * 8
    before = {path: path.read_bytes() for path in run.folder.rglob("*.parquet")}

    nothing = tmp_path / "nothing"
    nothing.mkdir()
    again = glotmill.run(name, engine="replay", engine_args={"replies": str(nothing)}, **options)  # type: ignore[arg-type]
    assert {path: path.read_bytes() for path in again.folder.rglob("*.parquet")} == before


@pytest.mark.parametrize("name", RECIPES)
def test_every_row_that_was_lost_says_why(name: str, tmp_path: Path) -> None:
    run = glotmill.run(name, engine="transformers", languages=["deu"], per_language=4, folder=tmp_path)
    rows = run.rows().collect()
    lost = rows.filter(pl.col("verdict") != "kept")
    assert lost.filter(pl.col("reason").is_null() | pl.col("reason_at").is_null()).is_empty()
    assert rows.filter(verdict="kept")["reason"].is_null().all()
