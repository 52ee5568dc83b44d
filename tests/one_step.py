"""One recipe of one step, and how tests run it."""

from pathlib import Path
from typing import Any

import glotmill
from glotmill.messages import Request

DRAW = "{draw: {word: [moon, rain, bread, tree, road], number: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}"
ONE = """
about: One step.
languages: [eng_Latn, swh_Latn]
seeds: DRAW
steps:
  - generate: answer
  - {filter: length, of: answer, min_chars: 3}
finish: [{filter: duplicates, of: id}]
output: {columns: [answer, word, number]}
""".replace("DRAW", DRAW)
TEMPLATE = "{{ word }} {{ number }} in {{ language.name }}"


def run(recipe: Path, **options: Any) -> glotmill.Run:
    folder = options.pop("folder", recipe.parent / "run")
    return glotmill.run(recipe, **{"engine": "spy:spy", "model": "m", "folder": folder, **options})


def contents(run: glotmill.Run, below: str = "dataset") -> dict[str, bytes]:
    return {
        str(p.relative_to(run.folder)): p.read_bytes()
        for p in sorted((run.folder / below).rglob("*.parquet"))
    }


def hash_of(request: Request) -> int:
    return int(request.key[:8], 16)
