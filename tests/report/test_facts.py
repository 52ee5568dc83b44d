"""The numbers of a run: each is counted here a second time, row by row and line by line."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import glotmill
from glotmill.errors import ShortfallError, UsageError
from glotmill.report.facts import facts
from glotmill.report.row_measures import BATCH
from glotmill.report.run_facts import RunFacts
from glotmill.runner.run_folder import Run

RECIPE = """
about: Facts.
papers: [A paper]
seeds: {draw: {word: [sun, moon, rain], number: [1, 2, 3, 4, 5, 6]}}
passes: 40
floor: 0
steps:
  - generate: question
    temperature: 0.5
    tries: 2
    expect: [{filter: length, min_chars: 13}]
  - {filter: at_least, of: number, value: 2}
  - generate: answer
  - {filter: language, of: answer, detectors: [py3langid], unjudged: keep}
finish: [{filter: duplicates, of: question, also: [answer]}]
output: {messages: {user: question, assistant: answer}, columns: [word]}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("facts") / "counting"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "question.j2").write_text("Is {{ word }} {{ number }}{{ feedback and ' longer than before' }}?")
    (folder / "answer.j2").write_text(
        "{{ 'نعم، هذا صحيح تماما وقد قرأت عنه' if number == 3 else 'It is true, I have read of it' }}"
        ": {{ question }}"
    )
    options: dict[str, Any] = {"engine": "echo", "model": "/models/echo", "per_language": 30}
    run_folder = folder.parent / "run"
    with pytest.raises(ShortfallError):  # 15 rows pass the filters, then they are duplicates
        glotmill.run(folder, languages=["eng", "arb"], folder=run_folder, **options)
    return Run(run_folder)


@pytest.fixture(scope="module")
def run_facts(run: Run) -> RunFacts:
    return facts(run, 1.0, 3.0)


def journal(run: Run) -> list[dict[str, Any]]:
    lines = [line for path in run.folder.glob("replies/*.jsonl") for line in path.read_bytes().splitlines()]
    return [json.loads(line) for line in lines]


def test_its_json_is_plain_json(run_facts: RunFacts) -> None:
    values = run_facts.to_json()
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_the_keys_of_its_json(run_facts: RunFacts) -> None:
    """They are the user's: `glotmill report --json` prints them."""
    values = run_facts.to_json()
    assert " ".join(values) == (
        "recipe run model languages funnel shards lengths detected duplicates lost_at steps filters total"
    )
    counts = "asked_again tried_again prompt_tokens reply_tokens reasoning_tokens"
    spending = f"requests {counts} failed seconds cost"
    keys = {
        "recipe": "name about papers seeds_license tasks",
        "run": "folder per_language shard_size seeds passes floor",
        "model": "model engine engine_args revision versions",
        "total": f"requests failed {counts} seconds cost",
    }
    assert {name: " ".join(values[name]) for name in keys} == keys
    keys = {
        "languages": "tag name endonym script direction bcp47 iso639_1 iso639_3",
        "funnel": "language wanted requests seed_rows rows answered parsed dropped kept accepted "
        "in_dataset is_finished acceptance",
        "steps": f"name kind as template sampling n trials tries {spending}",
        "filters": "filter of place at options by_language",
    }
    assert {name: " ".join(values[name][0]) for name in keys} == keys
    assert " ".join(values["steps"][0]["seconds"]) == "sum mean median p95"
    assert " ".join(values["shards"]["eng_Latn"][0]) == "shard rows kept"
    assert " ".join(values["duplicates"]["eng_Latn"]) == "rows clusters"
    lengths = values["lengths"]["tokens"]
    assert " ".join(lengths) == "width languages"
    assert " ".join(lengths["languages"]["eng_Latn"]) == (
        "rows mean least p5 p25 median p75 p95 most histogram"
    )


def test_the_settings_of_the_run(run_facts: RunFacts) -> None:
    recipe = run_facts.recipe
    assert (recipe.name, recipe.about, list(recipe.papers)) == ("counting", "Facts.", ["A paper"])
    assert run_facts.model.model == "echo", "no path of this machine"
    assert run_facts.model.engine == "echo"
    assert [(language.tag, language.direction, language.bcp47) for language in run_facts.languages] == [
        ("eng_Latn", "ltr", "en"),
        ("arb_Arab", "rtl", "ar"),
    ]
    assert [counts.language for counts in run_facts.funnel] == ["eng_Latn", "arb_Arab"]


