"""One shard through all kinds of steps: no row is lost without a reason."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from spy import user, write

from glotmill.errors import RecipeError, RequestFailed
from glotmill.languages import find
from glotmill.messages import Reply, Request
from glotmill.recipes.read import read_recipe
from glotmill.recipes.seeds import open_seeds
from glotmill.runner import check
from glotmill.runner.filter_workers import open_filter_workers
from glotmill.runner.request_queue import RequestQueue
from glotmill.runner.run_folder import Run
from glotmill.runner.shard import Shard, run_shard

OWN = """
import polars as pl
def best(rows): return rows.sort("draft_tokens").unique("row", keep="last", maintain_order=True)
def clean(rows): return rows.filter(~pl.col("draft").str.contains("bad"))
def fail(rows): return rows if rows.is_empty() else rows.with_columns(x=1 // 0)
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_steps.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def through(
    folder: Path, steps: str, says: Callable[[Request], str] = user, seeds: Any = None, **texts: str
) -> pl.DataFrame:
    rows = seeds or [{"topic": "sea"}, {"topic": "moon"}, {"topic": "bad"}]
    plain = f"about: x\nseeds: {{rows: {rows}}}\nsteps: [{steps}]\noutput: {{columns: [topic]}}\n"
    read = read_recipe(write(folder / "mine", plain, **{"draft": "{{ topic }}", **texts}))

    async def engine(request: Request) -> Reply:
        said = says(request)
        return Reply(said, completion_tokens=len(said))

    async def run() -> pl.DataFrame:
        plan = check.plan(read, find("eng"), (opened := open_seeds(read)), "m")
        async with open_filter_workers() as filter_workers:
            journal = Run(folder).journal("eng_Latn-00000")
            shard = Shard(
                plan,
                0,
                journal,
                Run(folder).replies("eng_Latn-00000"),
                RequestQueue(engine, 9),
                filter_workers,
            )
            return await run_shard(shard, opened.take("eng_Latn", 0, 99, 1))

    return asyncio.run(run())


def test_render_makes_a_column_without_a_model(tmp_path: Path) -> None:
    def never(request: Request) -> str:
        raise AssertionError

    rows = through(tmp_path, "{render: ask, template: draft}", never)
    assert rows["ask"].to_list() == ["sea", "moon", "bad"]
    assert set(rows["verdict"]) == {"kept"}


def test_a_row_that_cannot_be_rendered_fails_and_is_not_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    def note(request: Request) -> str:
        asked.append(user(request))
        return "ok"

    seeds = [{"topic": "sea"}, {"topic": "null"}, {"topic": "moon"}]
    rows = through(tmp_path, "{generate: draft}", note, str(seeds).replace("'null'", "null"))
    assert rows.select("topic", "verdict", "reason", "reason_at").rows() == [
        ("sea", "kept", None, None),
        (None, "failed", "template_error", "draft"),
        ("moon", "kept", None, None),
    ]
    assert sorted(asked) == ["moon", "sea"]


def test_rows_that_a_transform_leaves_out_get_a_reason(tmp_path: Path) -> None:
    steps = "{generate: draft, n: 2}, {transform: 'own_steps:clean'}, {transform: 'own_steps:best'}"
    rows = through(tmp_path, steps, lambda r: user(r) + "." * (r.seed % 7))
    assert rows.height == 6
    assert rows.group_by("verdict", "reason", "reason_at").len().sort("verdict", "reason_at").rows() == [
        ("dropped", "left_out", "own_steps:best", 2),
        ("dropped", "left_out", "own_steps:clean", 2),
        ("kept", None, None, 2),
    ]
    assert rows["id"].is_unique().all()


def test_rows_that_become_several_are_not_left_out(tmp_path: Path) -> None:
    rows = through(tmp_path, "{generate: draft, n: 2}, {transform: views, problem: draft, source: topic}")
    assert rows.height == 12
    assert set(rows["verdict"]) == {"kept"}
    assert rows["row"].to_list() == [0] * 4 + [1] * 4 + [2] * 4


def test_a_transform_that_breaks_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(
        RecipeError, match=r"transform own_steps:fail: integer division .*; the columns are id, row, language"
    ):
        through(tmp_path, "{generate: draft}, {transform: 'own_steps:fail'}")


def test_replies_are_parsed_into_columns(tmp_path: Path) -> None:
    schema = "{type: object, properties: {points: {type: integer}}, required: [points]}"
    says = {"sea": '{"points": 3}', "moon": "three", "bad": '{"points": 5}'}
    steps = f"{{generate: draft, schema: {schema}}}, {{filter: at_least, of: draft.points, value: 4}}"
    rows = through(tmp_path, steps, lambda r: says[user(r)])
    assert rows.select("draft", "reason", "reason_at", "draft_raw").rows() == [
        ({"points": 3}, "too_low", "draft.points.at_least", None),
        (None, "unparsed_json", "draft", "three"),
        ({"points": 5}, None, None, None),
    ]


def test_examples_are_drawn_by_the_row_and_kept_for_filters(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    shown = [f'{{"q": "q{n}", "turns": [{{"text": "t{n}"}}]}}' for n in range(5)]
    (tmp_path / "mine" / "shown.jsonl").write_text("\n".join(shown))
    steps = "{generate: draft, examples: {file: shown.jsonl, n: 2}}"
    template = "{% for e in examples %}{{ e.q }} {% endfor %}{{ topic }}"
    rows = through(tmp_path, steps, draft=template)
    for prompt, texts in rows.select("draft_prompt", "draft_examples").rows():
        assert prompt.split()[:2] == texts[::2]
        assert [t.replace("q", "t") for t in texts[::2]] == texts[1::2]
    again = through(
        tmp_path, steps, draft=template, seeds=[{"topic": "moon"}, {"topic": "sea"}, {"topic": "new"}]
    )
    assert set(again["draft_prompt"][:2]) == set(rows["draft_prompt"][:2]), (
        "other rows beside it change nothing"
    )


def test_every_row_is_there_with_a_verdict_whatever_happens(tmp_path: Path) -> None:
    def says(request: Request) -> str:
        if request.seed % 5 == 0:
            raise RequestFailed("engine_died", transient=True)
        return "" if request.seed % 5 == 1 else user(request) * (request.seed % 3)

    steps = (
        "{generate: draft, n: 40}, {filter: length, of: draft, min_chars: 5}, {transform: 'own_steps:clean'}"
    )
    rows = through(tmp_path, steps, says)
    assert rows.height == 120
    assert rows["id"].is_unique().all()
    assert set(rows["verdict"]) == {"kept", "dropped", "failed"}
    lost = rows.filter(pl.col("verdict") != "kept")
    assert lost["reason"].is_not_null().all()
    assert lost["reason_at"].is_not_null().all()
    assert rows["row"].is_sorted()
    assert rows.columns[:3] == ["id", "row", "language"]
    assert rows.columns[-3:] == ["verdict", "reason", "reason_at"]


def test_equal_requests_are_asked_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def note(request: Request) -> str:
        asked.append(request.key)
        return "ok"

    rows = through(tmp_path, "{generate: draft}", note, [{"topic": "sea"}, {"topic": "sea"}])
    assert rows.height == 2
    assert rows["id"].is_unique().all()
    assert len(set(asked)) == len(asked)
