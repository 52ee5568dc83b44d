"""Whole runs, with an engine that notes what it is asked."""

import asyncio
import io
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from spy import State, user, write

import glotmill
from glotmill.chat import Reply, Request
from glotmill.errors import EngineError, GlotmillError, RecipeError, RequestFailed, ShortfallError, UsageError
from glotmill.funnel import funnel
from glotmill.mill import run_async

DRAW = "{draw: {word: [moon, rain, bread, tree, road], number: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}"
ONE = """
about: One step.
languages: [eng_Latn, swh_Latn]
seeds: DRAW
steps:
  - generate: answer
  - {filter: length, of: answer, min_chars: 3}
finish: [{filter: duplicates, of: id}]
output: {columns: [answer, word, number]}
""".replace("DRAW", DRAW)
TEMPLATE = "{{ word }} {{ number }} in {{ language.name }}"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return write(tmp_path / "one", ONE, answer=TEMPLATE)


def run(recipe: Path, **options: Any) -> glotmill.Run:
    folder = options.pop("folder", recipe.parent / "run")
    return glotmill.run(recipe, **{"engine": "spy:spy", "model": "m", "folder": folder, **options})


def contents(run: glotmill.Run, below: str = "dataset") -> dict[str, bytes]:
    return {
        str(p.relative_to(run.folder)): p.read_bytes()
        for p in sorted((run.folder / below).rglob("*.parquet"))
    }


def test_every_language_gets_exactly_its_rows(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=23)
    rows = made.frame()
    assert Counter(rows["language"]) == {"eng_Latn": 23, "swh_Latn": 23}
    assert rows["id"].is_unique().all()
    assert rows.columns == ["id", "language", "answer", "word", "number"]
    row = rows.filter(language="swh_Latn").row(0, named=True)
    assert row["answer"] == f"{row['word']} {row['number']} in Swahili"
    assert made.frame("sw").equals(rows.filter(language="swh_Latn"))


def test_the_same_command_again_asks_nothing_and_needs_no_engine(recipe: Path, spy: State) -> None:
    first = contents(run(recipe, per_language=23))
    asked = len(spy.asked)
    assert len({r.key for r in spy.asked}) == asked
    spy.opening = AssertionError("no engine is needed")
    assert contents(run(recipe, per_language=23)) == first
    assert len(spy.asked) == asked
    assert spy.opened == spy.closed == 1


def test_more_rows_are_asked_for_without_asking_the_first_again(recipe: Path, spy: State) -> None:
    few = run(recipe, per_language=10).frame()
    run(recipe, per_language=40)
    assert len({r.key for r in spy.asked}) == len(spy.asked)
    many = run(recipe, per_language=40).frame()
    for tag in ("eng_Latn", "swh_Latn"):
        assert many.filter(language=tag).head(10).equals(few.filter(language=tag))


def test_a_changed_threshold_asks_nothing(recipe: Path, spy: State) -> None:
    long = {"moon", "bread"}
    spy.answer(lambda r: user(r) if user(r).split()[0] in long else "no")
    run(recipe, per_language=10)
    asked = len(spy.asked)
    made = run(recipe, per_language=10, settings=["steps.length.min_chars=1"])
    assert len(spy.asked) == asked
    assert "no" in made.frame()["answer"]


def test_a_changed_template_asks_its_own_requests_only(tmp_path: Path, spy: State) -> None:
    two = ONE.replace(
        "  - {filter: length, of: answer, min_chars: 3}",
        "  - generate: grade\n    template: grade\n  - {filter: length, of: grade}",
    )
    recipe = write(tmp_path / "two", two, answer=TEMPLATE, grade="Grade {{ answer }}")
    run(recipe, per_language=8, languages=["eng"])
    assert Counter(user(r).split()[0] == "Grade" for r in spy.asked) == {True: 16, False: 16}
    spy.asked.clear()
    (recipe / "grade.j2").write_text("Please grade {{ answer }}")
    made = run(recipe, per_language=8, languages=["eng"])
    assert {user(r).split()[0] for r in spy.asked} == {"Please"}
    assert made.frame().height == 8


