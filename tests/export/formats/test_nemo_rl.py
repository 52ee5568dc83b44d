"""nemo-rl: as its loader reads lines of JSON."""

from pathlib import Path

import pytest
from finished import SAID, finished, load, rows

from glotmill.errors import UsageError
from glotmill.export.export import export


def test_as_its_loader_reads_it(tmp_path: Path) -> None:
    from datasets import load_dataset

    made = finished(tmp_path / "run", {tag: rows(tag, 5, score=float("nan")) for tag in SAID})
    export(made, tmp_path / "out", "nemo-rl", options={"columns": ["topic", "score"]})
    path = tmp_path / "out/hin_Deva/train.jsonl"
    there = load_dataset("json", data_files=str(path), cache_dir=str(tmp_path / "cache"))["train"]
    assert there.num_rows == 5
    assert there.column_names == ["id", "language", "messages", "topic", "score"]
    assert there["score"] == [None] * 5, "JSON has no NaN"
    assert all(chat[-1]["role"] == "assistant" for chat in there["messages"])
    assert "task_name" not in there.column_names, "it adds a column of this name"
    assert load(tmp_path / "out", tmp_path / "cache")["train"].num_rows == 20


def test_what_it_would_refuse(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 2)}, {"messages": {"user": "question"}})
    with pytest.raises(UsageError, match=r"nemo-rl: row eng0000: its messages do not end with an answer"):
        export(made, tmp_path / "out", "nemo-rl")