def test_acceptance_of_each_shard(run: Run, run_facts: RunFacts) -> None:
    for tag, shards in run_facts.shards.items():
        assert len(shards) > BATCH, "several batches"
        assert [counts.shard for counts in shards] == list(range(len(shards)))
        for counts in shards[:3]:
            rows = run.read_rows(f"{tag}-{counts.shard:05}")
            assert (counts.rows, counts.kept) == (rows.height, rows.filter(verdict="kept").height)


def test_lengths_of_the_texts_of_kept_rows(run: Run, run_facts: RunFacts) -> None:
    kept = run.rows("eng").filter(verdict="kept").collect()
    characters = sorted(len(q) + len(a) for q, a in kept.select("question", "answer").iter_rows())
    tokens = sorted(q + a for q, a in kept.select("question_tokens", "answer_tokens").iter_rows())
    for unit, expected in (("characters", characters), ("tokens", tokens)):
        lengths = run_facts.lengths[unit]
        summary = lengths.languages["eng_Latn"]
        assert (summary.rows, summary.least, summary.most) == (len(expected), expected[0], expected[-1])
        assert summary.mean == round(sum(expected) / len(expected), 1)
        assert summary.median in (expected[(len(expected) - 1) // 2], expected[len(expected) // 2])
        bins = Counter(length // lengths.width for length in expected)
        assert {number: count for number, count in enumerate(summary.histogram) if count} == bins


def test_requested_and_detected_languages(run: Run, run_facts: RunFacts) -> None:
    for tag in ("eng_Latn", "arb_Arab"):
        column = run.rows(tag).collect()["answer_language_detected"].drop_nulls()
        assert run_facts.detected["answer"][tag] == Counter(column)
    assert run_facts.detected["answer"]["eng_Latn"]["arb_Arab"] > 0


def test_copies_and_the_sizes_of_their_groups(run: Run, run_facts: RunFacts) -> None:
    rows = run.rows("eng").collect()
    copies = run_facts.copies["eng_Latn"]
    assert copies.rows == {"duplicate": rows.filter(reason="duplicate").height}
    originals = Counter(rows["question_duplicates_first"].drop_nulls())
    assert copies.clusters == Counter(count + 1 for count in originals.values())
    assert run_facts.lost_at["finish.question.duplicates"]["duplicate"] > 20


def test_spending_of_steps_is_that_of_the_journals(run: Run, run_facts: RunFacts) -> None:
    lines = journal(run)
    steps = {step.name: step for step in run_facts.steps}
    spending = {name: step.spending for name, step in steps.items() if step.spending}
    assert list(steps) == list(spending) == ["question", "answer"]
    for name, costs in spending.items():
        step_lines = [line for line in lines if line["step"] == name]
        assert costs.requests == len(step_lines)
        assert costs.prompt_tokens == sum(line["prompt_tokens"] for line in step_lines)
        assert costs.reply_tokens == sum(line["completion_tokens"] for line in step_lines)
        assert costs.seconds is not None
        seconds = sum(line["seconds"] for line in step_lines)
        assert costs.seconds.sum == pytest.approx(seconds, rel=0.01, abs=1e-3)
        assert costs.cost == pytest.approx((costs.prompt_tokens + 3 * costs.reply_tokens) / 1e6)
    assert spending["question"].asked_again == sum(line.get("sample", 0) for line in lines) > 0
    assert steps["question"].generation is not None
    assert steps["question"].generation.sampling == {"temperature": 0.5}
    assert run_facts.total.requests == len(lines)
    assert run_facts.total.cost == sum(costs.cost or 0 for costs in spending.values())


def test_filters_have_their_default_options_too(run_facts: RunFacts) -> None:
    length, number, language, copies = run_facts.filters
    assert (length.where, length.column) == ("expect of question", "question")
    assert length.options["min_chars"] == 13
    assert length.options["max_chars"] == 20_000
    assert (number.reason_at, number.options["value"]) == ("number.at_least", 2)
    assert language.options["max_foreign"] == 0.2
    assert copies.reason_at == "finish.question.duplicates"
    assert copies.options["also"] == ["answer"]


def unfinished(folder: Path, run: Run, output: dict[str, Any] | None = None) -> Run:
    """Write a run without rows. output: of its recipe."""
    values = {name: value for name, value in run.info().items() if name != "format"}
    if output:
        values["recipe"]["output"] = output
    copy = Run(folder)
    copy.write_info(values)
    return copy


def test_journals_without_steps_and_failed_requests(tmp_path: Path, run: Run) -> None:
    old = unfinished(tmp_path, run)
    lines: list[dict[str, Any]] = [
        {"key": "1", "text": "a", "prompt_tokens": 2, "completion_tokens": 3},
        {"key": "2", "step": "answer", "failure": "too_long", "finish_reason": "failed", "tries": 4},
        {
            "key": "3",
            "step": "answer",
            "text": "b",
            "prompt_tokens": 5,
            "completion_tokens": 7,
            "seconds": 2.5,
        },
    ]
    tries = [{"key": f"q{n}", "step": "question", "text": "a", "sample": n} for n in (0, 1, 2, 3)]
    lines += tries  # two of the first trial, two of the second
    (tmp_path / "replies").mkdir()
    path = tmp_path / "replies" / "eng_Latn-00000.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"key": "half')
    steps = facts(old).steps
    question, answer, unknown = (step.spending for step in steps)
    assert question is not None
    assert (question.requests, question.seconds, question.cost) == (4, None, None)
    assert question.asked_again == 2
    assert answer is not None
    assert (answer.requests, answer.failed, answer.tried_again) == (1, {"too_long": 1}, 3)
    assert answer.seconds is not None
    assert answer.seconds.p95 == 2.5
    assert unknown is not None
    assert (steps[2].name, steps[2].kind, unknown.reply_tokens, unknown.seconds) == ("", "unknown", 3, None)
    path.write_text("nothing\n")
    with pytest.raises(UsageError, match=r"eng_Latn-00000.jsonl: not a journal"):
        facts(old)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run here"):
        facts(Run(tmp_path))


def test_rows_that_cannot_be_read_are_refused(tmp_path: Path, run: Run) -> None:
    damaged = unfinished(tmp_path, run)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "arb_Arab-00003.parquet").write_bytes(b"half of a fi")
    with pytest.raises(UsageError, match=r"arb_Arab-00003.parquet: cannot be read: .*run the same"):
        facts(damaged)


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -1.0])
def test_a_price_is_a_number_from_0_up(run: Run, price: float) -> None:
    with pytest.raises(UsageError, match="not a price"):
        facts(run, None, price)


