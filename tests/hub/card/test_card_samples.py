"""One row of each language, cut where it is long."""

from pathlib import Path
from typing import Any

import polars as pl
from empty_facts import run_facts

from glotmill.hub.card.run_section import samples
from glotmill.languages import find
from glotmill.runner.run_folder import Run


def shown(folder: Path, rows: dict[str, list[Any]], languages: int = 1) -> dict[str, str]:
    """The samples of a run that has these rows in French."""
    place = folder / "dataset" / "fra_Latn"
    place.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame({"id": ["a"], "language": ["fra_Latn"], **rows})
    frame.write_parquet(place / "train-00000-of-00001.parquet")
    facts = run_facts(languages=[find("fra_Latn"), *[find("swh_Latn")] * (languages - 1)])
    return {of["title"]: of["row"] for of in samples(Run(folder), facts)}


def test_a_chat_and_its_columns(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Bonjour  \n\nSalut"}, {"role": "assistant", "content": "Oui"}]
    assert shown(tmp_path, {"messages": [chat], "topic": [None]}) == {
        "French (fra_Latn)": """\
  user       Bonjour

             Salut
  assistant  Oui
  topic      (nothing)"""
    }


def test_a_long_chat(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": f"turn {n}."} for n in range(20)]
    row = shown(tmp_path, {"messages": [chat]})["French (fra_Latn)"]
    assert "turn 15." in row
    assert "turn 16." not in row
    assert row.endswith("(4 texts more)")


def test_a_long_text(tmp_path: Path) -> None:
    row = shown(tmp_path, {"text": ["word " * 200_000]})["French (fra_Latn)"]
    assert row.endswith("(999,000 characters more)")
    assert max(map(len, row.split("\n"))) <= 110
    many = shown(tmp_path, {"text": ["word " * 200_000]}, languages=21)["French (fra_Latn)"]
    assert len(many) < 400
