"""How fast the quality filters are, against datatrove's: documents per CPU second, same documents, one run.

python benchmarks/quality.py FOLDER --datatrove PYTHON   a folder of `<language>.txt`, a sentence a line

PYTHON is that of an environment with datatrove, spaCy and the packages of its other tokenizers. There
GopherRepetitionFilter, GopherQualityFilter and FineWebQualityFilter run with the language's own tokenizer as
datatrove picks it, loaded beforehand; a language whose tokenizer needs a package that is not there is named
and left out on both sides. Here run the same three, and then the whole default set of `human.py`; once by
language, once on all documents of all languages together: the ratio of the CPU seconds of both on the same
documents, twelve paragraphs of five lines in each language. datatrove's documents are few, it needs some 2 ms
for one; by language the same ones are judged here fifty times over, each time with a number behind, as no
table has twelve rows. The least of three turns counts on both sides, one thread. Writes
benchmarks/results/quality.csv.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from human import DEFAULT_SET, Build, judging_one_text, reasons, texts

from glotmill.filters._text.code_points import _encode, _words
from glotmill.filters._text.words import _spaced

SAME = ("repetition", "gopher_quality", "fineweb_quality")
TIMES = 50  # the documents of one language are too few to measure by themselves
LEAST = 30
RESULTS = Path(__file__).parent / "results" / "quality.csv"
THEIRS = """
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
OTHER = {"zho_Hans": "cmn_Hani", "zho_Hant": "cmn_Hani", "yue_Hant": "yue_Hani"}
for line in sys.stdin:
    tag, documents = json.loads(line)
    said = {"language": tag}
    for name in (tag, OTHER.get(tag, tag), tag[:3]):
        try:
            kinds = (GopherRepetitionFilter, GopherQualityFilter, FineWebQualityFilter)
            filters = [kind(language=name) for kind in kinds]
            for each in filters:
                each.filter(Document(text=documents[0], id="0"))
            for turn in range(3):
                begun = time.process_time()
                for text in documents:
                    for each in filters:
                        each.filter(Document(text=f"{text} {turn}", id="0"))
                said["seconds"] = min(said.get("seconds", 1e9), time.process_time() - begun)
            break
        except (ImportError, ValueError) as error:  # it lacks a tokenizer, or knows none
            said.setdefault("error", f"{type(error).__name__}: {error}".split(chr(10))[0][:90])
    print(json.dumps(said), flush=True)
"""


def theirs(python: Path, documents: dict[str, list[str]]) -> dict[str, float]:
    """CPU seconds that datatrove needs for each language's documents; those it cannot tokenize are named."""
    lines = "".join(json.dumps(each) + "\n" for each in documents.items())
    done = subprocess.run([python, "-c", THEIRS], input=lines, capture_output=True, text=True, check=True)
    seconds, missing = {}, {}
    said_lines = [line for line in done.stdout.splitlines() if line.startswith("{")]  # tokenizers print too
    for said in map(json.loads, said_lines):
        if "seconds" in said:
            seconds[said["language"]] = said["seconds"]
        else:
            missing.setdefault(said["error"], []).append(said["language"])
    for error, tags in missing.items():
        print(f"left out, datatrove cannot: {' '.join(tags)} ({error})")
    return seconds


def ours(frame: pl.DataFrame, filters: Sequence[Build], turns: int = 3) -> float:
    """CPU seconds that the filters need for all rows: the least of some turns."""
    tries = []
    for _ in range(turns):
        for remembered in (_encode, _words, _spaced):
            remembered.cache_clear()
        begun = time.process_time()
        for function in filters:
            reasons(frame, function(pl.col("text")))
        tries.append(time.process_time() - begun)
    return min(tries)


def again(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows many times over, each time with a number behind, so that none is remembered."""
    turns = [frame.with_columns(pl.col("text") + f" {turn}") for turn in range(TIMES)]
    return pl.concat(turns, rechunk=True)


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--datatrove", type=Path, required=True, help="a python with datatrove and spaCy")
    options.add_argument("--documents", type=int, default=12, help="of each language")
    chosen = options.parse_args()
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    pages = texts(chosen.folder, "all").filter(pl.col("shape") == "paragraph")
    pages = pages.filter(pl.int_range(pl.len()).over("language") < chosen.documents).sort("language")
    by_language = {
        tag: part["text"].to_list() for (tag,), part in pages.group_by("language", maintain_order=True)
    }
    there = judging_one_text()
    same = [there[name] for name in SAME]
    default = [there[name] for name in DEFAULT_SET if name in there]
    ours(pages, default)  # tables are read once
    needed = theirs(chosen.datatrove, by_language)
    pages = pages.filter(pl.col("language").is_in(list(needed)))
    rows = []
    for tag, seconds in needed.items():
        part = again(pages.filter(pl.col("language") == tag))
        number = len(by_language[tag])
        rates = [number / seconds, number * TIMES / ours(part, same), number * TIMES / ours(part, default, 1)]
        rows.append(
            [tag, number, pages.filter(pl.col("language") == tag)["text"].str.len_chars().mean(), *rates]
        )
    alone = [
        len(pages) / sum(needed.values()),
        len(pages) / ours(pages, same),
        len(pages) / ours(pages, default),
    ]
    rows.append(["all", len(pages), pages["text"].str.len_chars().mean(), *alone])
    columns = ["language", "documents", "chars", "datatrove", "same_three", "default_set"]
    table = pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        (pl.col("same_three") / pl.col("datatrove")).alias("times_same"),
        (pl.col("default_set") / pl.col("datatrove")).alias("times_default"),
    )
    RESULTS.parent.mkdir(exist_ok=True)
    made = "# documents per CPU second; python benchmarks/quality.py NTREX --datatrove PYTHON"
    RESULTS.write_text(f"{made}\n{table.with_columns(pl.col(pl.Float64).round(1)).write_csv()}", "utf-8")
    few = table.filter((pl.col("times_same") < LEAST) & (pl.col("language") != "all"))
    print(f"{len(table) - 1} languages, under {LEAST} times in {len(few)}:", few["language"].to_list())
    for name in ("times_same", "times_default"):
        low = table.filter(pl.col("language") != "all").sort(name).head(5)
        print(
            f"{name}: {table[name][-1]:.1f} overall; least:",
            low.select("language", pl.col(name).round(1)).rows(),
        )
    print(dict(zip(columns, rows[-1], strict=True)))
    print("default set:", *(name for name in DEFAULT_SET if name in there))


if __name__ == "__main__":
    main()
