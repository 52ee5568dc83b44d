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
from glotmill.runner.run_folder import Run, ShardInfo
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


@pytest.mark.parametrize("terminal", [True, False])
def test_a_costly_language_is_told_before_it_is_paid_for(terminal: bool, tmp_path: Path) -> None:
    plan: Any = SimpleNamespace(language=languages.find("hin"), recipe=SimpleNamespace(floor=0.1))
    quota = LanguageQuota(plan, 100, 8)
    quota.count_finished(0, ShardInfo("d", 40, 2, requests=90))
    out = io.StringIO()
    with progress.watching(Console(file=out, force_terminal=terminal, width=120)) as watch:
        watch(Progress(Run(tmp_path), [quota], note="again"))
    screen = " ".join(out.getvalue().split())
    if terminal:
        assert "2 of 100 5% 90 4,400" in screen
    else:
        assert (
            "hin_Deva 2/100 (5% accepted, the missing 98 rows would take about 4,400 more requests)" in screen
        )


def test_what_is_full_says_its_acceptance_too(tmp_path: Path) -> None:
    quotas = []
    for tag, kept in (("fra", 10), ("swh", 4)):
        plan: Any = SimpleNamespace(language=languages.find(tag))
        quotas.append(LanguageQuota(plan, 4, 8, accepted=kept, seed_rows=10))
    out = io.StringIO()
    with progress.watching(Console(file=out, width=120)) as watch:
        watch(Progress(Run(tmp_path), quotas, note="again"))
        watch(Progress(Run(tmp_path), quotas * 4, note="and again"))
    few, many = out.getvalue().splitlines()
    assert "fra_Latn 4/4 (100% accepted), swh_Latn 4/4 (40% accepted)" in few
    assert "8 of 8 languages full (at 40% to 100% accepted)" in many
