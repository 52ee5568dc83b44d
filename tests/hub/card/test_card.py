"""The card of a dataset: read by the client of the Hub and by datasets, the same whenever it is made."""

import re
import shutil
from pathlib import Path

import pytest
from carded import made, multiplied

from glotmill.errors import UsageError
from glotmill.hub.card.card import card, validate
from glotmill.hub.card.validate import split
from glotmill.languages import table
from glotmill.runner.run_folder import Run


def test_datasets_loads_by_it(run: Run, tmp_path: Path) -> None:
    from datasets import load_dataset

    place = tmp_path / "here"
    shutil.copytree(run.folder / "dataset", place / "data")
    (place / "README.md").write_text(card(run))
    rows = load_dataset(str(place), "nob_Latn", cache_dir=str(tmp_path / "cache"))["train"]
    assert rows.num_rows == 3
    assert rows[0]["messages"][0]["role"] == "user"
    assert load_dataset(str(place), cache_dir=str(tmp_path / "cache"))["train"].num_rows == 12


def test_the_same_run_makes_the_same_bytes(run: Run) -> None:
    text = card(run, repo="org/name")
    assert card(run, repo="org/name") == text
    assert card(run, repo="org/name", existing=text) == text, "published again, nothing changes"
    assert card(run, repo="org/name", existing=text.replace("\n", "\r\n")) == text


def test_two_hundred_languages_stay_readable(tmp_path: Path) -> None:
    tags = [language.tag for language in table()][:200]
    many = multiplied(made(tmp_path, languages=["eng"], per_language=1, word="ሰላም שלום " * 60), tags)
    text = card(many, repo="org/name")
    assert validate(text) == []
    assert len(text.encode()) < 1_000_000
    body = split(text)[1]
    shown = re.sub(r"<details>.*?</details>", "", body, flags=re.DOTALL)
    assert len(shown.split("\n")) < 150, "what is long is folded"
    assert all(f"| `{tag}` | 1 |" in body for tag in tags)


def test_no_rows_no_card(run: Run, tmp_path: Path) -> None:
    shutil.copy(run.folder / "run.json", tmp_path)
    with pytest.raises(UsageError, match="has no rows"):
        card(Run(tmp_path))


def test_a_toy_is_told_of(run: Run) -> None:
    assert "Do not train on these rows" in card(run).partition("## Languages")[0]
