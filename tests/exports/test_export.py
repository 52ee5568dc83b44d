"""A finished run leaves in a trainer's form: which rows, on which side, whole or not at all."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from finished import CHAT, SAID, finished, load, rows
from spy import State, write

import glotmill
from glotmill import dataset, recipe
from glotmill.errors import UsageError
from glotmill.exports.export import export, text
from glotmill.plan import seed_key
from glotmill.recipe import Output
from glotmill.store import Run

OWN = """
import polars as pl
SUFFIX, NEEDS = "jsonl", "all"
SCHEMA = {"answer": pl.String()}
RESERVED = {"label"}
def judged(rows, *, columns=()): return rows.select("id", "answer", "verdict", "reason", *columns)
def changing(rows): return rows.select("answer", **({"a": "id"} if rows["row"][0] else {}))
def none(rows): return rows.select("answer").clear()
def wrong(rows): return rows.select("row").rename({"row": "answer"})
def nothing(rows): return rows.select("id")
def hole(rows): return rows.select(answer=pl.lit(None, pl.String))
def taken(rows, *, columns=()): return rows.select("answer", label="id")
def broken(rows): return rows.select("nosuch")
def plain(rows): return rows.to_dicts()
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_formats.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def ids(folder: Path, tag: str = "*", split: str = "*") -> list[str]:
    files = sorted(folder.glob(f"{tag}/{split}-*.parquet"))
    return [i for path in files for i in pl.read_parquet(path)["id"]]


def all_languages(folder: Path, count: int = 30, **options: Any) -> Run:
    return finished(folder / "run", {tag: rows(tag, count) for tag in SAID}, **options)


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
    assert found["rows"].keys() == {"eng_Latn", "swh_Latn"}
    assert all(sum(of.values()) == 60 for of in found["rows"].values())
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
    assert found["rows"] == {"eng_Latn": {"train": 45}}
    assert [row["id"] for row in said if row["verdict"] == "kept"] == made.frame()["id"].to_list()
    assert {row["reason"] for row in said if row["verdict"] == "dropped"} == {"x"}
    assert said[1].keys() == {"id", "answer", "verdict", "reason", "topic"}, "the recipe's output.columns"


def test_shards_have_one_form_for_a_format_whatever_steps_their_rows_came_to(tmp_path: Path) -> None:
    early = [{k: v for k, v in row.items() if k != "answer"} for row in rows("eng_Latn", 3)]
    early = [{**row, "id": f"e{row['id']}", "verdict": "dropped", "reason": "x"} for row in early]
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 8)})
    made.write_rows("eng_Latn-00001", pl.DataFrame(early), {})
    with pytest.raises(
        UsageError, match=r"own_formats:judged: column 'answer' has a null; filter such rows out"
    ):
        export(made, tmp_path / "out", "own_formats:judged")
    assert not (tmp_path / "out").exists()


def test_each_language_is_a_config_and_all_of_them_the_default(tmp_path: Path) -> None:
    made = all_languages(tmp_path)
    found = export(made, tmp_path / "out", split="train=0.8,test=0.2")
    for tag in SAID:
        loaded = load(tmp_path / "out", tmp_path / "cache", tag)
        assert {name: part.num_rows for name, part in loaded.items()} == found["rows"][tag]
        assert loaded["train"]["id"] == ids(tmp_path / "out", tag, "train")
    whole = load(tmp_path / "out", tmp_path / "cache")
    assert whole["train"].num_rows + whole["test"].num_rows == 30 * len(SAID)
    assert found["empty"] == []


@pytest.mark.parametrize("name", ["trl-sft", "nemo-rl", "sharegpt"])
def test_a_language_without_a_value_in_a_column_does_not_spoil_the_others(tmp_path: Path, name: str) -> None:
    shape = {"hint": [{"n": 1, "s": ["x"], "f": 0.5, "b": True}], "late": "x"}
    languages = {
        "eng_Latn": rows("eng_Latn", 3, hint=None, late=None),
        "swh_Latn": rows("swh_Latn", 3, **shape),
    }
    made = finished(tmp_path / "run", languages, {**CHAT, "columns": ["hint", "late"]})
    export(made, tmp_path / "out", name)
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there["late"] == [None] * 3 + ["x"] * 3
    assert there["hint"] == [None] * 3 + [shape["hint"]] * 3
    assert load(tmp_path / "out", tmp_path / "cache", "eng_Latn")["train"].features == there.features