def test_dropped_rows_are_refilled_and_say_why(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: user(r) if hash_of(r) % 3 else "x")
    made = run(recipe, per_language=30)
    assert Counter(made.frame()["language"]) == {"eng_Latn": 30, "swh_Latn": 30}
    rows = made.rows().collect()
    assert set(rows.filter(verdict="dropped").select("reason", "reason_at").rows()) == {
        ("too_short", "answer.length")
    }
    for counts in funnel(made):
        assert counts.asked == counts.kept + sum(counts.dropped.values())
        assert counts.accepted == 30
        assert counts.kept >= 30


def hash_of(request: Request) -> int:
    return int(request.key[:8], 16)


def test_surplus_rows_are_not_in_the_dataset(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=3)
    assert made.frame("eng").height == 3
    assert made.rows("eng").collect().filter(verdict="kept").height == 8


def test_finish_drops_what_an_earlier_shard_said(recipe: Path, spy: State) -> None:
    settings = ["finish.0.of=answer"]
    spy.answer(lambda r: f"{user(r).split()[0]}, {int(user(r).split()[1]) % 3}")
    made = run(recipe, per_language=12, settings=settings, languages=["eng"])
    rows = made.rows().collect()
    assert made.frame()["answer"].is_unique().all()
    lost = rows.filter(verdict="dropped")
    assert set(lost.select("reason", "reason_at").rows()) == {("duplicate", "finish.answer.duplicates")}
    assert contents(run(recipe, per_language=12, settings=settings, languages=["eng"])) == contents(made)


@pytest.mark.parametrize("window", [1, 7, 64])
def test_timing_decides_nothing(recipe: Path, spy: State, window: int) -> None:
    def varied(request: Request) -> str:
        return "x" if hash_of(request) % 4 == 0 else f"{user(request).split()[0]} {hash_of(request) % 9}"

    spy.answer(varied)
    options: dict[str, Any] = {"per_language": 25, "settings": ["finish.0.of=answer", "floor=0"]}
    slow = recipe.parent / f"slow-{window}"
    spy.delay = lambda r: (hash_of(r) % 7) / 1000
    made = run(recipe, folder=slow, window=window, **options)
    spy.delay = lambda r: 0
    other = run(recipe, folder=recipe.parent / f"fast-{window}", window=64, **options)
    assert contents(made) == contents(other)
    assert contents(made, "rows") == contents(other, "rows")


def test_a_failed_request_is_a_row_with_its_reason(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: RequestFailed("prompt_too_long", "9 tokens") if "moon" in user(r) else user(r))
    made = run(recipe, per_language=20, languages=["eng"], max_failures=1.0)
    failed = made.rows().collect().filter(verdict="failed")
    assert set(failed.select("word", "reason", "reason_at").rows()) == {("moon", "prompt_too_long", "answer")}
    counts = funnel(made)[0]
    assert counts.asked - counts.answered == failed.height
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


@pytest.mark.parametrize(
    "error", [EngineError("died"), UsageError("no such option"), ZeroDivisionError("bug")]
)
def test_a_broken_engine_ends_the_run_at_once(recipe: Path, spy: State, error: Exception) -> None:
    spy.answer(lambda r: error if len(spy.asked) == 10 else user(r))
    began = time.monotonic()
    with pytest.raises(type(error), match=str(error)):
        run(recipe, per_language=500)
    assert time.monotonic() - began < 5


def test_an_engine_whose_option_has_a_wrong_type_says_so(recipe: Path) -> None:
    with pytest.raises(EngineError, match="engine echo: cannot be started: '<' not supported"):
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
    assert sorted(journal.read_bytes().splitlines()) == sorted(raw.splitlines())


def test_a_language_under_the_floor_is_given_up(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: "x" if "Swahili" in user(r) else user(r))
    with pytest.raises(ShortfallError) as short:
        run(recipe, per_language=20)
    text = str(short.value)
    assert text.startswith("swh_Latn: 0 of 20 rows: 0 of the last ")
    assert "under the floor of 2%" in text
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


def test_seeds_are_gone_through_again_with_other_replies(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=120, languages=["eng"])
    assert made.frame().height == 120
    assert made.frame()["id"].is_unique().all()
    assert len({r.seed for r in spy.asked}) == len(spy.asked)


