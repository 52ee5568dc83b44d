"""A finished run's folder, made without an engine: what export reads."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.recipes.recipe import Output
from glotmill.runner import dataset
from glotmill.runner.run_folder import Run

CHAT = {"messages": {"user": "question", "assistant": "answer"}, "columns": ["topic"]}
SAID = {
    "eng_Latn": ("Why does it rain?", 'Clouds <b>"cool"</b>.\n\nThen drops fall.'),
    "arb_Arab": ("لماذا تمطر السماء؟", "لأن الغيوم تبرد."),
    "hin_Deva": ("बारिश क्यों होती है?", "बादल ठंडे होते हैं।"),
    "zho_Hans": ("为什么下雨？", "因为云变冷了。\u2028然后下雨。"),
}


def rows(tag: str, count: int, **columns: Any) -> list[dict[str, Any]]:
    """Rows of a language; columns: values, or functions of the row's number."""
    question, answer = SAID.get(tag, SAID["eng_Latn"])
    made = []
    for number in range(count):
        row = {
            "id": f"{tag[:3]}{number:04d}",
            "row": number,
            "language": tag,
            "seed_key": f"{number:024x}",
            "topic": f"topic {number}",
            "question": f"{question} ({number})",
            "answer": f"{answer} ({number})",
            "verdict": "kept",
            "reason": None,
            "reason_at": None,
        }
        row |= {name: value(number) if callable(value) else value for name, value in columns.items()}
        made.append(row)
    return made


def finished(
    folder: Path,
    languages: Mapping[str, Sequence[Mapping[str, Any]]],
    output: Mapping[str, Any] = CHAT,
    *,
    wanted: int = 1000,
    shard: int = 8,
) -> Run:
    """Write rows as a run would have left them, in shards, with their dataset."""
    run = Run(folder)
    folder.mkdir(parents=True)
    recipe = {"about": "", "seeds": "s.jsonl", "steps": [{"generate": "answer"}], "output": output}
    run.write_info({"recipe": recipe, "languages": [*languages], "per_language": wanted})
    for tag, said in languages.items():
        whole = pl.DataFrame(said, infer_schema_length=None, schema_overrides=VERDICTS)
        for number, start in enumerate(range(0, whole.height, shard)):
            run.write_rows(f"{tag}-{number:05d}", whole[start : start + shard])
        kept = whole.filter(verdict="kept").head(wanted)
        dataset.write(folder / "dataset", tag, [dataset.shape(kept, Output.model_validate(output))])
    return run


VERDICTS = {"verdict": pl.String, "reason": pl.String, "reason_at": pl.String}


def chat(*said: str, system: str = "") -> list[dict[str, str]]:
    """Messages by turns, the user first."""
    turns = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(said)]
    return ([{"role": "system", "content": system}] if system else []) + turns


def chats(tag: str, messages: Iterable[Any]) -> list[dict[str, Any]]:
    """Rows whose messages a transform made."""
    found = list(messages)
    return rows(tag, len(found), messages=lambda number: found[number])


def load(folder: Path, cache: Path, language: str | None = None) -> Any:
    """Load an export as a user would."""
    from datasets import load_dataset

    return load_dataset(str(folder), language, cache_dir=str(cache))


def lines(path: Path) -> list[Any]:
    """Read lines of JSON."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