def test_a_split_without_rows_is_told_of(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 3), "swh_Latn": rows("swh_Latn", 40)})
    found = export(made, tmp_path / "out", split="train=0.99,test=0.01")
    assert "eng_Latn/test" in found["empty"]
    assert not list((tmp_path / "out" / "eng_Latn").glob("test-*"))
    assert "No row: eng_Latn/test" in text(found)
    assert load(tmp_path / "out", tmp_path / "cache", "eng_Latn")["train"].num_rows == 3


def test_an_export_takes_the_place_of_an_export(tmp_path: Path) -> None:
    made = all_languages(tmp_path, 10)
    export(made, tmp_path / "out", split="train=0.5,test=0.5")
    export(made, tmp_path / "out", "openai-chat")
    names = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert names == {"README.md", "export.json", *(f"{tag}/train.jsonl" for tag in SAID)}
    assert {p.name for p in tmp_path.iterdir()} >= {"out", "run"}
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".out")]


@pytest.mark.parametrize("name", ["checkpoint.bin", "eng_Latn/notes.txt"])
def test_what_is_not_of_an_export_is_never_replaced(tmp_path: Path, name: str) -> None:
    made = all_languages(tmp_path, 10)
    export(made, tmp_path / "out")
    before = ids(tmp_path / "out")
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(
        UsageError, match=rf"out: holds what is not of an export \({name}\); name another folder"
    ):
        export(made, tmp_path / "out", "openai-chat")
    assert (tmp_path / "out" / name).read_text() == "mine"
    assert ids(tmp_path / "out") == before
    with pytest.raises(UsageError, match=r"run: holds what is not of an export \(dataset/.* and \d+ more\)"):
        export(made, made.folder)
    with pytest.raises(UsageError, match=r"own_formats\.py: a file; name a folder"):
        export(made, tmp_path / "own_formats.py")


def test_an_empty_folder_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export(all_languages(tmp_path, 10), tmp_path / "out")
    assert len(ids(tmp_path / "out")) == 10 * len(SAID)


def test_an_export_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = all_languages(tmp_path, 10)
    export(made, tmp_path / "out")
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    monkeypatch.setattr(
        dataset, "write_files", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(OSError, match="No space left"):
        export(made, tmp_path / "out", split="train=0.5,test=0.5")
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".out")]


def test_what_a_killed_export_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".out.tmp" / "eng_Latn").mkdir(parents=True)
    (tmp_path / ".out.tmp" / "eng_Latn" / "old-00000-of-00001.parquet").write_text("half")
    export(all_languages(tmp_path, 10), tmp_path / "out")
    assert not list((tmp_path / "out").rglob("old-*"))


def test_two_do_not_write_one_folder(tmp_path: Path) -> None:
    made = all_languages(tmp_path, 10)
    (tmp_path / ".out.tmp").mkdir()
    other = os.open(tmp_path / ".out.tmp", os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(UsageError, match=r"out: another process is writing it"):
        export(made, tmp_path / "out")
    assert (tmp_path / ".out.tmp").exists()
    os.close(other)
    export(made, tmp_path / "out")


def test_equal_runs_make_equal_bytes(tmp_path: Path) -> None:
    made = all_languages(tmp_path)
    for name in ("one", "two"):
        export(made, tmp_path / name / "out", split="train=0.8,test=0.2")
    one, two = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in
                (tmp_path / "one", tmp_path / "two"))  # fmt: skip
    assert one == two