def test_samples_make_rows_of_their_own(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=24, languages=["eng"], settings=["steps.answer.n=3"])
    rows = made.frame()
    assert rows.height == 24
    assert rows["id"].is_unique().all()
    assert Counter(i.rpartition("-")[2] for i in rows["id"]) == {"0": 8, "1": 8, "2": 8}
    assert len({r.seed for r in spy.asked}) == len(spy.asked)


def test_tries_ask_again_with_a_new_sample_and_the_reason(tmp_path: Path, spy: State) -> None:
    plain = ONE.replace(
        "  - generate: answer\n",
        "  - generate: answer\n    tries: 3\n    expect: [{filter: length, min_chars: 10}]\n",
    )
    recipe = write(
        tmp_path / "one", plain, answer=TEMPLATE + "{% if feedback %} not {{ feedback }}{% endif %}"
    )
    spy.answer(lambda r: f"{user(r)}, long" if r.sample == 2 else "short")
    made = run(recipe, per_language=8, languages=["eng"])
    assert made.frame().height == 8
    assert Counter(r.sample for r in spy.asked)[2] == len(spy.asked) // 3
    assert all(("not too_short" in user(r)) == (r.sample > 0) for r in spy.asked)
    spy.answer(lambda r: "short")
    with pytest.raises(ShortfallError):
        run(recipe, per_language=8, languages=["fra"], settings=["passes=1"])
    lost = glotmill.Run(tmp_path / "run").rows("fra").collect()
    assert set(lost.select("verdict", "reason", "reason_at", "answer_raw").rows()) == {
        ("dropped", "too_short", "answer.length", "short")
    }


def test_a_truncated_reply_is_dropped(recipe: Path, spy: State) -> None:
    spy.answer(lambda r: Reply("half a", "length") if "moon" in user(r) else user(r))
    made = run(recipe, per_language=20, languages=["eng"])
    assert set(made.rows().collect().filter(verdict="dropped")["reason"]) == {"truncated"}
    assert funnel(made)[0].parsed == funnel(made)[0].kept


def test_what_a_filter_of_expect_measured_is_a_column(tmp_path: Path, spy: State) -> None:
    plain = ONE.replace("  - generate: answer\n", "  - generate: answer\n    expect: [{filter: script}]\n")
    recipe = write(tmp_path / "one", plain, answer=TEMPLATE)
    made = run(
        recipe, per_language=8, languages=["eng"], settings=["output.columns=[answer, answer_script_share]"]
    )
    assert made.frame().schema["answer_script_share"] == pl.Float64
    spy.answer(lambda r: "привет мир" if "moon" in user(r) else user(r))
    made = run(
        recipe, per_language=40, languages=["deu"], settings=["output.columns=[answer, answer_script_share]"]
    )
    assert set(made.frame("deu")["answer_script_share"]) == {1.0}
    assert set(made.rows("deu").collect().filter(verdict="dropped")["answer_script_share"]) == {0.0}


def test_hostile_seed_text_stays_text(tmp_path: Path, spy: State) -> None:
    recipe = write(
        tmp_path / "poem",
        ONE.replace(DRAW, "topics.txt").replace(", word, number]", ", word]"),
        answer="About {{ word }}",
    )
    lines = ["{{ 7*7 }}", "{% include '/etc/passwd' %}", "{# gone #}", "a\u00a0b", "\u3000漢", "{'a': 1}"]
    (recipe / "topics.txt").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ShortfallError):
        run(recipe, per_language=8, languages=["eng"], settings=["passes=1"])
    assert {user(r) for r in spy.asked} == {f"About {line.strip()}" for line in lines}


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


def test_a_second_run_in_the_folder_is_refused(recipe: Path, spy: State) -> None:
    with glotmill.Run(recipe.parent / "run").lock(), pytest.raises(UsageError, match="another process"):
        run(recipe, per_language=3)
    run(recipe, per_language=3)


def test_another_recipe_in_the_folder_is_refused(recipe: Path, spy: State) -> None:
    run(recipe, per_language=3)
    other = write(recipe.parent / "other", ONE, answer=TEMPLATE)
    with pytest.raises(UsageError, match="holds a run of 'one', not of 'other'"):
        run(other, per_language=3)


