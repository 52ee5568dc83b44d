"""The progress of a run on the screen."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from glotmill import languages
from glotmill.cli import progress
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.run_folder import Run
from glotmill.runner.schedule import Progress


@pytest.mark.parametrize("terminal", [True, False])
def test_a_second_round_shows_its_new_target(terminal: bool, tmp_path: Path) -> None:
    plan: Any = SimpleNamespace(language=languages.find("fra"))
    quota = LanguageQuota(plan, 10, 4, accepted=10, seed_rows=20)
    quota.reopen(20)
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120)
    with progress.watching(console) as watch:
        watch(Progress(Run(tmp_path), [quota], note="again"))
    screen = out.getvalue()
    assert ("10 of 20" if terminal else "fra_Latn 10/20") in screen
    assert "10 of 10" not in screen
