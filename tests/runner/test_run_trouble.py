"""Whole runs in which something goes wrong: what is kept, what is said, and how they go on."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from one_step import DRAW, ONE, TEMPLATE, contents, run
from spy import State, user, write

import glotmill
from glotmill.errors import EngineError, GlotmillError, RecipeError, RequestFailed, ShortfallError, UsageError
from glotmill.runner.funnel import funnel
from glotmill.runner.run import run_async


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return write(tmp_path / "one", ONE, answer=TEMPLATE)


def test_a_failed_request_is_a_row_with_its_reason(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: RequestFailed("prompt_too_long", "9 tokens") if "moon" in user(r) else user(r))
    made = run(recipe, per_language=20, languages=["eng"], max_failures=1.0)
    failed = made.rows().collect().filter(verdict="failed")
    assert set(failed.select("word", "reason", "reason_at").rows()) == {("moon", "prompt_too_long", "answer")}
    counts = funnel(made)[0]
    assert counts.rows - counts.answered == failed.height
    asked = len(spy.asked)
    run(recipe, per_language=20, languages=["eng"])
    assert len(spy.asked) == asked, "what cannot succeed is not asked again"


def test_a_failure_that_may_pass_is_asked_again_by_the_next_run(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: RequestFailed("busy", transient=True) if "moon" in user(r) else user(r))
    made = run(recipe, per_language=20, languages=["eng"], max_failures=1.0)
    failed = made.rows().collect().filter(verdict="failed").height
    asked = len(spy.asked)
    assert failed > 0
    spy.answer(user)
    made = run(recipe, per_language=20, languages=["eng"])
    assert 0 < len(spy.asked) - asked <= failed
    assert all("moon" in user(r) for r in spy.asked[asked:])
    assert made.rows().collect().filter(verdict="failed").is_empty()
    again = len(spy.asked)
    run(recipe, per_language=20, languages=["eng"])
    assert len(spy.asked) == again


def test_too_many_failures_stop_the_run_and_keep_what_was_answered(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: RequestFailed("broken", "no luck") if len(spy.asked) > 20 else user(r))
    with pytest.raises(EngineError, match="broken: no luck"):
        run(recipe, per_language=2000, window=4, settings=["passes=1000"])
    assert len(spy.asked) < 20 + 41 + 8
    lines = [x for p in (recipe.parent / "run" / "replies").iterdir() for x in p.read_text().splitlines()]
    assert len([x for x in lines if "failure" not in json.loads(x)]) == 20


def test_a_small_run_whose_every_request_fails_says_why(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: RequestFailed("broken", "no luck today", transient=True))
    with pytest.raises(EngineError, match=r"every request failed \(50\), the latest with broken: no luck"):
        run(recipe, per_language=3, languages="eng", max_failures=1.0, settings=["passes=1"])
    spy.answer(user)
    assert run(recipe, per_language=3, languages="eng").frame().height == 3


@pytest.mark.parametrize("error", [EngineError("died"), UsageError("no such option")])
def test_a_broken_engine_ends_the_run_at_once(recipe: Path, spy: State, error: Exception) -> None:
    spy.answer(lambda r: error if len(spy.asked) == 10 else user(r))
    began = time.monotonic()
    with pytest.raises(type(error), match=str(error)):
        run(recipe, per_language=500)
    assert time.monotonic() - began < 5


def test_an_engine_that_raises_anything_is_named_with_its_error(recipe: Path, spy: State) -> None:
    spy.answer(lambda request: ZeroDivisionError("by zero"))
    with pytest.raises(EngineError, match=r"engine spy:spy: ZeroDivisionError: by zero"):
        run(recipe, per_language=3)


def test_an_engine_whose_option_has_a_wrong_type_says_so(recipe: Path) -> None:
    with pytest.raises(UsageError, match="engine echo: option 'delay_s' is 'soon'; give a number"):
        run(recipe, engine="echo", engine_args={"delay_s": "soon"})


@pytest.mark.parametrize("error", [EngineError("no GPU"), UsageError("no such model")])
def test_an_engine_that_does_not_open_ends_the_run_at_once(
    recipe: Path, spy: State, error: GlotmillError
) -> None:
    spy.opening = error
    began = time.monotonic()
    with pytest.raises(type(error), match=str(error)):
        run(recipe, per_language=500)
    assert time.monotonic() - began < 5


def test_a_stopped_run_goes_on(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: EngineError("died") if len(spy.asked) == 40 else user(r))
    with pytest.raises(EngineError):
        run(recipe, per_language=60, window=5)
    spy.answer(user)
    asked = [r.key for r in spy.asked]
    made = run(recipe, per_language=60, window=5)
    again = [r.key for r in spy.asked[len(asked) :]]
    assert len(set(asked) & set(again)) <= 5, "no more than what was in flight"
    assert contents(made) == contents(run(recipe, per_language=60, folder=recipe.parent / "whole"))


def test_half_a_line_of_a_journal_is_asked_again(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=8, languages=["eng"])
    before = contents(made)
    journal = made.folder / "replies" / "eng_Latn-00000.jsonl"
    raw = journal.read_bytes()
    journal.write_bytes(raw[:-10])
    (made.folder / "rows" / "eng_Latn-00000.parquet").unlink()
    spy.asked.clear()
    assert contents(run(recipe, per_language=8, languages=["eng"])) == before
    assert len(spy.asked) == 1
    assert told(journal.read_bytes()) == told(raw)


def told(journal: bytes) -> list[dict[str, Any]]:
    """What a journal says, but for how long each reply took."""
    lines = [json.loads(line) for line in journal.splitlines()]
    return sorted(({**line, "seconds": 0} for line in lines), key=lambda line: line["key"])


def test_a_language_under_the_floor_is_given_up(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: "x" if "Swahili" in user(r) else user(r))
    with pytest.raises(ShortfallError) as short:
        run(recipe, per_language=20)
    text = str(short.value)
    assert text.startswith("swh_Latn: 0 of 20 rows: 0 of the first 32 seed rows led to an accepted row, ")
    assert "under the limit of 10% (--give-up)" in text
    assert "too_short" in text
    made = glotmill.Run(recipe.parent / "run")
    assert made.frame("eng").height == 20, "the other language is whole"
    assert made.frame("swh").is_empty()


def test_a_language_whose_seeds_are_spent_says_so(recipe: Path, spy: State) -> None:
    with pytest.raises(ShortfallError, match="eng_Latn: 50 of 60 rows: the seeds are spent after 1 pass"):
        run(recipe, per_language=60, languages=["eng"], settings=["passes=1"])
    assert glotmill.Run(recipe.parent / "run").frame().height == 50


def test_a_language_without_a_seed_says_so(tmp_path: Path, spy: State) -> None:
    plain = ONE.replace(DRAW, "s.jsonl")
    recipe = write(tmp_path / "one", plain, answer=TEMPLATE)
    rows = [{"word": f"w{n}", "number": n, "language": "sw"} for n in range(9)]
    (recipe / "s.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(ShortfallError, match="eng_Latn: 0 of 5 rows: no seed row is for this language"):
        run(recipe, per_language=5)
    assert glotmill.Run(tmp_path / "run").frame("swh").height == 5


def test_a_second_run_in_the_folder_is_refused(recipe: Path, spy: State) -> None:
    with glotmill.Run(recipe.parent / "run").lock(), pytest.raises(UsageError, match="another process"):
        run(recipe, per_language=3)
    run(recipe, per_language=3)


def test_another_recipe_in_the_folder_is_refused(recipe: Path, spy: State) -> None:
    run(recipe, per_language=3)
    other = write(recipe.parent / "other", ONE, answer=TEMPLATE)
    with pytest.raises(UsageError, match="holds a run of 'one', not of 'other'"):
        run(other, per_language=3)


def test_a_run_refuses_the_replies_of_another_engine_if_one_is_echo(recipe: Path, spy: State) -> None:
    run(recipe, per_language=3, engine="echo", folder=recipe.parent / "dry")
    run(recipe, per_language=4, engine="echo", folder=recipe.parent / "dry")
    with pytest.raises(
        UsageError,
        match="its replies come from the engine echo, and would be mistaken for those of spy:spy; name",
    ):
        run(recipe, per_language=3, folder=recipe.parent / "dry")
    run(recipe, per_language=3)
    with pytest.raises(
        UsageError,
        match="its replies come from the engine spy:spy, and would be mistaken for those of echo; name",
    ):
        run(recipe, per_language=3, engine="echo")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"per_lang": 3}, "no option 'per_lang'; did you mean 'per_language'"),
        ({"per_language": 0}, "at least 1"),
        ({"window": 0}, "--window 0"),
        ({"max_failures": 2}, "from 0 to 1"),
        ({"give_up": 10}, "--give-up 10: a share, from 0 to 1"),
        ({"languages": ["klingon"]}, "klingon"),
        ({"engine": "vlm"}, "no engine named 'vlm'; did you mean 'vllm'"),
        ({"engine": "spy:spi"}, "cannot be loaded"),
        ({"engine_args": {"api_kye": 1}}, "no option 'api_kye'; did you mean 'api_key'"),
        ({"engine_args": {"revision": "x"}}, "--revision"),
        ({"settings": ["steps.answr.n=2"]}, "did you mean 'answer'"),
        ({"seeds": "missing.csv"}, "no such file"),
    ],
)
def test_what_cannot_work_is_said_before_anything_runs(
    recipe: Path, spy: State, options: Any, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        run(recipe, **options)
    assert spy.opened == 0


def test_a_recipe_that_is_not_there_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match="did you mean 'instruction'"):
        glotmill.run("instrction", engine="echo")
    assert list(tmp_path.iterdir()) == []


def test_a_later_seed_row_that_does_not_fit_ends_the_run_and_keeps_replies(
    tmp_path: Path, spy: State
) -> None:
    plain = ONE.replace(DRAW, "s.jsonl")
    recipe = write(tmp_path / "one", plain, answer=TEMPLATE)
    rows: list[Any] = [{"word": f"w{n}", "number": n} for n in range(1200)] + [
        {"word": "w", "number": "many"}
    ]
    (recipe / "s.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(RecipeError, match="column 'number' is Int64"):
        run(recipe, per_language=1300, languages=["eng"])
    assert len(spy.asked) > 0
    lines = sum(len(p.read_text().splitlines()) for p in (tmp_path / "run" / "replies").iterdir())
    assert lines == len(spy.asked)


def test_shards_that_are_cancelled_leave_their_replies(recipe: Path, spy: State) -> None:
    spy.delay = lambda r: 0.05 if len(spy.asked) > 16 else 0.0
    made = run(recipe, per_language=16, languages=["eng"], settings=["steps.answer.n=2"])
    lines = [json.loads(x) for p in (made.folder / "replies").iterdir() for x in p.read_text().splitlines()]
    assert {line["key"] for line in lines} == {r.key for r in spy.asked}


def test_interrupted_it_waits_for_what_was_asked(recipe: Path, spy: State) -> None:
    async def interrupted() -> None:
        many = asyncio.Event()
        spy.delay = lambda r: 0.0 if len(spy.asked) < 50 else 0.3
        spy.answer(lambda r: (many.set() if len(spy.asked) == 55 else None) or user(r))
        folder = recipe.parent / "run"
        options: Any = {"engine": "spy:spy", "model": "m", "folder": folder, "per_language": 500, "window": 8}
        task = asyncio.ensure_future(run_async(recipe, **options))
        await many.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began = time.monotonic()
    asyncio.run(interrupted())
    assert time.monotonic() - began < 8
    journals = (recipe.parent / "run" / "replies").iterdir()
    keys = [json.loads(line)["key"] for path in journals for line in path.read_text().splitlines()]
    assert sorted(keys) == sorted(r.key for r in spy.asked)


def test_run_json_holds_no_secret(recipe: Path, spy: State) -> None:
    more = {
        "default_headers": {"Authorization": "Bearer hunter2"},
        "base_url": "https://user:hunter2@host/v1",
        "client": [{"access_token": "hunter2"}, object()],
        "tokenizer": "some/tokenizer",
        "max_tokens": 5,
    }
    made = run(recipe, per_language=3, engine_args={"api_key": "hunter2", "more": more})
    assert "hunter2" not in (made.folder / "run.json").read_text()
    told = made.info()
    assert told["engine_args"]["api_key"] == "(not kept)"
    assert told["engine_args"]["more"] == {
        "default_headers": "(not kept)",
        "base_url": "https://host/v1",
        "client": [{"access_token": "(not kept)"}, "(object)"],
        "tokenizer": "some/tokenizer",
        "max_tokens": 5,
    }
    assert told["recipe"]["steps"][0] == {"generate": "answer"}
    assert told["model"] == "m"