def test_works_inside_a_running_loop(recipe: Path, spy: State) -> None:
    async def notebook() -> glotmill.Run:
        return run(recipe, per_language=3)

    assert asyncio.run(notebook()).frame().height == 6

    async def failing() -> None:
        run(recipe, per_language=0)

    with pytest.raises(UsageError, match="at least 1"):
        asyncio.run(failing())


def test_datasets_reads_it(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=5)
    found = made.dataset()
    assert found.num_rows == 10
    assert found.column_names == ["id", "language", "answer", "word", "number"]
    assert found[0]["answer"] == made.frame()["answer"][0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"per_lang": 3}, "no option 'per_lang'; did you mean 'per_language'"),
        ({"per_language": 0}, "at least 1"),
        ({"window": 0}, "--window 0"),
        ({"max_failures": 2}, "from 0 to 1"),
        ({"languages": ["klingon"]}, "klingon"),
        ({"engine": "vlm"}, "no generator named 'vlm'; did you mean 'vllm'"),
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


def test_a_single_template_is_a_recipe(tmp_path: Path, spy: State) -> None:
    (tmp_path / "poem.v2.j2").write_text("Write a long and winding poem about {{ topic }}")
    (tmp_path / "topics.txt").write_text("the sea\nthe moon and the stars\n\nrain\n")
    made = glotmill.run(
        tmp_path / "poem.v2.j2",
        seeds=str(tmp_path / "topics.txt"),
        languages="eng",
        per_language=3,
        folder=tmp_path / "run",
        engine="spy:spy",
        settings=["steps.language.skip=true", "passes=4"],
    )
    said = made.frame()["messages"].to_list()[0]
    assert [m["role"] for m in said] == ["user", "assistant"]
    assert said[0]["content"].startswith("Write a long and winding poem about ")


def test_rows_from_a_pipe_are_kept_for_going_on(
    tmp_path: Path, spy: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = write(
        tmp_path / "one", ONE.replace(DRAW, "'-'").replace(", number]", "]"), answer="A {{ word }} B"
    )
    monkeypatch.setattr(sys, "stdin", io.StringIO("moon\n{{ 7*7 }}\n\u3000漢字 é\n" + "rain\n" * 9))
    made = run(recipe, per_language=8)
    assert {"A moon B", "A {{ 7*7 }} B", "A 漢字 é B"} <= set(made.frame()["answer"])
    asked = len(spy.asked)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert contents(run(recipe, per_language=8)) == contents(made)
    assert len(spy.asked) == asked


def test_other_languages_join_a_run(recipe: Path, spy: State) -> None:
    run(recipe, per_language=5, languages="eng")
    made = run(recipe, per_language=5, languages="fra,swh")
    assert Counter(made.frame()["language"]) == {"eng_Latn": 5, "fra_Latn": 5, "swh_Latn": 5}


def test_fewer_rows_the_second_time(recipe: Path, spy: State) -> None:
    run(recipe, per_language=40, languages="eng")
    asked = len(spy.asked)
    made = run(recipe, per_language=5, languages="eng")
    assert made.frame().height == 5
    assert funnel(made)[0].asked == 10, "only the shards that the dataset is made of are counted"
    assert run(recipe, per_language=40, languages="eng").frame().height == 40
    assert len(spy.asked) == asked


def test_an_edited_filter_judges_anew_without_asking(
    tmp_path: Path, recipe: Path, spy: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_edited.py").write_text("def own(text): return text.str.slice(0, 0).replace('', None)\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings = ["steps.length={filter: 'own_edited:own', of: answer}"]
    assert run(recipe, per_language=8, settings=settings, languages="eng").rows().collect().height == 8
    asked = len(spy.asked)
    text = (
        "import polars as pl\ndef own(text): return pl.when(text.str.contains('moon')).then(pl.lit('moon'))\n"
    )
    (tmp_path / "own_edited.py").write_text(text)
    monkeypatch.delitem(sys.modules, "own_edited")
    made = run(recipe, per_language=8, settings=settings, languages="eng")
    assert "moon" in set(made.rows().collect()["reason"])
    assert {r.key for r in spy.asked[:asked]}.isdisjoint(r.key for r in spy.asked[asked:])


def test_interrupted_it_ends_soon_and_keeps_what_came(recipe: Path, spy: State) -> None:
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
