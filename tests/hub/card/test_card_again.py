"""The lines that make a run again do so when they are pasted, and tell nothing of the machine."""

import json
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from carded import RECIPE, made, published

from glotmill.cli import main
from glotmill.hub.card.card import card, validate
from glotmill.hub.card.reproduce import hub_dataset, own_seeds, reproduction
from glotmill.recipes.read import read_recipe
from glotmill.recipes.recipe import Recipe
from glotmill.runner.run_folder import Run

ODD = ["```", "a  b", "\u00a0\u2028\u202e", "it's", "\\n\n", "$HOME `id`", "</s>"]


def words(line: str) -> list[str]:
    """A line as bash takes it apart."""
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    return done.stdout.decode().split("\0")[:-1]


def script(text: str) -> list[str]:
    found = re.search(r"^(`{3,})sh\n(.*?)\n\1$", text, re.DOTALL | re.MULTILINE)
    assert found
    return found[2].split("\n")


def recipe_of(run: Run) -> Recipe:
    return Recipe.model_validate(run.info()["recipe"])


def test_the_lines_work_when_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = f'[{", ".join(map(json.dumps, ODD))}, "😀 é"]'
    settings = [f"steps.answer.stop={stop}", "steps.length.min_chars=4", "passes=7"]
    run = made(tmp_path, languages=["arb", "fra"], settings=settings)
    text = card(run, repo="org/name", files=published(run, "0123456789ab"))
    assert validate(text) == []
    install, fetch, move, line = script(text)
    assert words(install)[2].startswith("glotmill==")
    assert any(word.startswith("py3langid==") for word in words(install))
    assert words(fetch)[:3] == ["hf", "download", "org/name"]
    assert "runs/0123456789ab/recipe/*" in words(fetch)
    there = tmp_path / "elsewhere"
    shutil.copytree(run.folder / "recipe", there / "runs" / "0123456789ab" / "recipe")
    monkeypatch.chdir(there)
    subprocess.run(words(move), check=True)
    main([*words(line)[1:], "-o", "again"])
    again = Run(there / "again")
    assert again.info()["recipe"] == run.info()["recipe"]
    for file in run.folder.glob("dataset/*/*.parquet"):
        assert (there / "again" / file.relative_to(run.folder)).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    "settings",
    [
        ["steps.length.min_words=2"],
        ["steps.length.max_chars=null", "steps.answer.skip=true"],
        ["output.columns=[]", "finish=[{filter: duplicates, of: answer}]", "floor=0.5"],
        ["steps.answer.schema.properties={a.b: {type: string}}"],
        ["steps.answer.schema.properties.a.b=1", "seeds={rows: [{word: x}]}"],
    ],
)
def test_what_was_set_is_set_again(run: Run, tmp_path: Path, settings: list[str]) -> None:
    schema = "{generate: answer, schema: {type: object, properties: {a.b: {type: integer}}}}"
    copy = tmp_path / "recipe"
    shutil.copytree(run.folder / "recipe", copy)
    (copy / "recipe.yaml").write_text(RECIPE.replace("{generate: answer}", schema))
    shutil.copy(run.folder / "run.json", tmp_path)
    made = read_recipe(copy, settings)
    line = words(reproduction(Run(tmp_path), made, "", "")["script"].split("\n")[-1])
    again_set = [line[n + 1] for n, word in enumerate(line) if word == "--set"]
    assert read_recipe(copy, again_set) == made
    assert len(again_set) <= 3


def test_a_template_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "poem.j2").write_text(
        "{% block user %}Le soleil est une chose, {{ text }} aussi.{% endblock %}"
    )
    (tmp_path / "words.txt").write_text("la lune\nla pluie\n")
    monkeypatch.chdir(tmp_path)
    options = ["--seeds", "words.txt", "--engine", "echo", "-l", "fra", "-n", "1"]
    main(["run", "poem.j2", *options, "-o", "run"])
    run = Run(tmp_path / "run")
    lines = script(card(run, files=published(run, "0123456789ab")))
    assert words(lines[2]) == ["mv", "runs/0123456789ab/recipe", "./poem"]
    assert words(lines[3])[:3] == ["glotmill", "run", "./poem/poem.j2"]
    assert words(lines[3])[-2:] == ["--seeds", "words.txt"]
    digest = sha256((tmp_path / "words.txt").read_bytes()).hexdigest()
    assert f"The seeds, words.txt (sha256 {digest}), are not part of this dataset." in card(run)


