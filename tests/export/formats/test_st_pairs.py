"""st-pairs, as datasets loads it: only what is trained on, in this order."""

from pathlib import Path
from typing import Any

import pytest
from finished import CHAT, SAID, chat, chats, finished, load, rows
from replies import KEPT, REPEATS, answered

from glotmill.errors import UsageError
from glotmill.export.export import export


def test_question_and_answer_in_every_script(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {tag: rows(tag, 3) for tag in SAID})
    export(made, tmp_path / "out", "st-pairs")
    for tag, (question, answer) in SAID.items():
        there = load(tmp_path / "out", tmp_path / "cache", tag)["train"]
        assert there.column_names == ["anchor", "positive"]
        assert there[:] == {
            "anchor": [f"{question} ({n})" for n in range(3)],
            "positive": [f"{answer} ({n})" for n in range(3)],
        }


@pytest.mark.parametrize(
    ("given", "pair"),
    [
        ({"anchor": "topic"}, ("topic 0", "good")),
        ({"positive": "topic"}, ("Why does it rain? (0)", "topic 0")),
        ({"anchor": "answer", "positive": "topic"}, ("good", "topic 0")),
    ],
)
def test_columns_of_kept_rows(tmp_path: Path, given: dict[str, str], pair: tuple[str, str]) -> None:
    export(
        answered(tmp_path / "run", [[("good", KEPT), ("bad", REPEATS)]]),
        tmp_path / "out",
        "st-pairs",
        options=given,
    )
    there = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert (there["anchor"][:], there["positive"][:]) == ([pair[0]], [pair[1]])


def test_the_last_exchange_without_reasoning(tmp_path: Path) -> None:
    said = [chat("a", "b", "c", "d", system="s")]
    for message in said[0]:
        message["reasoning_content"] = "Hm."
    made = finished(tmp_path / "run", {"eng_Latn": chats("eng_Latn", said)}, {"columns": ["messages"]})
    export(made, tmp_path / "out", "st-pairs")
    assert load(tmp_path / "out", tmp_path / "cache")["train"][:] == {"anchor": ["c"], "positive": ["d"]}


def test_blank_texts_are_left_out(tmp_path: Path) -> None:
    texts = ["good", " \n", None]
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 3, topic=lambda n: texts[n])})
    export(made, tmp_path / "out", "st-pairs", options={"positive": "topic"})
    assert load(tmp_path / "out", tmp_path / "cache")["train"]["positive"][:] == ["good"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"anchor": "nosuch"},
            r"st-pairs: no column 'nosuch'; name another with --set anchor=COLUMN; the columns are",
        ),
        ({"positive": "row"}, r"st-pairs: column 'row' is Int64, not a string"),
        ({"columns": ["id"]}, r"format st-pairs: no option 'columns'; the options are anchor, positive"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, given: dict[str, Any], text: str) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 3)}, CHAT)
    with pytest.raises(UsageError, match=text):
        export(made, tmp_path / "out", "st-pairs", options=given)
