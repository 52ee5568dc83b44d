"""translation, as datasets loads it."""

from pathlib import Path
from typing import Any

import pytest
from datasets import Translation
from finished import SAID, finished, load, rows

from glotmill.errors import RecipeError, UsageError
from glotmill.export.export import export

SIDES = {"source": "question", "target": "answer"}
CODES = {"arb_Arab": "ar", "hin_Deva": "hi", "zho_Hans": "zh", "zho_Hant": "zh-Hant", "ceb_Latn": "ceb"}


def test_a_config_a_language(tmp_path: Path) -> None:
    tags = ["eng_Latn", *CODES]
    made = finished(tmp_path / "run", {tag: rows(tag, 3) for tag in tags})
    found = export(made, tmp_path / "out", "translation", options=SIDES)
    assert found.empty == ["eng_Latn/train"], "it is the source's own language"
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == sorted(CODES)
    for tag, code in CODES.items():
        there = load(tmp_path / "out", tmp_path / "cache", tag)["train"]
        assert there.column_names == ["id", "language", "translation", "topic"]
        assert there.features["translation"] == Translation(languages=sorted(["en", code]))
        question, answer = SAID.get(tag, SAID["eng_Latn"])
        assert there[1]["translation"] == {"en": f"{question} (1)", code: f"{answer} (1)"}
    with pytest.raises(ValueError, match="Config name is missing"):
        load(tmp_path / "out", tmp_path / "cache")


def test_one_language_is_the_default(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"hin_Deva": rows("hin_Deva", 2)})
    export(made, tmp_path / "out", "translation", options={**SIDES, "source_language": "Urdu", "columns": []})
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.column_names == ["id", "language", "translation"]
    assert there.features["translation"] == Translation(languages=["hi", "ur"])


def test_blank_and_equal_pairs_are_left_out(tmp_path: Path) -> None:
    texts = ["one", " ", None, "one", "two", ""]
    made = finished(
        tmp_path / "run", {"swh_Latn": rows("swh_Latn", 6, question="q", answer=lambda n: texts[n])}
    )
    export(made, tmp_path / "out", "translation", options=SIDES)
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there["translation"][:] == [{"en": "q", "sw": "one"}, {"en": "q", "sw": "two"}]


def test_columns_beside_are_not_those_of_the_pair(tmp_path: Path) -> None:
    """A recipe that translates has a column `translation`, most often."""
    said = rows("swh_Latn", 2, translation=lambda n: f"maji {n}")
    made = finished(tmp_path / "run", {"swh_Latn": said}, {"columns": ["question", "translation", "topic"]})
    export(made, tmp_path / "out", "translation", options={"source": "question", "target": "translation"})
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.column_names == ["id", "language", "translation", "topic"]
    assert there[1]["translation"] == {"en": "Why does it rain? (1)", "sw": "maji 1"}
    with pytest.raises(UsageError, match=r"column 'translation' has a name that trainers read"):
        export(made, tmp_path / "out", "translation", options=SIDES)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, r"format translation: option 'source' is required"),
        ({"source": "question"}, r"format translation: option 'target' is required"),
        ({**SIDES, "target": "nosuch"}, r"no column 'nosuch'; name another with --set target=COLUMN"),
        ({**SIDES, "source": "row"}, r"translation: column 'row' is Int64, not a string"),
        ({**SIDES, "source_language": "swh"}, r"no row of .*; both texts are needed, in two languages"),
        ({**SIDES, "source_language": "Klingonese"}, r"'Klingonese' is not known"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, given: dict[str, Any], text: str) -> None:
    made = finished(tmp_path / "run", {"swh_Latn": rows("swh_Latn", 3)})
    with pytest.raises((UsageError, RecipeError), match=text):
        export(made, tmp_path / "out", "translation", options=given)
