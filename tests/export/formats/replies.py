"""A finished run in which a prompt was answered several times, and filters had something to say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from finished import CHAT, finished, rows

from glotmill.runner.run_folder import Run

KEPT = ("kept", None, None)
REPEATS = ("dropped", "repetition", "answer.repetition")
FOREIGN = ("dropped", "wrong_language", "answer.language")

Reply = tuple[str | None, tuple[str, str | None, str | None]]  # text, verdict with reason and place


def replies(tag: str, prompts: Sequence[Sequence[Reply]], **columns: Any) -> list[dict[str, Any]]:
    """Rows of a language: each prompt with its replies. columns: functions of the row's number."""
    made = []
    for seed, said in enumerate(prompts):
        for number, (text, (verdict, reason, at)) in enumerate(said):
            row = rows(tag, seed + 1)[seed]
            row |= {"id": f"{row['id']}-{number}", "question": f"{row['question']}", "answer": text}
            row |= {"answer_prompt": f"Answer: {row['question']}", "question_prompt": "Ask."}
            row |= {"verdict": verdict, "reason": reason, "reason_at": at}
            row |= {name: value(len(made)) for name, value in columns.items()}
            made.append(row)
    return made


def answered(
    folder: Path, prompts: Sequence[Sequence[Reply]], output: Mapping[str, Any] = CHAT, **columns: Any
) -> Run:
    """Write a finished run in English. columns: as of `replies`."""
    return finished(folder, {"eng_Latn": replies("eng_Latn", prompts, **columns)}, output)
