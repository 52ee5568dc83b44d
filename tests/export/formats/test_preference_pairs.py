"""Replies to one prompt: which belong together, also those dropped before their prompt was made."""

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from finished import load
from replies import KEPT, REPEATS, answered
from spy import State, user, write

import glotmill
from glotmill.export.export import export
from glotmill.export.formats._shared.preference_pairs import answer_column, group_by_prompt
from glotmill.runner import dataset

SOLVED = """
about: x
languages: [eng_Latn, swh_Latn]
seeds: {rows: [{question: "1 + 1?", answer: "2"}, {question: "2 + 2?", answer: "4"}]}
steps:
  - generate: problem
  - {generate: solution, n: 4, temperature: 1}
  - {filter: final_number, of: solution, expected: answer}
  - {transform: views, problem: problem, source: question}
output: {messages: {user: prompt, assistant: solution}, columns: [view]}
"""

HOSTILE = ["\x00", "\x1b[31m", "\u202e", "\u200b" * 50, "a" * 1_000_000, "<|im_end|>", "</think>", "a\r\n\tb"]


def test_hostile_text_comes_through(tmp_path: Path) -> None:
    said = [[(text, KEPT), (f"{text}{text}", REPEATS)] for text in HOSTILE]
    export(answered(tmp_path / "run", said), tmp_path / "out", "trl-dpo")
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert [row[0]["content"] for row in there["chosen"]] == HOSTILE
    assert [row[0]["content"] for row in there["rejected"]] == [text * 2 for text in HOSTILE]


def test_the_column_that_was_generated() -> None:
    chats = [[{"role": "user", "content": "q"}, {"role": "assistant", "content": text}] for text in "ab"]
    given = {"messages": chats, "copy": ["a", "b"], "draft": ["a", "x"], "said": ["a", "b"]}
    rows = pl.DataFrame(given | {f"{name}_prompt": ["p", "p"] for name in ("draft", "said", "nosuch")})
    assert answer_column(rows) == "said"
    assert answer_column(rows.drop("said")) == ""
    assert answer_column(rows.clear()) == ""


def test_no_rows() -> None:
    kinds = dict.fromkeys(["id", "seed_key", "verdict", "reason", "reason_at"], pl.String)
    message = pl.Struct({"role": pl.String, "content": pl.String})
    found, chat = group_by_prompt(pl.DataFrame(schema={**kinds, "messages": pl.List(message)}), "trl-dpo")
    assert found == []
    assert chat == pl.List(message)


def test_replies_dropped_before_their_prompt_was_made(tmp_path: Path, spy: State) -> None:
    """The transform `views` makes prompts of kept solutions: a wrong one belongs to both of its problem's."""
    asked_before: Counter[str] = Counter()

    def says(request: Any) -> str:
        asked = user(request)
        if asked.startswith("Translate"):
            return f"Kokotoa {asked[10:]}"
        asked_before[asked] += 1
        number = 2 if "1 + 1" in asked else 4
        return f"It is {number + asked_before[asked] % 2}."

    spy.says = says
    folder = write(
        tmp_path / "recipe",
        SOLVED,
        problem="Translate {{ question }}",
        solution="{{ problem }} {{ language }}",
    )
    made = glotmill.run(folder, engine="spy:spy", model="m", folder=tmp_path / "run", per_language=8)
    export(made, tmp_path / "out", "trl-dpo")
    there = load(tmp_path / "out", tmp_path / "cache", "swh_Latn")["train"]
    asked = {(row["view"], row["prompt"][0]["content"]) for row in there}
    assert asked == {
        (view, text)
        for view, before in (("parallel", "Kokotoa "), ("cross", ""))
        for text in (f"{before}1 + 1?", f"{before}2 + 2?")
    }
    for row in there:
        right = 2 if "1 + 1" in row["prompt"][0]["content"] else 4
        assert row["chosen"][0]["content"] == f"It is {right}."
        assert row["rejected"][0]["content"] == f"It is {right + 1}."


