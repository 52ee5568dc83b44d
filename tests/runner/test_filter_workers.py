"""Filters applied to tables, in this process and in worker processes."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from glotmill.errors import EngineError, RecipeError, UsageError
from glotmill.recipes.steps import Filter
from glotmill.runner.apply_filters import apply_filters
from glotmill.runner.filter_workers import FilterWorkers, open_filter_workers

OWN = '''
import os, signal
import polars as pl

def loud(text, *, share=0.5):
    """Measures."""
    capitals = text.str.count_matches(r"[A-Z]") / text.str.len_chars()
    reason = pl.when(capitals > share).then(pl.lit("loud"))
    return pl.struct(reason=reason, share=capitals, seen=text)

def everything(text):
    return pl.lit("all")

def nothing(text):
    return pl.lit(None)

def number(text):
    return text.str.len_chars()

def measured_only(text):
    return pl.struct(share=text.str.len_chars())

def not_an_expression(text):
    return "no"

def chatty(text):
    print("hello from a filter")
    return pl.when(text == "x").then(pl.lit("x"))

def deadly(text):
    def die(series):
        os.kill(os.getpid(), signal.SIGKILL)
    return text.map_batches(die, return_dtype=pl.String)

def once(text, *, mark):
    def die(series):
        if not os.path.exists(mark):
            open(mark, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return series.str.slice(0, 0).replace("", None)
    return text.map_batches(die, return_dtype=pl.String, is_elementwise=True)
'''


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_filters.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "own_filters", None)
    monkeypatch.delitem(__import__("sys").modules, "own_filters")


def step(name: str, of: str = "text", **options: Any) -> Filter:
    return Filter.model_validate({"filter": name, "of": of, **options})


def table(*texts: str | None, **more: Any) -> pl.DataFrame:
    return pl.DataFrame({"text": texts, **more}, schema_overrides={"text": pl.String})


def apart(rows: pl.DataFrame, filters: list[Filter], number: int = 1) -> pl.DataFrame:
    async def ask() -> pl.DataFrame:
        async with open_filter_workers(number) as opened:
            return await opened.apply(rows, filters)

    return asyncio.run(ask())


@pytest.mark.parametrize("apply", [apply_filters, apart])
def test_each_filter_sees_what_the_earlier_kept(apply: Any) -> None:
    rows = table("a", "LOUD", "Quiet", "QuIeT", n=[1, 2, 3, 4])
    result = apply(
        rows,
        [step("length", min_chars=2), step("own_filters:loud", share=0.5), step("length", max_chars=4)],
    )
    assert result.columns == ["text", "n", "reason", "reason_at", "text_loud_share", "text_loud_seen"]
    assert result.select("n", "reason", "reason_at", "text_loud_share", "text_loud_seen").rows() == [
        (1, "too_short", "text.length", None, None),
        (2, "loud", "text.own_filters:loud", 1.0, "LOUD"),
        (3, "too_long", "text.length", 0.2, "Quiet"),
        (4, "loud", "text.own_filters:loud", 0.6, "QuIeT"),
    ]


@pytest.mark.parametrize("apply", [apply_filters, apart])
def test_no_rows(apply: Any) -> None:
    result = apply(table(), [step("length"), step("own_filters:loud")])
    assert result.is_empty()
    assert {"reason", "reason_at", "text_loud_share"} <= set(result.columns)
    assert apply(table("a", "b"), [])["reason"].to_list() == [None, None]


@pytest.mark.parametrize("apply", [apply_filters, apart])
def test_filters_that_look_at_nothing(apply: Any) -> None:
    assert apply(table("a", "b"), [step("own_filters:everything")])["reason"].to_list() == ["all", "all"]
    assert apply(table("a", "b"), [step("own_filters:nothing")])["reason"].to_list() == [None, None]
    assert apply(table(), [step("own_filters:everything")]).height == 0


def test_a_measure_is_taken_anew() -> None:
    rows = table("abc", text_loud_share=["old"])
    assert apply_filters(rows, [step("own_filters:loud")])["text_loud_share"].to_list() == [0.0]
    assert apart(rows, [step("own_filters:loud")])["text_loud_share"].to_list() == [0.0]


def test_a_field_of_a_value_is_filtered() -> None:
    rows = pl.DataFrame({"score": [{"points": 5}, {"points": 2}]})
    result = apart(rows, [step("at_least", "score.points", value=4)])
    assert result["reason"].to_list() == [None, "too_low"]
    assert result["reason_at"].to_list() == [None, "score.points.at_least"]
    assert result["score"].to_list() == rows["score"].to_list()


def test_columns_with_strange_names_are_left_alone() -> None:
    rows = table("a", "", **{"_place": [1, 2], "place": [3, 4], "_reason": ["x", "y"], "reason_": [5, 6]})
    result = apply_filters(rows, [step("length")])
    assert result.select(rows.columns).equals(rows)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ([step("lenght")], "no filter named 'lenght'; did you mean 'length'"),
        ([step("length", mni_chars=3)], "filter length: no option 'mni_chars'; did you mean 'min_chars'"),
        ([step("length", "txet")], "filter length of 'txet': .*txet.*; the columns are n, text"),
        ([step("length", min_chars="many")], "filter length: option 'min_chars' is 'many'; give a number"),
        ([step("own_filters:number")], "a filter returns null, or a reason as text"),
        ([step("own_filters:measured_only")], "a filter returns null, or a reason as text"),
        ([step("own_filters:not_an_expression")], "returned a str; a filter returns a polars expression"),
        ([step("at_least")], "option 'value' is required"),
    ],
)
def test_filters_that_do_not_fit(filters: list[Filter], message: str) -> None:
    rows = table("abc", n=[1])
    with pytest.raises(UsageError, match=message):
        apply_filters(rows, filters)
    with pytest.raises(UsageError, match=message.split(": ", maxsplit=1)[0].split(";", maxsplit=1)[0]):
        apart(rows, filters)


def test_what_a_filter_prints_does_not_matter(capfd: pytest.CaptureFixture[str]) -> None:
    assert apart(table("x", "y"), [step("own_filters:chatty")])["reason"].to_list() == ["x", None]
    assert "hello from a filter" in capfd.readouterr().err


def test_modules_of_the_working_folder_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    folder.joinpath("random.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(folder)
    rows = apart(table("x"), [step("own_filters:chatty")])
    assert rows["reason"].to_list() == ["x"]


def test_a_process_that_dies_is_replaced_once(tmp_path: Path) -> None:
    result = apart(table("x", "y"), [step("own_filters:once", mark=str(tmp_path / "mark"))])
    assert result["reason"].to_list() == [None, None]
    with pytest.raises(EngineError, match="died twice"):
        apart(table("x"), [step("own_filters:deadly")])


def test_one_process_filters_many_tables_and_ends_with_the_context() -> None:
    async def ask() -> list[int]:
        async with open_filter_workers(2) as workers:
            tables = [table(*"ab" * n) for n in range(1, 9)]
            result = await asyncio.gather(*(workers.apply(t, [step("length", min_chars=2)]) for t in tables))
            assert [f.height for f in result] == [t.height for t in tables]
            with pytest.raises(UsageError):
                await workers.apply(tables[0], [step("length", min_chars="x")])
            again = await workers.apply(tables[0], [step("length")])
            assert again["reason"].to_list() == [None, None]
            return pids(workers)

    for pid in asyncio.run(ask()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def pids(workers: FilterWorkers) -> list[int]:
    processes = [workers._free.get_nowait() for _ in range(workers._free.qsize())]
    for process in processes:
        workers._free.put_nowait(process)
    return [process.pid for process in processes if process is not None]


def test_a_filter_that_is_cancelled_leaves_a_working_process() -> None:
    async def ask() -> None:
        async with open_filter_workers() as workers:
            await workers.apply(table("a"), [step("length")])
            (pid,) = pids(workers)
            os.kill(pid, signal.SIGSTOP)
            hanging = asyncio.ensure_future(workers.apply(table("a"), [step("length")]))
            done, _ = await asyncio.wait([hanging], timeout=0.1)
            assert not done
            hanging.cancel()
            await asyncio.gather(hanging, return_exceptions=True)
            result = await workers.apply(table(""), [step("length")])
            assert result["reason"].to_list() == ["too_short"]

    asyncio.run(ask())


def test_filter_needs_a_known_column() -> None:
    with pytest.raises(RecipeError):
        apply_filters(table("a"), [step("echo", source="nowhere")])


def test_marks_are_made_of_the_rows_that_are_kept() -> None:
    rows = table("a", "LOUD", "A!", None, "b", language=["x", "x", "x", "x", "y"])

    async def ask() -> pl.DataFrame:
        async with open_filter_workers(1) as opened:
            across = [step("duplicates"), step("duplicates", within="")]
            return await opened.verdicts(rows, [step("own_filters:loud", share=0.6)], across)

    result = asyncio.run(ask())
    assert result["reason"].to_list() == [None, "loud", None, None, None]
    first, second = result["keys_0"], result["keys_1"]
    assert first.is_null().to_list() == second.is_null().to_list() == [False, True, False, True, False]
    assert first[0].to_list() == first[2].to_list() != second[0].to_list()
