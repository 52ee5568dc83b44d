"""Whole runs, with an engine that notes what it is asked."""

import asyncio
import io
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from one_step import DRAW, ONE, TEMPLATE, contents, hash_of, run
from spy import State, user, write

import glotmill
from glotmill.errors import ShortfallError, UsageError
from glotmill.messages import Reply, Request
from glotmill.runner.funnel import funnel


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return write(tmp_path / "one", ONE, answer=TEMPLATE)


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
    assert Counter(user(r).split()[0] == "Grade" for r in spy.asked) == {True: 8, False: 8}
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
        assert counts.rows == counts.kept + sum(counts.dropped.values())
        assert counts.accepted == 30
        assert counts.kept >= 30


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
    monkeypatch.setattr(
        sys,
        "stdin",
        io.TextIOWrapper(io.BytesIO(("moon\n{{ 7*7 }}\n\u3000漢字 é\n" + "rain\n" * 9).encode())),
    )
    made = run(recipe, per_language=8)
    assert {"A moon B", "A {{ 7*7 }} B", "A 漢字 é B"} <= set(made.frame()["answer"])
    asked = len(spy.asked)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert contents(run(recipe, per_language=8)) == contents(made)
    assert len(spy.asked) == asked


def test_fewer_rows_the_second_time(recipe: Path, spy: State) -> None:
    run(recipe, per_language=40, languages="eng")
    asked = len(spy.asked)
    made = run(recipe, per_language=5, languages="eng")
    assert made.frame().height == 5
    assert funnel(made)[0].seed_rows == 8, "only the shards that the dataset is made of are counted"
    assert run(recipe, per_language=40, languages="eng").frame().height == 40
    assert len(spy.asked) == asked


def test_a_run_of_before_keeps_its_equal_shards(recipe: Path, spy: State) -> None:
    folder = recipe.parent / "run"
    glotmill.Run(folder).write_info({"recipe": {"name": "one"}, "engine": "spy:spy", "shard_size": 10})
    made = run(recipe, per_language=25, languages="eng")
    assert [pl.read_parquet(path).height for path in sorted(folder.glob("rows/*"))] == [10, 10, 10]
    assert contents(run(recipe, per_language=25, languages="eng")) == contents(made)
    assert len({r.key for r in spy.asked}) == len(spy.asked)


def test_an_edited_filter_applies_again_without_asking(
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
