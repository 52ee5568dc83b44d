"""What trainers read is exported from a real run of the model that ships. Needs the extra `trainers`.

`make test-trainers` runs these tests, in a separate environment; `make test` does not collect them.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported: nothing is loaded from anywhere

import pytest

import glotmill
from glotmill.export.export import export
from glotmill.runner.run_folder import Run

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings of trainers about themselves are no errors of ours."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Solved problems in two languages and scripts, several solutions each, some of them wrong."""
    return glotmill.run(
        "reasoning",
        engine="transformers",
        languages=["eng_Latn", "arb_Arab"],
        per_language=16,
        folder=tmp_path_factory.mktemp("runs") / "run",
        settings=["steps.solution.n=4", "steps.solution.temperature=1.2"],
    )


@pytest.fixture
def exported(run: Run, tmp_path: Path) -> Callable[..., Any]:
    """Export the run in a format, and load it as a user would: all languages."""
    from datasets import load_dataset

    def rows(name: str, language: str | None = None, **options: Any) -> Any:
        export(run, tmp_path / name, name, options=options)
        return load_dataset(str(tmp_path / name), language, cache_dir=str(tmp_path / "cache"))["train"]

    return rows
