"""What a run's folder keeps of its recipe."""

import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from one_step import ONE, TEMPLATE, run
from spy import State, write


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return write(tmp_path / "one", ONE, answer=TEMPLATE)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_a_run_reads_of_its_recipe_is_kept(recipe: Path, spy: State) -> None:
    (recipe / "unused.j2").write_text("Nobody says this.")
    (recipe / "answer.fra.j2").write_text("{% extends 'answer.j2' %}")
    (recipe / "answer.swh.j2").write_text("{{ number }} {{ word }}")
    made = run(recipe, per_language=4, languages="fra")
    kept = files(made.folder / "recipe")
    assert set(kept) == {"recipe.yaml", "answer.j2", "answer.fra.j2"}
    assert kept.items() <= files(recipe).items()


def test_what_a_later_command_does_not_read_is_not_kept(recipe: Path, spy: State) -> None:
    variant = recipe / "answer.eng.j2"
    variant.write_text((recipe / "answer.j2").read_text() + " ")
    assert "answer.eng.j2" in files(run(recipe, per_language=4, languages="eng").folder / "recipe")
    variant.unlink()
    assert "answer.eng.j2" not in files(run(recipe, per_language=4, languages="eng").folder / "recipe")


def test_a_recipe_in_the_folder_that_holds_the_runs(
    recipe: Path, spy: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recipe)
    folder = recipe / "runs" / "x"
    first = files(run(Path(), per_language=4, languages="eng", folder=folder).folder / "recipe")
    assert files(run(Path(), per_language=4, languages="eng", folder=folder).folder / "recipe") == first
    assert not [name for name in first if name.startswith("runs/")]


def test_a_run_from_its_own_copy_of_the_recipe(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=4, languages="eng")
    kept = files(made.folder / "recipe")
    shutil.rmtree(recipe)
    assert files(run(made.folder / "recipe", per_language=4, languages="eng").folder / "recipe") == kept


def test_seeds_are_known_by_their_hash(recipe: Path, spy: State) -> None:
    assert run(recipe, per_language=4, languages="eng").info()["seeds_sha256"] is None
    seeds = recipe.parent / "words.jsonl"
    seeds.write_text('{"word": "moon", "number": 1}\n')
    made = run(recipe, per_language=1, languages="eng", seeds=str(seeds), folder=recipe.parent / "other")
    assert made.info()["seeds_sha256"] == sha256(seeds.read_bytes()).hexdigest()


def test_a_password_in_the_name_of_the_model_is_not_kept(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=1, languages="eng", model="http://me:hunter2@host/m")
    assert "hunter2" not in (made.folder / "run.json").read_text(encoding="utf-8")
