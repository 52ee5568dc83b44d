"""The loaders of axolotl and LLaMA-Factory read exported files, and learn the answers and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from loads import LOADERS

from glotmill.exports.export import export
from glotmill.store import Run

Texts = list[tuple[str, str]]


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Texts]:
    """What a trainer makes of an export: of each row what the model reads, and what it learns."""

    def read(*arguments: object) -> Texts:
        assert LOADERS.is_dir(), "make test-trainers installs the loaders of other trainers"
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("loads.py")), *map(str, arguments)],
            env={**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_DATASETS_CACHE": str(tmp_path / "cache")},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith('["')]

    return read


def chats(run: Run) -> set[tuple[str, str]]:
    return {(row[0]["content"], row[-1]["content"]) for row in run.frame()["messages"].to_list()}


def agree(run: Run, texts: Texts) -> None:
    """Every row of the run was read, and of each the answer alone is learnt."""
    asked = dict((answer, question) for question, answer in chats(run))
    learned = [next(a for a in asked if part.strip().startswith(a.strip())) for _, part in texts]
    assert set(learned) == set(asked)
    assert len(texts) == run.frame().height
    for (whole, part), answer in zip(texts, learned, strict=True):
        assert len(part) <= len(answer) + 20, "but for the sign that it ends"
        assert answer in whole
        assert any(question in whole for question, said in chats(run) if said == answer)


@pytest.mark.parametrize("name", ["sharegpt", "trl-sft"])
def test_axolotl(run: Run, loaded: Callable[..., Texts], tmp_path: Path, name: str) -> None:
    export(run, tmp_path / "out", name)
    agree(run, loaded("axolotl", tmp_path / "out"))


@pytest.mark.parametrize("name", ["alpaca", "sharegpt"])
def test_llamafactory(run: Run, loaded: Callable[..., Texts], tmp_path: Path, name: str) -> None:
    export(run, tmp_path / "out", name)
    agree(run, loaded("llamafactory", tmp_path / "out", "eng_Latn_train,arb_Arab_train"))