def test_a_price_of_no_model_is_refused(run: Run) -> None:
    with pytest.raises(UsageError, match=r"price of 'jugde': no such model in the recipe; it names none"):
        facts(run, {"jugde": 1.0})


def test_a_run_without_rows_has_facts(tmp_path: Path, run: Run) -> None:
    empty = facts(unfinished(tmp_path, run))
    assert empty.lengths["characters"].languages == {}
    assert empty.total.requests == 0
    assert json.loads(json.dumps(empty.to_json())) == empty.to_json()


def test_chats_are_measured(tmp_path: Path, run: Run) -> None:
    chats = unfinished(tmp_path, run, {"columns": ["messages", "notes", "number"]})
    row = {
        "language": "eng_Latn",
        "verdict": "kept",
        "reason": None,
        "reason_at": None,
        "messages": [{"role": "user", "content": "नमस्ते"}, {"role": "assistant", "content": "ok"}],
    }
    chats.write_rows("eng_Latn-00000", pl.DataFrame([row]))
    assert facts(chats).lengths["characters"].languages["eng_Latn"].most == len("नमस्ते") + 2


def test_the_last_bin_of_a_histogram_holds_everything_longer(tmp_path: Path, run: Run) -> None:
    answers = unfinished(tmp_path, run, {"columns": ["answer"]})
    kept = {"language": "eng_Latn", "verdict": "kept", "reason": None, "reason_at": None}
    texts = ["a" * 24] * 150 + ["a" * 5_000]
    answers.write_rows("eng_Latn-00000", pl.DataFrame([{**kept, "answer": text} for text in texts]))
    lengths = facts(answers).lengths["characters"]
    assert lengths.width == 1
    assert lengths.languages["eng_Latn"].histogram == [0] * 23 + [151]
