"""The funnel adds up, whatever a run goes through."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from one_step import DRAW, run
from spy import Said, State, write

import glotmill
from glotmill.errors import GlotmillError, RequestFailed
from glotmill.messages import Reply, Request
from glotmill.runner.funnel import funnel

RECIPE = f"""
about: Every way that a row can go.
seeds: {DRAW}
steps:
  - generate: draft
    as: lines
    n: 2
    tries: 2
    expect: [{{filter: length, of: draft, min_chars: 4}}]
  - generate: grade
    as: json
    schema: {{type: object, properties: {{n: {{type: integer}}}}, required: [n]}}
  - {{generate: note, trials: 2}}
  - {{generate: last}}
  - {{filter: length, of: last, min_chars: 3}}
finish: [{{filter: duplicates, of: last}}]
output: {{columns: [last]}}
floor: 0
passes: 3
"""
SAID: tuple[tuple[int, Said], ...] = (
    (4, ""),
    (4, "x"),
    (3, "not JSON"),
    (3, Reply("cut off in the", "length")),
    (2, Reply("", "length", reasoning="I think and think", reasoning_tokens=9)),
    (2, RequestFailed("prompt_too_long", "9 tokens")),
    (2, RequestFailed("busy", "later", transient=True)),
)


def drawing(seed: int, share: float) -> Callable[[Request], Said]:
    """What is said, most often something good; the same for the same request."""

    def say(request: Request) -> Said:
        draw = random.Random(f"{seed} {request.key}")
        if draw.random() < share:
            return draw.choices([said for _, said in SAID], [weight for weight, _ in SAID])[0]
        return json.dumps({"n": draw.randrange(9)}) if request.schema else f"a word {draw.randrange(60)}"

    return say


def check(made: glotmill.Run, *, finished: bool) -> None:
    rows = made.rows().collect()
    for counts in funnel(made):
        own = rows.filter(language=counts.language)
        verdicts = dict(own.group_by("verdict").len().iter_rows())
        unparsed = own.filter(
            (pl.col("verdict") == "dropped")
            & ~pl.col("reason_at").str.contains(".", literal=True)
            & (pl.col("reason_at") != "")
        ).height
        assert counts.rows == own.height == counts.answered + verdicts.get("failed", 0)
        assert counts.answered == counts.parsed + unparsed
        assert counts.parsed == counts.kept + verdicts.get("dropped", 0) - unparsed
        assert counts.kept == verdicts.get("kept", 0)
        assert sum(counts.dropped.values()) == counts.rows - counts.kept
        assert min(counts.to_json()[name] for name in ("requests", "parsed", "accepted", "seed_rows")) >= 0
        assert counts.accepted <= counts.kept <= counts.parsed <= counts.answered <= counts.rows
        if finished:
            assert counts.in_dataset == counts.accepted == made.frame(counts.language).height


@pytest.mark.parametrize("seed", range(6))
def test_a_random_run_adds_up(tmp_path: Path, spy: State, seed: int) -> None:
    draw = random.Random(seed)
    templates = {
        name: f"{name} {{{{ word }}}} {{{{ number }}}}" for name in ("draft", "grade", "note", "last")
    }
    recipe = write(tmp_path / "random", RECIPE, **templates)
    share = draw.choice([0.02, 0.1, 0.3, 0.6])
    for step in range(3):
        spy.answer(drawing(seed if step < 2 else seed + 100, share))
        try:
            made = run(
                recipe,
                languages=draw.sample(["eng", "swh", "fra"], draw.randrange(1, 4)),
                per_language=draw.choice([1, 5, 12, 30]),
                max_failures=draw.choice([0.02, 1.0]),
            )
            check(made, finished=True)
        except GlotmillError as error:
            check(glotmill.Run(tmp_path / "run"), finished=error.exit_code == 3)
