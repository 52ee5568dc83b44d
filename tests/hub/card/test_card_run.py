"""What a card says of one run."""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from carded import RECIPE, front, made
from empty_facts import length_summary, run_facts

import glotmill
from glotmill.errors import ShortfallError
from glotmill.hub.card.card import card, validate
from glotmill.hub.card.run_section import tokens
from glotmill.recipes.read import read_recipe
from glotmill.report.run_facts import Lengths
from glotmill.runner.funnel import Funnel
from glotmill.runner.run_folder import Run


def test_what_is_known_of_a_run(run: Run) -> None:
    text = card(run, repo="org/name")
    assert "| `question` | asks the model" in text
    assert "`temperature=0.5`" in text
    assert "| `length` | `answer` | steps | `min_chars=3" in text
    assert "No filter compared the language" in text
    assert "- **Seeds**: unknown: the recipe does not say" in text
    assert "A \\[paper\\]" in text
    assert "assistant is `answer`; `word`: from the seeds." in text
    assert str(run.folder) not in text
    assert "/tmp" not in text


def test_lost_rows_and_limits_are_told(tmp_path: Path) -> None:
    strict = RECIPE.replace("output:", "  - {filter: language, of: answer}\nfloor: 0.5\npasses: 1\noutput:")
    strict = strict.replace(
        "seeds: seeds.jsonl", "seeds: seeds.jsonl\nseeds_license: cc0-1.0\ntasks: [translation]"
    )
    with pytest.raises(ShortfallError):
        made(tmp_path, languages=["eng", "hin"], word="the sun shines on the green hills of", recipe=strict)
    text = card(Run(tmp_path / "run"))
    counts = r"\d+ \| (\d+) \| \1 \| \1 \| \1 \| 0 \| 0 \| –"
    assert re.search(rf"\| `hin_Deva` \| {counts} \| \1 wrong_(language|script)", text)
    assert re.search(r"\| `hin_Deva` \| (\d+) \| 0 \|", text), "rows into and out of the filter"
    assert "- No row was accepted: `hin_Deva`." in text
    assert "Fewer than 100 rows" in text
    assert "- **Seeds**: cc0-1.0, as the recipe says" in text
    assert front(text)["task_categories"] == ["translation"]
    assert front(text)["multilinguality"] == ["monolingual"]
    assert front(text)["language"] == ["en"]


def test_a_long_option_is_cut(tmp_path: Path) -> None:
    text = card(
        made(tmp_path, languages=["fra"], settings=[f"steps.answer.stop=[{'x' * 300}]"], per_language=1)
    )
    steps = text[text.index("### Steps") : text.index("### Filters")]
    assert f'stop=["{"x" * 118}…`' in steps


def test_tokens_of_accepted_rows() -> None:
    counted = {"fra_Latn": length_summary(mean=10.4), "swh_Latn": length_summary(mean=0.0)}
    funnel = [Funnel(tag, 5, 5, 5, 5, 5, 5, accepted=5) for tag in counted]
    facts = run_facts(lengths={"tokens": Lengths(10, counted)}, funnel=funnel)
    assert tokens(facts) == {"fra_Latn": 52}, "none were counted in the other"


def test_a_licence_of_other_seeds_is_not_known(tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"word": "moon"}\n')
    licensed = RECIPE.replace("seeds: seeds.jsonl", "seeds: seeds.jsonl\nseeds_license: cc0-1.0")
    text = card(made(tmp_path, languages=["eng"], recipe=licensed, seeds=str(other), per_language=1))
    assert "cc0-1.0" not in text
    assert "- **Seeds**: unknown: these are not the seeds of the recipe" in text
    assert "--seeds other.jsonl" in text


@pytest.mark.parametrize(
    ("name", "other"), [("dialogue", "fra_Latn"), ("instruction", "spa_Latn"), ("reasoning", "deu_Latn")]
)
def test_recipes_that_ship(name: str, other: str, tmp_path: Path) -> None:
    """Their own words on a run: a setting is told in the command, an unreviewed template among the limits."""
    recipe = read_recipe(name)
    assert recipe.seeds_license
    assert recipe.tasks
    step = next(s.name for s in recipe.live_steps if hasattr(s, "generate"))
    tags = [other]
    options: dict[str, Any] = {"engine": "echo", "per_language": 1, "folder": tmp_path / "run"}
    settings = [f"steps.{step}.temperature=0.25", "passes=1", "floor=1"]
    with pytest.raises(ShortfallError):  # none of it is an answer
        glotmill.run(name, languages=tags, settings=settings, **options)
    run = Run(tmp_path / "run")
    keep_one(run, recipe.output.columns)
    text = card(run, repo="org/name")
    assert validate(text) == []
    assert f"glotmill run {name} --languages {','.join(tags)} --per-language 1" in text
    assert "--set steps.0.temperature=0.25" in text
    assert re.search(rf"The template \w+\.{other[:3]}\.j2 .* by a second native speaker.*`{other}`", text)
    assert "- **Seeds**: apache-2.0, as the recipe says" in text


def keep_one(run: Run, columns: list[str]) -> None:
    """A dataset of one row, where none was accepted."""
    tag = run.info()["languages"][0]
    (run.folder / "dataset" / tag).mkdir(parents=True)
    row = {"id": ["1"], "language": [tag], "messages": [[{"role": "user", "content": "Hello"}]]}
    frame = pl.DataFrame({**row, **{c: ["x"] for c in columns if c not in row}})
    frame.write_parquet(run.folder / "dataset" / tag / "train-00000-of-00001.parquet")
