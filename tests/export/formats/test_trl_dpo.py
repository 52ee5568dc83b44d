"""trl-dpo, as datasets loads it."""

from pathlib import Path
from typing import Any

import pytest
from finished import CHAT, SAID, chat, chats, finished, load, rows
from replies import FOREIGN, KEPT, REPEATS, Reply, answered, replies

from glotmill.errors import UsageError
from glotmill.export.export import export


def pairs(folder: Path, language: str | None = None) -> list[tuple[str, str, str]]:
    there = load(folder / "out", folder / "cache", language)["train"]
    return [(r["chosen"][0]["content"], r["rejected"][0]["content"], r["rejected_reason"]) for r in there]


def test_kept_against_rejected_in_every_script(tmp_path: Path) -> None:
    said = [[("good", KEPT), ("bad bad bad", REPEATS)], [("besser", KEPT)], [("mauvais", FOREIGN)]]
    made = finished(tmp_path / "run", {tag: replies(tag, said) for tag in SAID})
    export(made, tmp_path / "out", "trl-dpo")
    for tag, (question, _) in SAID.items():
        there = load(tmp_path / "out", tmp_path / "cache", tag)["train"]
        assert there.column_names == [
            *("id", "language", "prompt", "chosen", "rejected", "rejected_id", "rejected_reason", "topic")
        ]
        assert there[:] == {
            "id": [f"{tag[:3]}0000-0"],
            "language": [tag],
            "prompt": [[{"role": "user", "content": f"{question} (0)"}]],
            "chosen": [[{"role": "assistant", "content": "good"}]],
            "rejected": [[{"role": "assistant", "content": "bad bad bad"}]],
            "rejected_id": [f"{tag[:3]}0000-1"],
            "rejected_reason": ["repetition"],
            "topic": ["topic 0"],
        }


def test_each_rejected_once_with_kept_ones_in_turn(tmp_path: Path) -> None:
    said: list[Reply] = [(f"bad {n}", REPEATS) for n in range(3)]
    export(answered(tmp_path / "run", [[("A", KEPT), *said, ("B", KEPT)]]), tmp_path / "out", "trl-dpo")
    assert pairs(tmp_path) == [(a, f"bad {n}", "repetition") for n, a in enumerate("ABA")]


@pytest.mark.parametrize(
    ("text", "verdict", "reason", "at"),
    [
        (None, "failed", "timeout", "answer"),
        (None, "dropped", "not_json", "answer"),
        ("cut o", "dropped", "truncated", "answer"),
        ("cut o", "dropped", "truncated", "answer.truncated"),
        ("  \n", "dropped", "too_short", "answer.length"),
        ("good", "dropped", "repetition", "answer.repetition"),  # the same text as the kept one
        ("fine", "dropped", "duplicate", "answer.duplicates"),
        ("fine", "dropped", "duplicate", "finish.question.duplicates"),
        ("fine", "dropped", "not_selected", "finish.answer.select"),
        ("fine", "dropped", "no_detector", "answer.language"),
        ("fine", "dropped", "no_expected_number", "answer.final_number"),
        ("fine", "dropped", "wrong_language", "question.language"),
        ("fine", "dropped", "too_short", "topic.length"),
        ("fine", "dropped", "no_score", "score.at_least"),
        ("fine", "dropped", "disputed", "score.judge"),
        ("fine", "dropped", "not_json", "score"),
        ("fine", "dropped", "too_long", "score.length"),
        ("fine", "dropped", "left_out", "views"),
        ("me@example.org", "dropped", "pii_email", "answer.pii"),
        ("of a test", "dropped", "in_mgsm", "answer.decontaminate"),
    ],
)
def test_what_says_nothing_against_a_reply(
    tmp_path: Path, text: str | None, verdict: str, reason: str, at: str
) -> None:
    said: list[list[Reply]] = [[("good", KEPT), (text, (verdict, reason, at))]]
    made = answered(tmp_path / "run", said, score=lambda n: "{}", score_prompt=lambda n: "Judge.")
    with pytest.raises(UsageError, match=r"no row of .* fits this format; a prompt needs a kept"):
        export(made, tmp_path / "out", "trl-dpo")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "at", ["score.score.at_least", "score.judge", "answer_text.repetition", "finish.answer.language"]
)
def test_what_is_said_against_a_reply(tmp_path: Path, at: str) -> None:
    said: list[list[Reply]] = [[("good", KEPT), ("bad", ("dropped", "too_low", at))]]
    made = answered(
        tmp_path / "run", said, score=lambda n: "{}", score_prompt=lambda n: "x", answer_text=lambda n: "x"
    )
    export(made, tmp_path / "out", "trl-dpo")
    assert pairs(tmp_path) == [("good", "bad", "too_low")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [("A", "bad", "repetition")]),
        ({"score": "points"}, [("B", "bad", "repetition"), ("C", "A", "lower_score")]),
        ({"score": "judged.points"}, [("B", "bad", "repetition"), ("C", "A", "lower_score")]),
        (
            {"score": "points", "margin": 0.5},
            [("B", "bad", "repetition"), ("B", "A", "lower_score"), ("B", "C", "lower_score")],
        ),
    ],
)
def test_kept_against_kept_by_a_score(
    tmp_path: Path, given: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    said: list[list[Reply]] = [[("A", KEPT), ("B", KEPT), ("bad", REPEATS), ("C", KEPT)], [("D", KEPT)]]
    points = [2.0, 4.0, None, 3.5, 1.0]
    made = answered(
        tmp_path / "run", said, points=lambda n: points[n], judged=lambda n: {"points": str(points[n])}
    )
    export(made, tmp_path / "out", "trl-dpo", options=given)
    assert pairs(tmp_path) == expected


def test_a_lower_score_is_paired_with_one_that_is_higher_by_the_margin(tmp_path: Path) -> None:
    said = [[(text, KEPT) for text in ("A", "A", "B", "C", "D", "E")]]
    points = [4.0, 1.0, float("inf"), None, 3.5, 2.75]
    made = answered(tmp_path / "run", said, points=lambda n: points[n])
    export(made, tmp_path / "out", "trl-dpo", options={"score": "points"})
    assert pairs(tmp_path) == [("A", "E", "lower_score")], (
        "neither B and C, of no score, nor D, only 0.75 above"
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"score": "nosuch"},
            r"trl-dpo: no column 'nosuch'; name a score with --set score=COLUMN; the columns are",
        ),
        ({"score": "points.x"}, r"trl-dpo: score 'points\.x': 'points' is Int64"),
        ({"score": "listed"}, r"trl-dpo: score 'listed' is List\(Int64\), not a number"),
        (
            {"score": "judged"},
            r"trl-dpo: score 'judged' is Struct.*, not a number; name a field of it, as judged\.p",
        ),
        ({"score": "points", "margin": float("nan")}, r"trl-dpo: margin is nan; give a number above 0"),
        ({"score": "points", "margin": 0}, r"trl-dpo: margin is 0; give a number above 0"),
        ({"reasoning": "aloud"}, r"--reasoning: .* has no reasoning column"),
        ({"columns": ["margin"]}, r"trl-dpo: column 'margin' has a name that trainers read"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, given: dict[str, Any], text: str) -> None:
    made = answered(
        tmp_path / "run",
        [[("A", KEPT), ("B", REPEATS)]],
        points=lambda n: n,
        judged=lambda n: {"points": n},
        listed=lambda n: [n],
        margin=lambda n: n,
    )
    with pytest.raises(UsageError, match=text):
        export(made, tmp_path / "out", "trl-dpo", options=given)