def test_seeds_that_were_not_kept_are_told_of(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "pairs")
    kept = Run(tmp_path / "pairs")
    assert not reproduction(kept, recipe_of(kept), "", "runs/a")["missing"]
    (kept.folder / "recipe" / "seeds.jsonl").unlink()
    (said,) = reproduction(kept, recipe_of(kept), "", "runs/a")["missing"]
    assert said.startswith("The seeds, seeds.jsonl (sha256 ")


def test_a_recipe_that_ships_is_named(run: Run, tmp_path: Path) -> None:
    shutil.copy(run.folder / "run.json", tmp_path)
    found = reproduction(Run(tmp_path), read_recipe("instruction"), "", "")
    assert found["script"].split("\n")[1].startswith("glotmill run instruction --languages nob_Latn,zho_Hant")


def test_a_changed_recipe_of_a_name_that_ships_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(read_recipe("instruction").folder, folder / "recipe")
    found = made(tmp_path / "other", languages=["fra"])
    shutil.copy(found.folder / "run.json", folder)
    recipe = read_recipe("instruction")
    assert "glotmill run instruction " in reproduction(Run(folder), recipe, "", "runs/a")["script"]
    with (folder / "recipe" / "draft.j2").open("a") as file:
        file.write("Be brief.")
    shutil.copytree(folder / "recipe", tmp_path / "instruction")
    monkeypatch.chdir(tmp_path)  # where a folder has that name
    assert "glotmill run ./instruction " in reproduction(Run(folder), recipe, "", "runs/a")["script"]
    assert reproduction(Run(folder), recipe, "", "")["missing"][0].startswith(
        "The recipe instruction does not ship"
    )


def test_nothing_is_told_of_the_machine(tmp_path: Path) -> None:
    secret = "hf_" + "a" * 30
    run = made(tmp_path, languages=["fra"], settings=["steps.answer.stop=[/home/me/deep/stop]"])
    info = run.info()
    del info["format"]
    arguments = {
        "load": {"path": "/home/me/deep/adapter"},
        "at": "~/deep/x",
        "api_key": "(not kept)",
        "n": None,
    }
    run.write_info(
        {**info, "model": "/home/me/deep/model", "engine_args": arguments, "seeds": f"C:\\me\\{secret}"}
    )
    text = card(run)
    for part in ("/home", "deep", "C:\\", "/tmp"):
        assert part not in text
    line = words(script(text)[-1])
    assert [line[n + 1] for n, word in enumerate(line) if word == "--engine-arg"] == [
        'load={"path": "adapter"}',
        "at=x",
        "n=null",
    ]
    assert "The model, model, was a local folder on the machine of the run." in text
    run.write_info({**info, "engine_args": {"extra": f"x {secret}"}})
    assert secret not in card(run)


@pytest.mark.parametrize(
    ("seeds", "place", "own"),
    [
        ("seeds.jsonl", "/a/pairs/seeds.jsonl", True),
        ("seeds.jsonl", "pairs/seeds.jsonl", False),
        ("seeds.jsonl", "/a/other/seeds.jsonl", False),
        ("in/seeds.jsonl", "/a/pairs/in/seeds.jsonl", True),
        ("hf://org/name", "org/name", True),
        ("org/name", "org/other", False),
        ("'-'", "stdin", False),
        ("{rows: [{a: 1}]}", "pairs: seeds.rows", True),
        ("{draw: {a: [1]}}", "pairs: seeds.draw", True),
        ("{draw: {a: [1]}}", "pairs: seeds.rows", False),
        ("{dataset: org/name}", "org/name", True),
    ],
)
def test_own_seeds(seeds: str, place: str, own: bool, tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE.replace("seeds.jsonl", seeds))
    assert own_seeds(read_recipe(folder), place) is own


def test_datasets_of_the_hub() -> None:
    assert hub_dataset("org/name")
    assert hub_dataset("org/name-1.5")
    for place in ("data/topics.jsonl", "/a/b", "words.txt", "pairs: seeds.rows", "a/b/c"):
        assert not hub_dataset(place)