def test_a_run_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    made = all_languages(tmp_path, 10)
    (made.folder / "dataset/hin_Deva/train-00000-of-00001.parquet").unlink()
    with pytest.raises(
        UsageError, match=r"run: not finished: hin_Deva has 0 rows in its dataset; run the same"
    ):
        export(made, tmp_path / "out")
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
    about = {**made.about_rows("eng_Latn-00000"), "digest": "of an earlier version"}
    made.write_rows("eng_Latn-00000", pl.read_parquet(path).drop("seed_key"), about)
    with pytest.raises(UsageError, match=r"have no 'seed_key'.*; run the same `glotmill run` command again"):
        export(made, tmp_path / "out")
    asked = len(spy.asked)
    export(glotmill.run(folder, **options), tmp_path / "out")
    assert len(spy.asked) == asked
    assert len(ids(tmp_path / "out")) == 6


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("own_formats:none", "no row of .* became one of this format; nothing is written"),
        ("own_formats:changing", r"own_formats:changing: gave .* after .*; give one form to all"),
        ("own_formats:wrong", "column 'answer' is Int64; it must be String"),
        ("own_formats:nothing", "no column 'answer'; there is id"),
        ("own_formats:hole", "column 'answer' has a null"),
        ("own_formats:taken", "column 'label' is a name that trainers read as theirs; name what leaves with "
                              "--columns 'topic', or give"),
        ("own_formats:broken", "unable to find column \"nosuch\""),
        ("own_formats:plain", "returned a list, not a table"),
        ("trl_sft", "no format named 'trl_sft'; did you mean 'trl-sft'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_of_and_not_written(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        export(all_languages(tmp_path, 10), tmp_path / "out", name)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / ".out.tmp").exists()


def test_columns_beside(tmp_path: Path) -> None:
    said = rows("eng_Latn", 5, label="yes", score=0.5)
    made = finished(tmp_path / "run", {"eng_Latn": said}, {**CHAT, "columns": ["topic", "label"]})
    with pytest.raises(
        UsageError, match=r"trl-sft: column 'label' is a name that trainers .* --columns 'topic'"
    ):
        export(made, tmp_path / "out")
    export(made, tmp_path / "out", options={"columns": ["score", "topic"]})
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there.column_names == ["id", "language", "messages", "score", "topic"]
    export(made, tmp_path / "out", options={"columns": []})
    assert load(tmp_path / "out", tmp_path / "cache")["train"].column_names == ["id", "language", "messages"]
    with pytest.raises(
        UsageError, match=r"trl-sft: no column 'nosuch'; there is id, row, language, seed_key"
    ):
        export(made, tmp_path / "out", options={"columns": ["nosuch"]})
    with pytest.raises(UsageError, match=r"format trl-sft: no option 'shuffle'; there is columns, reasoning"):
        export(made, tmp_path / "out", options={"shuffle": True})


def test_reasoning_is_kept_apart_in_the_dataset(tmp_path: Path) -> None:
    output = {"messages": {"system": "s", "user": "q", "assistant": "a", "reasoning": "t"}}
    said = pl.DataFrame(
        {"id": ["1", "2"], "language": "eng_Latn", "s": ["S", None], "q": "Q", "a": "A", "t": ["T", None]}
    )
    made = dataset.shape(said, Output.model_validate(output))
    assert made["messages"].to_list() == [
        [
            {"role": "system", "content": "S", "reasoning_content": ""},
            {"role": "user", "content": "Q", "reasoning_content": ""},
            {"role": "assistant", "content": "A", "reasoning_content": "T"},
        ],
        [
            {"role": "user", "content": "Q", "reasoning_content": ""},
            {"role": "assistant", "content": "A", "reasoning_content": ""},
        ],
    ]


def test_reasoning_that_there_is_not_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"--reasoning: .*run has none kept apart; a recipe names its column"
    ):
        export(all_languages(tmp_path, 5), tmp_path / "out", options={"reasoning": "inline"})


def test_a_recipe_with_reasoning_needs_an_answer(tmp_path: Path) -> None:
    plain = "about: x\nlanguages: [eng]\nseeds: {rows: [{w: a}]}\nsteps: [{generate: said}]\n"
    folder = write(
        tmp_path / "r", f"{plain}output: {{messages: {{user: w, reasoning: said}}}}\n", said="{{ w }}"
    )
    with pytest.raises(
        glotmill.errors.RecipeError, match=r"output\.messages\.reasoning: goes with `assistant`"
    ):
        glotmill.run(folder, engine="echo", model="m", folder=tmp_path / "run")
    assert recipe.read(folder).output.messages == {"user": "w", "reasoning": "said"}