def test_reasoning_on_both_sides(tmp_path: Path) -> None:
    output = {**CHAT, "messages": {**CHAT["messages"], "reasoning": "thought"}}
    said: list[list[Reply]] = [[("A", KEPT), ("B", REPEATS)]]
    made = answered(tmp_path / "run", said, output, thought=lambda n: f"Hm {n}.")
    export(made, tmp_path / "out", "trl-dpo", options={"reasoning": "inline"})
    assert pairs(tmp_path)[0][:2] == ("<think>\nHm 0.\n</think>\n\nA", "<think>\nHm 1.\n</think>\n\nB")
    export(made, tmp_path / "out", "trl-dpo")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert there[0]["prompt"][0]["reasoning_content"] == ""
    assert there[0]["rejected"][0] == {"role": "assistant", "content": "B", "reasoning_content": "Hm 1."}


def test_turns_that_a_transform_made(tmp_path: Path) -> None:
    said = chats("eng_Latn", [chat("a", "b", "c", "d", system="s"), chat("a", "b", "c", "x", system="s")])
    said[1] |= {"verdict": "dropped", "reason": "repetition", "reason_at": "messages.repetition"}
    for row in said:
        row["seed_key"] = "0" * 24
    made = finished(tmp_path / "run", {"eng_Latn": said}, {"columns": ["messages"]})
    export(made, tmp_path / "out", "trl-dpo")
    there = load(tmp_path / "out", tmp_path / "cache")["train"][0]
    assert there["prompt"] == chat("a", "b", "c", system="s")
    assert (there["chosen"][0]["content"], there["rejected"][0]["content"]) == ("d", "x")


def test_another_seed_is_another_prompt(tmp_path: Path) -> None:
    said = replies("eng_Latn", [[("A", KEPT)], [("B", REPEATS)]])
    for row in said:
        row["question"] = row["answer_prompt"] = "The same?"
    with pytest.raises(UsageError, match="no row of"):
        export(finished(tmp_path / "run", {"eng_Latn": said}), tmp_path / "out", "trl-dpo")


def test_a_run_without_messages(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 2)}, {"columns": ["topic"]})
    with pytest.raises(UsageError, match=r"trl-dpo: no column 'messages'; a recipe names them"):
        export(made, tmp_path / "out", "trl-dpo")
