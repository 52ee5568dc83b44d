"""A finished run leaves in a trainer's form: which rows, and on which side."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from exported import all_languages, ids
from finished import finished, rows
from spy import State, user, write

import glotmill
from glotmill.errors import EngineError, UsageError
from glotmill.export.export import export
from glotmill.runner.funnel import funnel
from glotmill.runner.run_folder import Run
from glotmill.runner.shard import seed_key


def test_all_that_comes_of_one_seed_is_on_one_side(tmp_path: Path, spy: State) -> None:
    plain = """
about: x
languages: [eng_Latn, swh_Latn]
seeds: {rows: [{w: a}, {w: b}, {w: c}, {w: d}, {w: e}, {w: f}, {w: a}, {w: b, language: swh}]}
passes: 3
steps: [{generate: said, n: 2, temperature: 1}, {transform: views, problem: said, source: w}]
output: {messages: {user: prompt, assistant: said}, columns: [w, view]}
"""
    made = glotmill.run(
        write(tmp_path / "r", plain, said="{{ w }} {{ language.tag }}"),
        engine="spy:spy", model="m", folder=tmp_path / "run", per_language=60,
    )  # fmt: skip
    found = export(made, tmp_path / "out", split="one=0.5,two=0.5")
    sides: dict[str, set[str]] = {}
    for path in (tmp_path / "out").glob("*/*.parquet"):
        for word in pl.read_parquet(path)["w"]:
            sides.setdefault(word, set()).add(path.name.partition("-")[0])
    assert sorted(sides) == list("abcdef")
    assert all(len(where) == 1 for where in sides.values()), "languages, samples, views, passes, equal rows"
    assert set.union(*sides.values()) == {"one", "two"}
    assert found.rows.keys() == {"eng_Latn", "swh_Latn"}
    assert all(sum(of.values()) == 60 for of in found.rows.values())
    assert "seed_key" not in pl.read_parquet(tmp_path / "run" / "dataset" / "**" / "*.parquet").columns


def test_a_seed_has_the_same_key_from_one_version_to_the_next() -> None:
    assert seed_key({"b": "é", "a": 1}) == seed_key({"a": 1, "b": "é"}) == "f79ed29e7ed5de69444a20c6"
    assert seed_key({"a": 1}) != seed_key({"a": "1"})


def test_the_rows_are_those_of_the_dataset(tmp_path: Path) -> None:
    lost = {
        "verdict": lambda n: "dropped" if n % 3 == 0 else "kept",
        "reason": lambda n: None if n % 3 else "x",
    }
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 60, **lost)}, wanted=25)
    export(made, tmp_path / "out")
    assert ids(tmp_path / "out") == made.frame("eng_Latn")["id"].to_list()
    assert len(ids(tmp_path / "out")) == 25


def test_a_format_may_have_the_rejected_rows_but_no_more_kept_ones(tmp_path: Path) -> None:
    lost = {
        "verdict": lambda n: "dropped" if n % 3 == 0 else "kept",
        "reason": lambda n: None if n % 3 else "x",
    }
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 60, **lost)}, wanted=25)
    found = export(made, tmp_path / "out", "own_formats:judged")
    said = [json.loads(line) for line in (tmp_path / "out/eng_Latn/train.jsonl").read_text().splitlines()]
    assert found.rows == {"eng_Latn": {"train": 45}}
    assert [row["id"] for row in said if row["verdict"] == "kept"] == made.frame()["id"].to_list()
    assert {row["reason"] for row in said if row["verdict"] == "dropped"} == {"x"}
    assert said[1].keys() == {"id", "answer", "verdict", "reason", "topic"}, "the recipe's output.columns"


def test_equal_runs_make_equal_bytes(tmp_path: Path) -> None:
    made = all_languages(tmp_path)
    for name in ("one", "two"):
        export(made, tmp_path / name / "out", split="train=0.8,test=0.2")
    one, two = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in
                (tmp_path / "one", tmp_path / "two"))  # fmt: skip
    assert one == two


TWO = """
about: x
languages: [eng, hin]
steps: [{generate: said}]
seeds: {draw: {w: [a, b, c, d], n: [1, 2, 3, 4, 5, 6, 7, 8, 9]}}
finish: [{filter: duplicates, of: said}]
output: {messages: {user: w, assistant: said}}
"""


def stopped(folder: Path, spy: State, *settings: str) -> Run:
    """Stop a run after 30 replies, of which some are alike."""
    recipe = write(folder / "r", TWO, said="{{ w }}{{ n }} {{ language.tag }}")
    options: Any = {"engine": "spy:spy", "model": "m", "folder": folder / "run", "per_language": 20}
    spy.answer(lambda r: EngineError("died") if len(spy.asked) == 30 else f"say {user(r).replace('b', 'a')}")
    with pytest.raises(EngineError):
        glotmill.run(recipe, window=2, settings=settings, **options)
    return Run(folder / "run")


def test_a_stopped_run_gives_the_rows_accepted_so_far(tmp_path: Path, spy: State) -> None:
    made = stopped(tmp_path, spy)
    counts = {count.language: count for count in funnel(made)}
    assert not counts["eng_Latn"].is_finished
    found = export(made, tmp_path / "out")
    assert found.unfinished == {tag: by_split["train"] for tag, by_split in found.rows.items()}
    assert 0 < found.unfinished["eng_Latn"] <= counts["eng_Latn"].accepted == counts["eng_Latn"].kept < 20
    kept = made.rows("eng").filter(verdict="kept").collect()
    assert kept["said"].is_unique().all(), "duplicates are dropped from what is exported"
    spy.answer(lambda r: f"say {user(r).replace('b', 'a')}")
    options: Any = {"engine": "spy:spy", "model": "m", "folder": made.folder, "per_language": 20}
    whole = export(glotmill.run(tmp_path / "r", **options), tmp_path / "whole")
    assert whole.unfinished == {}
    for tag in counts:
        first = ids(tmp_path / "out", tag)
        assert ids(tmp_path / "whole", tag)[: len(first)] == first, "the first rows stay the same"


def test_a_stopped_run_whose_finish_needs_all_rows_is_refused(tmp_path: Path, spy: State) -> None:
    made = stopped(tmp_path, spy, "finish.0={filter: select, of: n, keep: 0.5}")
    with pytest.raises(
        UsageError, match=r"not finished: eng_Latn, hin_Deva; select under finish: must see all"
    ):
        export(made, tmp_path / "out")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no run here"):
        export(Run(tmp_path / "nosuch"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_without_seed_keys_is_run_again_first(tmp_path: Path, spy: State) -> None:
    plain = "about: x\nlanguages: [eng]\nsteps: [{generate: said}]\nseeds: {draw: {w: [a, b, c, d, e, f]}}\n"
    folder = write(
        tmp_path / "r", f"{plain}output: {{messages: {{user: w, assistant: said}}}}\n", said="{{ w }}"
    )
    options: Any = {"engine": "spy:spy", "model": "m", "folder": tmp_path / "run", "per_language": 6}
    made = glotmill.run(folder, **options)
    path = tmp_path / "run/rows/eng_Latn-00000.parquet"
    info = made.shard_info("eng_Latn-00000")
    assert info is not None
    info = replace(info, digest="of an earlier version")
    made.write_rows("eng_Latn-00000", pl.read_parquet(path).drop("seed_key"), info)
    with pytest.raises(
        UsageError,
        match=r"without the column 'seed_key' that splits need; run the same `glotmill run` command again",
    ):
        export(made, tmp_path / "out")
    asked = len(spy.asked)
    export(glotmill.run(folder, **options), tmp_path / "out")
    assert len(spy.asked) == asked
    assert len(ids(tmp_path / "out")) == 6


def test_a_run_that_kept_nothing(tmp_path: Path) -> None:
    lost = rows("eng_Latn", 3, verdict="dropped", reason="too_short", reason_at="answer.length")
    made = finished(tmp_path / "run", {"eng_Latn": lost})
    for name in ("trl-sft", "trl-dpo"):
        with pytest.raises(UsageError, match=r"run: no row was kept; see `glotmill show .*run`"):
            export(made, tmp_path / "out", name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file", ["rows/hin_Deva-00000", "dataset/hin_Deva/train-00000-of-00001"])
def test_a_broken_file_is_told_of(tmp_path: Path, file: str) -> None:
    made = all_languages(tmp_path, 10)
    path = made.folder / f"{file}.parquet"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(
        UsageError, match=rf"{file}\.parquet: cannot be read: .*; run the same `glotmill run`"
    ):
        export(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()