def test_wrong_replies_without_a_right_one_have_their_prompts_too(tmp_path: Path, spy: State) -> None:
    """None of the solutions of 2 + 2 is right, and none came as far as `views`."""

    def says(request: Any) -> str:
        asked = user(request)
        said = f"Jibu la {request.seed} ni {2 if '1 + 1' in asked else 5}."
        return asked[10:].replace("What is", "Ni nini") if asked.startswith("Translate") else said

    spy.says = says
    asked = {"problem": "Translate {{ question }}", "solution": "Solve: {{ problem }} {{ language }}"}
    folder = write(
        tmp_path / "recipe",
        SOLVED.replace('"1 + 1', '"What is 1 + 1').replace('"2 + 2', '"What is 2 + 2'),
        **asked,
    )
    made = glotmill.run(folder, engine="spy:spy", model="m", folder=tmp_path / "run", per_language=8)
    export(made, tmp_path / "out", "trl-kto")
    there = load(tmp_path / "out", tmp_path / "cache", "swh_Latn")["train"]
    assert {(row["prompt"][0]["content"], row["label"]) for row in there} == {
        (f"{words} {numbers}?", right)
        for words in ("What is", "Ni nini")
        for numbers, right in (("1 + 1", True), ("2 + 2", False))
    }


OWN_FILTER = """
import polars as pl

{declaration}

def every_other(text: pl.Expr) -> pl.Expr:
    return pl.when(pl.int_range(pl.len()) % 2 == 1).then(pl.lit("every_other"))
"""


@pytest.mark.parametrize(
    ("declaration", "rejected"), [("ACROSS_ROWS = True", False), ("WITHHELD = True", False), ("", True)]
)
def test_what_a_plugin_declares_decides_whether_its_drops_are_rejected_replies(
    tmp_path: Path, spy: State, monkeypatch: pytest.MonkeyPatch, declaration: str, rejected: bool
) -> None:
    module = f"own_filters_{len(declaration)}"
    (tmp_path / f"{module}.py").write_text(OWN_FILTER.replace("{declaration}", declaration))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    spy.says = lambda request: f"reply {request.seed}"
    recipe = f"""
about: x
languages: [eng_Latn]
seeds: {{rows: [{{question: q}}]}}
steps:
  - {{generate: answer, n: 2, temperature: 1}}
  - {{filter: "{module}:every_other", of: answer}}
output: {{messages: {{user: question, assistant: answer}}}}
"""
    folder = write(tmp_path / "recipe", recipe, answer="{{ question }}")
    run = glotmill.run(folder, engine="spy:spy", model="m", folder=tmp_path / "run", per_language=1)
    rows = run.rows().collect().with_columns(dataset.messages({"user": "question", "assistant": "answer"}))
    prompts, _ = group_by_prompt(rows, "trl-dpo")
    assert [bool(prompt.rejected) for prompt in prompts] == [rejected]


def replied(*rows: tuple[str, str, str, str | None, str]) -> pl.DataFrame:
    """Rows of title, question, said, what was made of them to ask it, verdict."""
    names = ["title", "question", "said", "asks", "verdict"]
    kinds = dict.fromkeys(names, pl.String)
    table = pl.DataFrame(rows, kinds, orient="row").with_row_index("id").with_columns(
        pl.format("seed{}", "id").alias("seed_key"), pl.col("id").cast(pl.String),
        said_prompt=pl.format("Asked: {}", "question"),
        reason=pl.when(verdict="dropped").then(pl.lit("wrong_number")),
        reason_at=pl.lit("said.final_number"),
    )  # fmt: skip
    return table.with_columns(dataset.messages({"user": "asks", "assistant": "said"}))


def test_a_column_that_holds_a_prompt_by_chance_makes_none() -> None:
    rows = replied(
        ("same", "same", "a", "same", "kept"),
        ("title", "question", "b", "question", "kept"),
        ("other", "another", "c", None, "dropped"),
    )
    found, _ = group_by_prompt(rows, "trl-kto")
    wrong = [prompt.messages[0]["content"] for prompt in found if prompt.rejected]
    assert wrong == ["another"]


def test_a_prompt_that_stands_in_no_column_is_known_from_a_kept_reply_alone() -> None:
    rows = replied(
        ("title", "one", "a", "one", "kept"),
        ("title", "two", "b", "two, in Swahili", "kept"),
        ("other", "three", "c", None, "dropped"),
        ("title", "two", "d", None, "dropped"),
    )
    found, _ = group_by_prompt(rows.with_columns(seed_key="question"), "trl-kto")
    assert [(p.messages[0]["content"], [said.message["content"] for said in p.rejected]) for p in found] == [
        ("one", []),
        ("two, in Swahili", ["d"]),
    ]
