"""Seed rows from every kind of source."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from spy import write

from glotmill.errors import RecipeError, UsageError
from glotmill.recipes import recipe
from glotmill.recipes.read import read_recipe
from glotmill.recipes.seeds import Seeds, frame, open_seeds

PLAIN = "about: A test.\nseeds: SEEDS\nsteps: [{generate: draft}]\noutput: {columns: [draft]}\n"


def read(folder: Path, seeds: str = "{rows: [{topic: x}]}", template: str = "{{ topic }}") -> recipe.Recipe:
    return read_recipe(write(folder / "mine", PLAIN.replace("SEEDS", seeds), draft=template))


def rows(seeds: Seeds, stop: int = 99, language: str = "eng_Latn", passes: int = 1) -> list[Any]:
    return [row for _, _, row in seeds.take(language, 0, stop, passes)]


def written(path: Path, text: str | bytes) -> str:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.jsonl", '{"topic": "x", "n": "1"}\n\n{"topic": "é", "n": null}\n'),
        ("s.jsonl", '\ufeff{"topic": "x", "n": "1"}\r\n{"topic": "é", "n": null}'),
        ("s.csv", "topic,n\nx,1\né,\n"),
        ("s.csv", '\ufefftopic,n\r\nx,1\r\n"é",\r\n'),
        ("s.txt", '{"topic": "x", "n": "1"}\n{"topic": "é", "n": null}\n'),
    ],
)
def test_files_of_text(tmp_path: Path, name: str, text: str) -> None:
    seeds = open_seeds(read(tmp_path), written(tmp_path / name, text))
    assert rows(seeds) == [{"topic": "x", "n": "1"}, {"topic": "é", "n": None}]
    assert seeds.schema == {"topic": pl.String, "n": pl.String}


def test_an_id_of_the_seeds_own_is_kept_as_seed_id(tmp_path: Path) -> None:
    seeds = open_seeds(read(tmp_path, "{rows: [{id: 7, topic: x}, {id: 8, topic: y}]}"))
    assert rows(seeds) == [{"seed_id": 7, "topic": "x"}, {"seed_id": 8, "topic": "y"}]
    with pytest.raises(RecipeError, match="column 'id' is one that glotmill makes"):
        open_seeds(read(tmp_path / "both", "{rows: [{id: 7, seed_id: 1, topic: x}]}"))


def test_parquet(tmp_path: Path) -> None:
    table = pl.DataFrame({"topic": ["x", None], "n": [1, 2], "l": [["a"], []], "s": [{"a": 1}, {"a": None}]})
    table.write_parquet(tmp_path / "s.parquet")
    seeds = open_seeds(read(tmp_path), str(tmp_path / "s.parquet"))
    assert rows(seeds) == table.to_dicts()
    assert seeds.schema == table.schema


def test_a_file_beside_the_recipe_and_one_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = read(tmp_path, "s.jsonl")
    written(recipe.folder / "s.jsonl", '{"topic": "of the recipe"}')
    written(tmp_path / "s.jsonl", '{"topic": "of the user"}')
    monkeypatch.chdir(tmp_path)
    assert rows(open_seeds(recipe)) == [{"topic": "of the recipe"}]
    assert rows(open_seeds(recipe, "s.jsonl")) == [{"topic": "of the user"}]


def test_a_text_a_line(tmp_path: Path) -> None:
    lines = ["{{ 7*7 }}", "{% include 'x' %}", "the sea", "海", "{'not': json}"]
    seeds = open_seeds(read(tmp_path), written(tmp_path / "s.txt", "\n".join(lines) + "\n\n"))
    assert rows(seeds) == [{"topic": line} for line in lines]


def test_a_text_a_line_fills_one_variable_only(tmp_path: Path) -> None:
    path = written(tmp_path / "s.txt", "the sea\n")
    with pytest.raises(RecipeError, match=r"s.txt: plain lines can fill one variable.*mood, topic"):
        open_seeds(read(tmp_path, template="{{ topic }} {{ mood }}"), path)
    with pytest.raises(RecipeError, match=r"the templates read none"):
        open_seeds(read(tmp_path, template="hi"), path)


@pytest.mark.parametrize("text", ["the sea\nthe moon\n", '{"topic": "the sea"}\n{"topic": "the moon"}\n'])
def test_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    seeds = open_seeds(read(tmp_path), "-")
    assert seeds.location == "stdin"
    assert rows(seeds) == [{"topic": "the sea"}, {"topic": "the moon"}]


def test_a_table_in_the_recipe(tmp_path: Path) -> None:
    assert rows(open_seeds(read(tmp_path, "{rows: [{topic: x, n: 1}, {topic: y}]}"))) == [
        {"topic": "x", "n": 1},
        {"topic": "y"},
    ]


def test_draw_the_whole_product(tmp_path: Path) -> None:
    seeds = rows(open_seeds(read(tmp_path, "{draw: {topic: [a, b, c], n: [1, 2]}}")))
    pairs = [(row["topic"], row["n"]) for row in seeds]
    assert sorted(pairs) == [(t, n) for t in "abc" for n in (1, 2)]
    assert pairs != sorted(pairs)
    other = rows(open_seeds(read(tmp_path, "{draw: {topic: [a, b, c], n: [1, 2]}, random_seed: 7}")))
    assert other != seeds
    assert rows(open_seeds(read(tmp_path, "{draw: {topic: [a, b, c], n: [1, 2]}}"))) == seeds


def test_draw_some(tmp_path: Path) -> None:
    huge = "{draw: {topic: [a, b, c], n: [1, 2]}, size: 1000000}"
    seeds = open_seeds(read(tmp_path, huge))
    assert len(seeds.take("eng_Latn", 0, 50, 1)) == 50
    assert len({hash_ for _, hash_, _ in seeds.take("eng_Latn", 0, 50, 1)}) == 50, (
        "equal rows stay different rows"
    )


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ("{draw: {topic: []}}", "seeds.draw.topic: an empty list"),
        (
            "{draw: {a: &l [1,2,3,4,5,6,7,8,9,10], b: *l, c: *l, d: *l, e: *l, f: *l, g: *l}}",
            "10,000,000 combinations",
        ),
        ("missing.jsonl", "missing.jsonl: no such file or folder; give a file"),
        ("{rows: [{topic: x, row: 3}]}", "row 1: column 'row' is one that glotmill makes; rename it"),
        ("{rows: [{topic: x}, {topic: x, feedback: y}]}", "row 2: column 'feedback'"),
        ("{rows: [{topic: x, language: klingon}]}", "row 1: .*klingon"),
        ("{rows: [{topic: x}, {topic: [x]}]}", "the rows do not share one schema"),
        ("{rows: [{topic: {}}]}", "cannot be kept"),
    ],
)
def test_seeds_that_do_not_fit(tmp_path: Path, seeds: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_seeds(read(tmp_path, seeds))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.jsonl", '{"topic": "x"}\n{"topic": ', r"s.jsonl:2: not JSON"),
        ("s.jsonl", "[1]", "s.jsonl:1: a list; write one object a line"),
        ("s.jsonl", b'{"topic": "caf\xe9"}', "s.jsonl:1: not UTF-8 at byte 14"),
        ("s.jsonl", "", "no seed row"),
        ("s.jsonl", "[" * 100_000, "not JSON"),
        ("s.csv", "topic,n\nx\n", "s.csv:2: the header has 2 cells, this row 1"),
        ("s.csv", "topic,n\nx,1,2\n", "s.csv:2: the header has 2 cells, this row 3"),
        ("s.csv", "topic,topic\nx,1\n", "s.csv:1: two columns are named 'topic'"),
        ("s.csv", b"topic\ncaf\xe9\n", "s.csv:2: not UTF-8 at byte 3"),
        ("s.csv", 'topic\n"x\n', "s.csv"),
        ("s.txt", '{"topic": "x",}\n', "s.txt:1: not JSON"),
        ("s.parquet", "no", "not parquet"),
        ("s.xlsx", "no", "unknown kind of file '.xlsx'"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_seeds(read(tmp_path), written(tmp_path / name, text))


def test_a_row_may_bring_its_language(tmp_path: Path) -> None:
    lines = [
        {"topic": "a", "language": "sw"},
        {"topic": "b"},
        {"topic": "c", "language": "fra"},
        {"topic": "d", "language": None},
    ]
    path = written(tmp_path / "s.jsonl", "\n".join(map(json.dumps, lines)))
    seeds = open_seeds(read(tmp_path), path)
    assert "language" not in seeds.schema
    topics = {
        tag: [r["topic"] for r in rows(seeds, language=tag)] for tag in ("swh_Latn", "fra_Latn", "deu_Latn")
    }
    assert topics == {"swh_Latn": ["a", "b", "d"], "fra_Latn": ["b", "c", "d"], "deu_Latn": ["b", "d"]}


def test_passes_and_places(tmp_path: Path) -> None:
    seeds = open_seeds(read(tmp_path, "{rows: [{topic: a}, {topic: b}, {topic: a}]}"))
    taken = seeds.take("eng_Latn", 0, 8, 2)
    assert [(number, row["topic"]) for number, _, row in taken] == [(0, t) for t in "aba"] + [
        (1, t) for t in "aba"
    ]
    assert len({hash_ for _, hash_, _ in taken}) == 3
    assert seeds.take("eng_Latn", 4, 8, 2) == taken[4:]
    assert seeds.take("eng_Latn", 6, 9, 2) == []


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    text = "".join(f'{{"topic": "{n}"}}\n' for n in range(3000)) + "broken\n"
    seeds = open_seeds(read(tmp_path), written(tmp_path / "s.jsonl", text))
    assert len(seeds.take("eng_Latn", 0, 3000, 1)) == 3000
    with pytest.raises(UsageError, match=r"s.jsonl:3001: not JSON"):
        seeds.take("eng_Latn", 3000, 3001, 1)


def test_nothing_is_bent_to_fit_a_column() -> None:
    schema = pl.Schema({"n": pl.Int64, "t": pl.String, "s": pl.Struct({"a": pl.Int64})})
    fine = [{"n": 1, "t": 1.5, "s": {"a": 1}}, {"t": "x"}, {"n": None, "s": None, "language": "eng_Latn"}]
    assert frame(fine, schema).height == 3
    for wrong in (
        {"n": 1.5},
        {"n": "x"},
        {"n": 2**70},
        {"s": {"a": "x"}},
        {"s": {"b": 1}},
        {"t": [1]},
        {"u": 1},
    ):
        with pytest.raises(RecipeError, match=r"seeds: (column|a later row)"):
            frame([wrong], schema)


def test_half_characters_become_question_marks(tmp_path: Path) -> None:
    path = written(tmp_path / "s.jsonl", '{"topic": "a\\ud800", "more": ["\\udfff"]}')
    assert rows(open_seeds(read(tmp_path), path)) == [{"topic": "a?", "more": ["?"]}]


@pytest.mark.parametrize("spec", ["someone/topics", "someone/topics-v1.5", "hf://datasets/someone/topics"])
def test_a_dataset_of_the_hub_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    import datasets

    pl.DataFrame({"topic": ["a", "b"], "id": [1, 2]}).write_parquet(tmp_path / "d.parquet")
    builder = datasets.load_dataset_builder("parquet", data_files=[str(tmp_path / "d.parquet")])
    calls: list[Any] = []

    def load(name: str, config: str | None, revision: str | None) -> datasets.DatasetBuilder:
        calls.append((name, config, revision))
        return builder

    monkeypatch.setattr(datasets, "load_dataset_builder", load)
    name = spec.removeprefix("hf://datasets/")
    recipe = read(tmp_path, "{dataset: " + json.dumps(spec) + ", config: main, columns: [topic]}")
    assert rows(open_seeds(recipe)) == [{"topic": "a"}, {"topic": "b"}]
    seeds = open_seeds(recipe, spec)
    assert rows(seeds) == [{"topic": "a", "seed_id": 1}, {"topic": "b", "seed_id": 2}]
    assert seeds.location == name
    seeds = open_seeds(recipe, f"hf://{name}@v1/other")
    assert seeds.location == f"hf://{name}@v1/other"
    assert calls == [(name, "main", None), (name, None, None), (name, "other", "v1")]


def test_a_folder_as_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    written(tmp_path / "data" / "train.jsonl", '{"topic": "a"}\n{"topic": "b"}\n')
    seeds = open_seeds(read(tmp_path, f"{{dataset: {tmp_path / 'data'}}}"))
    assert rows(seeds) == [{"topic": "a"}, {"topic": "b"}]


def test_a_dataset_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"nothing: no such dataset: .*; check the id"):
        open_seeds(read(tmp_path, f"{{dataset: {tmp_path / 'nothing'}}}"))
