"""Whole runs on real vLLM: two steps, refill, resume, a prompt that is too long among good ones."""

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import glotmill

# vLLM's own: it uses what torch is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore")

ENGINE = {"max_num_seqs": 64, "max_model_len": 512}


def keys(folder: Path) -> Counter[str]:
    lines = [line for path in folder.glob("replies/*.jsonl") for line in path.read_text("utf-8").splitlines()]
    return Counter(json.loads(line)["key"] for line in lines)


def test_two_steps_refill_and_resume(tmp_path: Path) -> None:
    languages = ["fra", "arb"]
    run = glotmill.run(
        "instruction", languages=languages, per_language=5, engine="vllm", engine_args=ENGINE, folder=tmp_path
    )
    assert run.frame().group_by("language").len().sort("language").rows() == [
        ("arb_Arab", 5),
        ("fra_Latn", 5),
    ]
    first = run.frame()["id"].to_list()
    before = keys(tmp_path)
    run = glotmill.run(
        "instruction",
        languages=languages,
        per_language=12,
        engine="vllm",
        engine_args=ENGINE,
        folder=tmp_path,
    )
    after = keys(tmp_path)
    assert run.frame().height == 24
    assert set(first) < set(run.frame()["id"])
    assert before < after
    assert max(after.values()) == 1


def test_a_prompt_that_is_too_long_fails_alone_and_structured_replies_fit(tmp_path: Path) -> None:
    recipe = tmp_path / "grades"
    recipe.mkdir()
    schema = "{type: object, properties: {score: {type: integer, minimum: 1, maximum: 5}}, required: [score]}"
    (recipe / "recipe.yaml").write_text(
        "about: Grades.\nseeds: seeds.jsonl\nsteps:\n"
        f"  - {{generate: grade, n: 2, temperature: 1, max_tokens: 64, schema: {schema}}}\n"
        "output: {columns: [text, grade]}\n"
    )
    (recipe / "grade.j2").write_text("Grade this: {{ text }}")
    texts = ["a good day", "far too long " * 2000, "rain", "bread", "a tree", "the sea", "snow", "a road"]
    (recipe / "seeds.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    run = glotmill.run(
        recipe, languages=["eng"], per_language=14, engine="vllm", engine_args=ENGINE, folder=tmp_path / "run"
    )
    rows = run.rows().collect()
    failed = rows.filter(verdict="failed")
    assert failed["reason"].unique().to_list() == ["prompt_too_long"]
    assert failed["text"].unique().to_list() == [texts[1]]
    kept = rows.filter(verdict="kept")
    assert kept["grade"].struct.field("score").is_between(1, 5).all()
    assert kept.group_by("text").agg(pl.col("id").n_unique())["id"].max() >= 2  # type: ignore[operator]
