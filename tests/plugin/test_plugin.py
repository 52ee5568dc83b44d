"""An installed third-party package gives glotmill one plugin of each kind; the docs show its code."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

PACKAGE = Path(__file__).with_name("package")
SRC = Path(__file__).parents[2] / "src"
GREEK = ["βροχή και ήλιος", "ΒΡΟΧΗ ΚΑΙ ΗΛΙΟΣ", "άνεμος από τον βορρά", "χιόνι"]
GEORGIAN = ["წვიმა და მზე", "ქარი ჩრდილოეთიდან", "თოვლი"]

Glotmill = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def glotmill(tmp_path_factory: pytest.TempPathFactory) -> Glotmill:
    """Return a function that runs the command line beside the installed package."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PACKAGE, folder / "source")  # pip builds in the folder that it installs from
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "--target", folder / "site", source], check=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(SRC)])}

    def run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "glotmill", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == code, done.stderr
        return done

    (folder / "replies.txt").write_text("\n".join([*GREEK, *GEORGIAN]), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def run(glotmill: Glotmill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with the recipe, engine, transform, filter and detector of the package."""
    recipe = PACKAGE / "recipes" / "sayings"
    folder = tmp_path_factory.mktemp("run") / "sayings"
    engine = ("--engine", "canned", "--engine-arg", "file=replies.txt", "--model", "canned")
    glotmill("run", recipe, *engine, "-n", 2, "-o", folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("filters", "shouting"),
        ("transforms", "number_words"),
        ("engines", "canned"),
        ("formats", "question-answer"),
        ("detectors", "by_script"),
    ],
)
def test_each_kind_is_listed(glotmill: Glotmill, kind: str, name: str) -> None:
    assert name in {item["name"] for item in json.loads(glotmill("list", kind, "--json").stdout)}


def test_a_filter_shows_its_docstring_and_options(glotmill: Glotmill) -> None:
    shown = glotmill("show", "shouting").stdout
    assert "more than `max_share` of the letters are capitals" in shown
    assert "max_share" in shown
    assert "0.5" in shown


def test_what_plugins_decide_stands_in_the_rows(run: Path) -> None:
    rows = pl.concat([pl.read_parquet(path) for path in sorted(run.glob("rows/*.parquet"))], how="diagonal")
    kept = rows.filter(verdict="kept")
    assert set(kept["language"]) == {"ell_Grek", "kat_Geor"}
    assert set(kept.filter(language="ell_Grek")["saying"]) <= {text for text in GREEK if text.islower()}
    assert set(kept.filter(language="kat_Geor")["saying"]) <= set(GEORGIAN)
    assert kept["saying_words"].min() >= 2
    reasons = set(rows.filter(verdict="dropped")["reason"])
    assert {"too_few_words", "wrong_language"} <= reasons
    assert "saying_shouting_share" in rows.columns


def test_a_format_writes_its_rows(glotmill: Glotmill, run: Path) -> None:
    out = run.parent / "out"
    glotmill("export", run, "--format", "question-answer", "-o", out)
    path = out / "ell_Grek" / "train.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 2
    assert all(row["question"] in GREEK and row["answer"] for row in rows)


def test_options_are_checked(glotmill: Glotmill) -> None:
    wrong = glotmill(
        "check", PACKAGE / "recipes" / "sayings", "--set", "steps.number_words.least=two", code=2
    )
    assert "least" in wrong.stderr
    assert "Traceback" not in wrong.stderr
