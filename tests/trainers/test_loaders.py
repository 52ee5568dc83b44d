"""The loaders of axolotl and LLaMA-Factory read exported files, and learn the answers and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from loads import LOADERS

from glotmill.export.export import export
from glotmill.runner.run_folder import Run

Texts = list[tuple[str, str]]


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Texts]:
    """What a trainer makes of an export: of each row what the model reads, and what it learns."""

    def read(*arguments: object) -> Texts:
        assert LOADERS.is_dir(), "make test-trainers installs the loaders of other trainers"
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("loads.py")), *map(str, arguments)],
            env={**os.environ, "HF_HOME": str(tmp_path / "home")},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith('["')]

    return read


def agree(run: Run, texts: Texts) -> None:
    """Every row of the run was read, and of each the answer alone is learnt."""
    left = [(row[0]["content"], row[-1]["content"].strip()) for row in run.frame()["messages"].to_list()]
    for whole, learned in texts:
        said = learned.strip()
        mine = [(asked, answer) for asked, answer in left if asked in whole and said.startswith(answer)]
        assert mine, learned
        assert len(said) < len(mine[0][1]) + 20, "but for the sign that it ends"
        left.remove(mine[0])
    assert not left


@pytest.mark.parametrize("name", ["sharegpt", "trl-sft"])
def test_axolotl(run: Run, loaded: Callable[..., Texts], tmp_path: Path, name: str) -> None:
    export(run, tmp_path / "out", name)
    agree(run, loaded("axolotl", tmp_path / "out"))


@pytest.mark.parametrize("name", ["alpaca", "sharegpt"])
def test_llamafactory(run: Run, loaded: Callable[..., Texts], tmp_path: Path, name: str) -> None:
    export(run, tmp_path / "out", name)
    agree(run, loaded("llamafactory", tmp_path / "out", "eng_Latn_train,arb_Arab_train"))
