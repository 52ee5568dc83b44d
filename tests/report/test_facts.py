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
from glotmill.report.measures import BATCH
from glotmill.runner.folder import Run

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
    place = folder.parent / "run"
    with pytest.raises(ShortfallError):  # 15 rows pass the filters, then they are duplicates
        glotmill.run(folder, languages=["eng", "arb"], folder=place, **options)
    return Run(place)


@pytest.fixture(scope="module")
def found(run: Run) -> dict[str, Any]:
    return facts(run, 1.0, 3.0)


def journal(run: Run) -> list[dict[str, Any]]:
    lines = [line for path in run.folder.glob("replies/*.jsonl") for line in path.read_bytes().splitlines()]
    return [json.loads(line) for line in lines]


def test_it_is_plain_json(found: dict[str, Any]) -> None:
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_the_run_was(found: dict[str, Any]) -> None:
    recipe = found["recipe"]
    assert (recipe["name"], recipe["about"], recipe["papers"]) == ("counting", "Facts.", ["A paper"])
    assert found["model"]["model"] == "echo", "no place of this machine"
    assert found["model"]["engine"] == "echo"
    assert [(of["tag"], of["direction"], of["bcp47"]) for of in found["languages"]] == [
        ("eng_Latn", "ltr", "en"),
        ("arb_Arab", "rtl", "ar"),
    ]
    assert [of["language"] for of in found["funnel"]] == ["eng_Latn", "arb_Arab"]


def test_acceptance_of_each_shard(run: Run, found: dict[str, Any]) -> None:
    for tag, shards in found["shards"].items():
        assert len(shards) > BATCH, "several batches"
        assert [of["shard"] for of in shards] == list(range(len(shards)))
        for of in shards[:3]:
            rows = run.read_rows(f"{tag}-{of['shard']:05}")
            assert (of["rows"], of["kept"]) == (rows.height, rows.filter(verdict="kept").height)


