"""A small run to make a card of, and what tests read in a card."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

import glotmill
from glotmill.hub import footers
from glotmill.hub.card.validate import split
from glotmill.runner.run_folder import Run

HOSTILE = (
    "---\nlicense: mit\n---\n````\n```\n</details><script>alert(1)</script>\n<!-- glotmill:end -->\n"
    "<!-- glotmill:run x -->\n<!-- glotmill:run end -->\n<!-- glotmill:begin -->\n"
    "# heading | cell\n\x00\x1b[31m\u202e [x](http://evil.example) $x$ \u2028 ![i](http://evil.example)"
)
RECIPE = """
about: "# Pairs | of *words* <b>and</b> `texts` ---"
papers: ["A [paper](http://evil.example) of | many <i>words</i>"]
seeds: seeds.jsonl
steps:
  - {generate: question, temperature: 0.5}
  - {generate: answer}
  - {filter: length, of: answer, min_chars: 3, max_chars: 1000000}
output: {messages: {user: question, assistant: answer}, columns: [word]}
"""


def made(
    place: Path, *, languages: list[str], word: str = "sun", recipe: str = RECIPE, **options: Any
) -> Run:
    """A run of the engine that says back what it is told."""
    folder = place / "recipe" / "pairs"
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text(recipe)
    (folder / "question.j2").write_text("Is {{ word }} good in {{ language.endonym }}?")
    (folder / "answer.j2").write_text("{{ question }} It is.\n{{ word }}")
    seeds = [json.dumps({"word": f"{word} {n}"}) for n in range(4)]
    (folder / "seeds.jsonl").write_text("\n".join(seeds))
    options = {"engine": "echo", "per_language": 3, **options}
    return glotmill.run(folder, languages=languages, folder=place / "run", **options)


def front(text: str) -> dict[str, Any]:
    loaded = yaml.safe_load(split(text)[0])
    assert isinstance(loaded, dict)
    return loaded


def published(run: Run, key: str) -> list[footers.Footer]:
    """The footers of a run's files, as they are called in a dataset."""
    found = []
    for number, file in enumerate(sorted(run.folder.glob("dataset/*/*.parquet"))):
        path = f"data/{file.parent.name}/train-{key}-{number:05d}.parquet"
        found.append(footers.read(path, file, file.stat().st_size))
    return found


def multiplied(run: Run, tags: list[str]) -> Run:
    """A run whose rows are there in further languages too."""
    info = run.info()
    del info["format"]
    templates = next(iter(info["templates"].values()))
    run.write_info({**info, "languages": tags, "templates": dict.fromkeys(tags, templates)})
    for file in [*run.folder.glob("rows/*.parquet"), *run.folder.glob("dataset/*/*.parquet")]:
        rows = pl.read_parquet(file)
        for tag in tags:
            place = Path(str(file).replace("eng_Latn", tag))
            place.parent.mkdir(exist_ok=True)
            rows.with_columns(language=pl.lit(tag)).write_parquet(place)
    return run


def parsed(text: str) -> list[Token]:
    """The parts of a card as a reader of Markdown takes it apart, inner ones too."""
    found: list[Token] = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(split(text)[1]):
        found += [token, *(token.children or ())]
    return found
