"""What is found before a model is loaded."""

from pathlib import Path
from typing import Any

import pytest
from spy import write

from glotmill.errors import RecipeError
from glotmill.languages import find
from glotmill.recipes.read import read_recipe
from glotmill.recipes.seeds import open_seeds
from glotmill.runner import check
from glotmill.runner.shard import LanguagePlan

PLAIN = """
about: A test.
seeds: {rows: [{topic: the sea, expected: 3, prompt: p}]}
steps:
  - {generate: draft}
  - {filter: length, of: draft}
  - {generate: answer, as: turns}
  - {transform: sides, of: answer}
finish: [{filter: duplicates, of: draft}]
output: {messages: {user: draft, assistant: topic}, columns: [speaker]}
"""
OWN = """
import polars as pl
def retype(rows): return rows.with_columns(topic=pl.lit(1))
def forget(rows): return rows.drop("id")
def none(rows): return None
def twins(rows): return pl.concat([rows, rows])
def broken(rows): return rows.nothing
def fine(rows, *, name="x"): return rows.with_columns(pl.lit("v").alias(name))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own_transforms.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    texts = {"draft": "{{ topic }}", "answer": "{{ draft }} {{ draft_tokens }}"}
    made = write(tmp_path / "mine", PLAIN, **texts)
    (tmp_path / "outside.j2").write_text("{{ topic }}")
    (made / "shown.jsonl").write_text('{"text": "a"}\n{"text": "b\u2028c"}\n')
    return made


def plan(folder: Path, *settings: str, language: str = "eng", seeds: str | None = None) -> LanguagePlan:
    read = read_recipe(folder, settings)
    return check.plan(read, find(language), open_seeds(read, seeds), "m")


def test_a_recipe_that_fits(folder: Path) -> None:
    made = plan(folder)
    assert made.templates.keys() == {"draft", "answer"}
    assert made.seed_schema.names() == ["topic", "expected", "prompt"]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{ topik }}", r"steps.0 \(generate draft\): .*draft.j2: no column 'topik'; did you mean 'topic'"),
        ("{{ zzz }}", r"draft.j2: no column 'zzz'; choose from .*topic"),
        ("{{ answer }}", "no column 'answer'.*'answer' is made by a later step, move that step up"),
        ("{{ answer_prompt }}", "'answer_prompt' is made by a later step"),
        ("{{ draft }}", "no column 'draft'"),
        ("{{ examples }}", "reads 'examples', but the step provides none; add `examples:`"),
        ("{{ language.endonim }}", "a language has no 'endonim'"),
        ("{% include '../x.j2' %}", "may use only their own folder"),
    ],
)
def test_templates_that_do_not_fit(folder: Path, template: str, told: str) -> None:
    (folder / "draft.j2").write_text(template)
    with pytest.raises(RecipeError, match=told) as error:
        plan(folder)
    assert str(error.value).startswith(str(folder))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            ["steps.length.filter=lenght"],
            r"recipe.yaml: steps.1 \(filter lenght\): no filter named 'lenght'; did you mean 'length'",
        ),
        (["steps.length.mim_chars=2"], "no option 'mim_chars'; did you mean 'min_chars'"),
        (["steps.length.of=drat"], "filter length of 'drat'"),
        (["steps.length.of="], "steps.1"),
        (["steps.length.of=answer"], "'answer' is made by a later step"),
        (["steps.length.min_chars=many"], "filter length: option 'min_chars' is 'many'; give a number"),
        (
            ["steps.sides.transform=side"],
            r"steps.3 \(transform side\): no transform named 'side'; did you mean 'sides'",
        ),
        (["steps.sides.system=[a]"], "transform sides: system: 1 columns"),
        (["steps.sides.of=draft"], "transform sides: draft is String, not turns"),
        (["steps.sides.of=nothing"], "transform sides: "),
        (["steps.3={transform: 'own_transforms:retype'}"], "changes 'topic' from String to Int"),
        (
            ["steps.3={transform: 'own_transforms:forget'}"],
            "must return a table that keeps id, row, language",
        ),
        (["steps.3={transform: 'own_transforms:none'}"], "must return a table"),
        (["steps.3={transform: 'own_transforms:broken'}"], "own_transforms:broken: .*nothing"),
        (["steps.3={transform: 'own_transforms:fine', nmae: y}"], "no option 'nmae'; did you mean 'name'"),
        (["steps.draft.generate=topic", "steps.topic.template=draft"], "the column 'topic' exists already"),
        (["steps.draft.generate=feedback", "steps.feedback.template=draft"], "'feedback' exists already"),
        (["steps.draft.generate=finish", "steps.finish.template=draft"], "'finish' exists already"),
        (["steps.draft.template=missing"], "no template missing.j2; the folder has answer.j2, draft.j2"),
        (["steps.draft.template=../outside"], "may use only their own folder"),
        (["steps.answer.schema.type=object"], "`as: turns` and `schema` together"),
        (["steps.draft.schema.type=objekt"], "schema: 'objekt' is not valid"),
        (["steps.draft.schema.properties=[1]"], "schema: "),
        (["steps.draft.expect=[{filter: lenght}]"], r"steps.0 \(generate draft\): no filter named 'lenght'"),
        (["steps.draft.expect=[{filter: length, of: nothing}]"], "filter length of 'nothing'"),
        (
            ["steps.draft.skip=true"],
            "column .draft.*'draft' is made by a step that is skipped: --set steps.draft.skip=false",
        ),
        (["steps.draft.examples.file=none.jsonl"], "no file none.jsonl"),
        (["steps.draft.examples.file=../mine/../own_transforms.py"], "no file"),
        (
            ["steps.draft.examples.file=shown.jsonl", "steps.draft.examples.n=3"],
            "2 examples; the step shows 3",
        ),
        (
            ["finish=[{filter: length, of: draft}, {filter: duplicates, of: draft}]"],
            "finish: duplicates: move it above 'length'",
        ),
        (["finish=[{filter: duplicates}]"], "finish: duplicates: add `of:`"),
        (["finish=[{filter: duplicates, of: nothing}]"], "finish: filter duplicates of 'nothing'"),
        (
            ["finish=[{filter: duplicates, of: draft, within: topic}]"],
            "`within` can only be the language",
        ),
        (
            ["finish=[{filter: length, of: draft, min_char: 3}]"],
            "finish: filter length: no option 'min_char'",
        ),
        (["output.columns=[drat]"], "output: no column 'drat'; did you mean 'draft'"),
        (["output={}"], "output: no `messages` and no `columns`"),
        (["output.messages={assistant: answer}"], "output.messages.assistant: 'answer' is List"),
        (["output.columns=[messages]"], "output: `messages` twice"),
    ],
)
def test_recipes_that_do_not_fit(folder: Path, settings: list[str], told: str) -> None:
    with pytest.raises(RecipeError, match=told) as error:
        plan(folder, *settings)
    assert str(error.value).startswith(str(folder))
    assert "Traceback" not in str(error.value)


def test_a_language_that_no_detector_knows(folder: Path) -> None:
    language = "steps.length={filter: language, of: draft}"
    assert plan(folder, language)
    with pytest.raises(RecipeError, match=r"none knows ewe_Latn .*--set steps.language.skip=true"):
        plan(folder, language, language="ewe")
    with pytest.raises(RecipeError, match="none knows ewe_Latn"):
        plan(folder, "steps.draft.expect=[{filter: language}]", language="ewe")
    assert plan(folder, "steps.length={filter: language, of: draft, unjudged: keep}", language="ewe")


def test_seeds_without_a_needed_column(folder: Path) -> None:
    (folder / "s.csv").write_text("theme\nthe sea\n")
    with pytest.raises(RecipeError, match="no column 'topic'"):
        plan(folder, seeds=str(folder / "s.csv"))


def test_a_column_of_the_seeds_called_prompt_lasts_through_expect(folder: Path) -> None:
    (folder / "answer.j2").write_text("{{ prompt }} {{ draft }}")
    assert plan(folder, "steps.draft.expect=[{filter: echo, source: prompt}]")


def test_what_expect_measures_can_be_used(folder: Path) -> None:
    (folder / "answer.j2").write_text("{{ draft_script_share }}")
    assert plan(folder, "steps.draft.expect=[{filter: script}]")


def test_examples_are_lines_of_json_whatever_is_in_them(folder: Path) -> None:
    (folder / "draft.j2").write_text("{% for e in examples %}{{ e.text }}{% endfor %}{{ topic }}")
    made = plan(folder, "steps.draft.examples={file: shown.jsonl, n: 2}")
    assert [row["text"] for row in made.examples["draft"]] == ["a", "b\u2028c"]


def test_a_single_template_is_named_in_its_errors(tmp_path: Path) -> None:
    (tmp_path / "poem.j2").write_text("{{ topic }}")
    (tmp_path / "s.csv").write_text("theme\nthe sea\n")
    read = read_recipe(tmp_path / "poem.j2")
    with pytest.raises(RecipeError, match=r"^\S+poem.j2: steps.0 \(generate reply\): .*no column 'topic'"):
        check.plan(read, find("eng"), open_seeds(read, str(tmp_path / "s.csv")), "m")


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ([], True),
        (["about=x"], True),
        (["steps.length.min_chars=3"], False),
        (["steps.draft.temperature=1"], False),
    ],
)
def test_the_digest_of_a_shard(folder: Path, change: list[str], same: bool) -> None:
    seeds: list[Any] = [(0, "a", {}), (0, "b", {})]
    digest = plan(folder).digest(seeds)
    assert (plan(folder, *change).digest(seeds) == digest) == same
    assert plan(folder).digest(seeds[:1]) != digest
    assert plan(folder, language="fra").digest(seeds) != digest
    (folder / "answer.j2").write_text("Other {{ draft }}")
    assert plan(folder).digest(seeds) != digest
