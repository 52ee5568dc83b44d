"""What an earlier command left in the folder of a run, whole, damaged or not ours."""

import json
import logging
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from one_step import ONE, TEMPLATE, contents, run
from spy import State, user, write

from glotmill.cli import main
from glotmill.errors import EngineError, GlotmillError
from glotmill.filtering.explain import read_run
from glotmill.io.rows import open_rows
from glotmill.runner.funnel import funnel


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return write(tmp_path / "one", ONE, answer=TEMPLATE)


def flip(path: Path, at: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("at", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_flipped_bit_in_rows_is_mended_from_the_replies(
    recipe: Path, spy: State, caplog: pytest.LogCaptureFixture, at: float
) -> None:
    before = contents(made := run(recipe, per_language=10, languages="eng"))
    asked = len(spy.asked)
    path = made.folder / "rows" / "eng_Latn-00001.parquet"
    flip(path, at)
    with caplog.at_level(logging.WARNING):
        again = run(recipe, per_language=10, languages="eng")
    assert contents(again) == before
    assert len(spy.asked) == asked
    assert [r.getMessage() for r in caplog.records] == [
        f"{path} is damaged: its rows are made again from the replies"
    ]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\0" * 500])
def test_rows_that_are_cut_off_are_mended(recipe: Path, spy: State, content: bytes) -> None:
    before = contents(made := run(recipe, per_language=10, languages="eng"))
    (made.folder / "rows" / "eng_Latn-00000.parquet").write_bytes(content)
    assert contents(run(recipe, per_language=10, languages="eng")) == before


def test_commands_say_that_rows_are_damaged(
    recipe: Path, spy: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = run(recipe, per_language=10, languages="eng")
    (made.folder / "rows" / "eng_Latn-00000.parquet").write_bytes(b"PAR1" * 50)
    for command in (["show"], ["report"], ["export", "-o", str(tmp_path / "x")]):
        assert main([command[0], str(made.folder), *command[1:]]) in (1, 2)
        assert "run the same `glotmill run` command again" in capsys.readouterr().err


def test_what_the_user_keeps_beside_rows_and_dataset_is_neither_read_nor_removed(
    recipe: Path, spy: State
) -> None:
    before = contents(made := run(recipe, per_language=10, languages="eng,swh"))
    table = pl.DataFrame({"id": ["mine"], "language": ["eng_Latn"], "other": [1]})
    mine = [
        made.folder / "rows" / "eng_Latn-notes.parquet",
        made.folder / "rows" / "mine.parquet",
        made.folder / "rows" / "eng_Latn-00000.parquet.bak",
        made.folder / "dataset" / "eng_Latn" / "mine.parquet",
        made.folder / "dataset" / "eng_Latn" / "README.md",
        made.folder / "dataset" / "mine" / "train-00000-of-00001.parquet",
        made.folder / "dataset" / "mine.parquet",
    ]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        table.write_parquet(path)
    for languages in ("eng,swh", "swh", "eng,swh"):
        made = run(recipe, per_language=10, languages=languages)
        assert "mine" not in {*made.frame()["id"], *made.rows().collect()["id"], *made.dataset()["id"]}
        assert sum(counts.in_dataset for counts in funnel(made)) == made.frame().height
        for run_rows in (False, True):
            assert "mine" not in {row["id"] for row in open_rows(str(made.folder), run_rows=run_rows).rows()}
        assert "mine" not in {row["id"] for row in read_run(made.folder)[0].rows()}
        assert all(path.exists() for path in mine)
    assert {name: rows for name, rows in contents(made).items() if "mine" not in name} == before


def test_a_run_of_other_languages_leaves_no_rows_of_the_earlier_ones(recipe: Path, spy: State) -> None:
    run(recipe, per_language=5, languages="eng,swh")
    asked = len(spy.asked)
    made = run(recipe, per_language=5, languages="fra,swh")
    only = {"fra_Latn": 5, "swh_Latn": 5}
    assert Counter(made.frame()["language"]) == only
    assert Counter(made.dataset()["language"]) == only
    assert Counter(pl.read_parquet(made.folder / "dataset/*/train-*.parquet")["language"]) == only
    assert {counts.language for counts in funnel(made)} == only.keys()
    assert {*made.rows().collect()["language"]} == only.keys()
    assert made.frame("eng").is_empty()
    assert made.rows("eng").collect().height == 8, "what was made for it waits for the next command"
    again = run(recipe, per_language=5, languages="eng")
    assert Counter(again.dataset()["language"]) == {"eng_Latn": 5}
    assert len({r.key for r in spy.asked}) == len(spy.asked) == asked + 8


def test_a_run_with_another_template_leaves_no_rows_of_the_earlier_one(recipe: Path, spy: State) -> None:
    run(recipe, per_language=5, languages="eng,swh")
    (recipe / "answer.swh.j2").write_text(f"Say: {TEMPLATE}")
    spy.answer(lambda _: EngineError("no engine today"))
    with pytest.raises(EngineError):
        run(recipe, per_language=5, languages="eng,swh")
    spy.answer(user)
    made = run(recipe, per_language=6, languages="eng")
    assert [*made.frame()["language"]] == ["eng_Latn"] * 6
    (recipe / "answer.j2").write_text(f"Speak: {TEMPLATE}")
    spy.answer(lambda _: EngineError("no engine today"))
    with pytest.raises(EngineError):
        run(recipe, per_language=5, languages="eng")
    assert made.frame().is_empty()
    spy.answer(user)
    assert run(recipe, per_language=5, languages="eng").frame()["answer"].str.starts_with("Speak:").all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\0" * 90,
        '{"format": 1}',
        '{"format": 1, "recipe": null}',
        '{"format": 1, "recipe": {}, "languages": [1]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_run_json_is_written_anew(
    recipe: Path, spy: State, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    before = contents(made := run(recipe, per_language=60, languages="eng"))
    whole, asked = made.info(), len(spy.asked)
    path = made.folder / "run.json"
    path.write_text(text)
    for command in (["show"], ["report"], ["export", "-o", str(recipe / "x")], ["filter", "-o", "y"]):
        assert main([command[0], str(made.folder), *command[1:]]) != 0
        assert "Traceback" not in capsys.readouterr().err
    with caplog.at_level(logging.WARNING):
        again = run(recipe, per_language=60, languages="eng")
    (line,) = [r.getMessage() for r in caplog.records]
    assert line.startswith(f"{path}: ")
    assert line.endswith("; it is written anew")
    assert contents(again) == before
    assert again.info() == whole
    assert len(spy.asked) == asked


def test_sizes_of_shards_are_found_again_where_run_json_is_lost(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=100, languages="eng")
    whole = made.info()
    (made.folder / "run.json").unlink()
    again = run(recipe, per_language=400, languages="eng")
    assert [again.info()[name] for name in ("shard_size", "first_shard")] == [
        whole[name] for name in ("shard_size", "first_shard")
    ]
    assert len({r.key for r in spy.asked}) == len(spy.asked)


def test_run_json_of_a_later_version_is_refused(recipe: Path, spy: State) -> None:
    made = run(recipe, per_language=5, languages="eng")
    info = {**made.info(), "format": 2}
    (made.folder / "run.json").write_text(json.dumps(info))
    with pytest.raises(GlotmillError, match="format 2; this version reads 1"):
        run(recipe, per_language=5, languages="eng")