def test_lengths_are_of_what_kept_rows_say(run: Run, found: dict[str, Any]) -> None:
    kept = run.rows("eng").filter(verdict="kept").collect()
    characters = sorted(len(q) + len(a) for q, a in kept.select("question", "answer").iter_rows())
    tokens = sorted(q + a for q, a in kept.select("question_tokens", "answer_tokens").iter_rows())
    for unit, real in (("characters", characters), ("tokens", tokens)):
        told = found["lengths"][unit]["languages"]["eng_Latn"]
        assert (told["rows"], told["least"], told["most"]) == (len(real), real[0], real[-1])
        assert told["median"] in (real[(len(real) - 1) // 2], real[len(real) // 2])
        width = found["lengths"][unit]["width"]
        assert {n: c for n, c in enumerate(told["histogram"]) if c} == Counter(n // width for n in real)


def test_asked_and_detected_languages(run: Run, found: dict[str, Any]) -> None:
    for tag in ("eng_Latn", "arb_Arab"):
        column = run.rows(tag).collect()["answer_language_detected"].drop_nulls()
        assert found["detected"]["answer"][tag] == Counter(column)
    assert found["detected"]["answer"]["eng_Latn"]["arb_Arab"] > 0


def test_copies_and_how_many_are_alike(run: Run, found: dict[str, Any]) -> None:
    rows = run.rows("eng").collect()
    told = found["duplicates"]["eng_Latn"]
    assert told["rows"] == {"duplicate": rows.filter(reason="duplicate").height}
    copies = Counter(rows["question_duplicates_first"].drop_nulls())
    assert told["clusters"] == {str(n): c for n, c in Counter(c + 1 for c in copies.values()).items()}
    assert found["lost_at"]["finish.question.duplicates"]["duplicate"] > 20


def test_steps_are_what_the_journals_tell(run: Run, found: dict[str, Any]) -> None:
    lines = journal(run)
    steps = {step["name"]: step for step in found["steps"]}
    assert list(steps) == ["question", "answer"]
    for name, step in steps.items():
        own = [line for line in lines if line["step"] == name]
        assert step["requests"] == step["answered"] == len(own)
        assert step["prompt_tokens"] == sum(line["prompt_tokens"] for line in own)
        assert step["reply_tokens"] == sum(line["completion_tokens"] for line in own)
        assert step["seconds"]["sum"] == pytest.approx(
            sum(line["seconds"] for line in own), rel=0.01, abs=1e-3
        )
        assert step["cost"] == pytest.approx((step["prompt_tokens"] + 3 * step["reply_tokens"]) / 1e6)
    assert steps["question"]["asked_again"] == sum(line.get("sample", 0) for line in lines) > 0
    assert steps["question"]["sampling"] == {"temperature": 0.5}
    assert found["total"]["requests"] == len(lines)
    assert found["total"]["cost"] == sum(step["cost"] for step in steps.values())


def test_filters_come_with_the_thresholds_that_were_not_said(found: dict[str, Any]) -> None:
    length, number, language, copies = found["filters"]
    assert (length["place"], length["of"], length["options"]["min_chars"]) == (
        "expect of question",
        "question",
        13,
    )
    assert length["options"]["max_chars"] == 20_000
    assert (number["at"], number["options"]["value"]) == ("number.at_least", 2)
    assert language["options"]["max_foreign"] == 0.2
    assert copies["at"] == "finish.question.duplicates"
    assert copies["options"]["also"] == ["answer"]


def test_journals_that_do_not_tell_and_requests_that_failed(tmp_path: Path, run: Run) -> None:
    info = run.info()
    old = Run(tmp_path)
    old.write_info({name: value for name, value in info.items() if name != "format"})
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
    question, answer, unknown = facts(old)["steps"]
    assert (question["requests"], question["seconds"], question["cost"]) == (4, None, None)
    assert question["asked_again"] == 2
    assert (answer["requests"], answer["failed"], answer["tried_again"]) == (2, {"too_long": 1}, 3)
    assert answer["seconds"]["p95"] == 2.5
    assert (unknown["name"], unknown["reply_tokens"], unknown["seconds"]) == ("", 3, None)
    path.write_text("nothing\n")
    with pytest.raises(UsageError, match=r"eng_Latn-00000.jsonl: not a journal"):
        facts(old)


def test_a_folder_without_a_run_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run here"):
        facts(Run(tmp_path))


def test_rows_that_cannot_be_read_are_told_of(tmp_path: Path, run: Run) -> None:
    Run(tmp_path).write_info({name: value for name, value in run.info().items() if name != "format"})
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "arb_Arab-00003.parquet").write_bytes(b"half of a fi")
    with pytest.raises(UsageError, match=r"arb_Arab-00003.parquet: cannot be read: .*remove it and run"):
        facts(Run(tmp_path))


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -1.0])
def test_a_price_is_a_price(run: Run, price: float) -> None:
    with pytest.raises(UsageError, match="no price"):
        facts(run, None, price)


def test_a_run_without_rows_has_facts(tmp_path: Path, run: Run) -> None:
    Run(tmp_path).write_info({name: value for name, value in run.info().items() if name != "format"})
    found = facts(Run(tmp_path))
    assert found["lengths"]["characters"]["languages"] == {}
    assert found["total"]["requests"] == 0


def test_chats_and_lists_are_measured(tmp_path: Path, run: Run) -> None:
    info = run.info()
    info["recipe"]["output"] = {"columns": ["messages", "notes", "number"]}
    made = Run(tmp_path)
    made.write_info({name: value for name, value in info.items() if name != "format"})
    row = {
        "language": "eng_Latn",
        "verdict": "kept",
        "reason": None,
        "reason_at": None,
        "messages": [{"role": "user", "content": "नमस्ते"}, {"role": "assistant", "content": "ok"}],
    }
    made.write_rows("eng_Latn-00000", pl.DataFrame([row]))
    assert facts(made)["lengths"]["characters"]["languages"]["eng_Latn"]["most"] == len("नमस्ते") + 2


def test_the_last_column_of_a_histogram_holds_all_that_is_longer(tmp_path: Path, run: Run) -> None:
    info = run.info()
    info["recipe"]["output"] = {"columns": ["answer"]}
    made = Run(tmp_path)
    made.write_info({name: value for name, value in info.items() if name != "format"})
    answers = ["a" * 24] * 150 + ["a" * 5_000]
    whole = {"language": "eng_Latn", "verdict": "kept", "reason": None, "reason_at": None}
    made.write_rows("eng_Latn-00000", pl.DataFrame([{**whole, "answer": of} for of in answers]))
    told = facts(made)["lengths"]["characters"]
    assert told["width"] == 1
    assert told["languages"]["eng_Latn"]["histogram"] == [0] * 23 + [151]
