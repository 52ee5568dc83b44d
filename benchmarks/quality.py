"""How fast the quality filters are, against datatrove's: documents per CPU second, same documents, one run.

python benchmarks/quality.py FOLDER --datatrove PYTHON   a folder of `<language>.txt`, a sentence per line

PYTHON belongs to an environment with datatrove, spaCy and the packages of its other tokenizers. It runs
GopherRepetitionFilter, GopherQualityFilter and FineWebQualityFilter with the tokenizer that datatrove selects
for the language, loaded beforehand; a language whose tokenizer needs a missing package is named and left out
on both sides. glotmill runs the same three filters, then the default set of `human.py`. Measured are CPU
seconds on the same documents, twelve paragraphs of five lines in each language: by language, and for all
languages together. datatrove needs some 2 ms a document. By language, glotmill judges the documents fifty
times, each time with another number appended, since real tables have more than twelve rows. Both sides count
the fastest of three turns, on one thread. Writes benchmarks/results/quality.csv.
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
TIMES = 50  # copies of the documents of one language, which are too few to measure
TARGET_RATIO = 30
RESULTS = Path(__file__).parent / "results" / "quality.csv"
THEIRS = """
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
OTHER = {"zho_Hans": "cmn_Hani", "zho_Hant": "cmn_Hani", "yue_Hant": "yue_Hani"}
for line in sys.stdin:
    tag, documents = json.loads(line)
    result = {"language": tag}
    for name in (tag, OTHER.get(tag, tag), tag[:3]):
        try:
            kinds = (GopherRepetitionFilter, GopherQualityFilter, FineWebQualityFilter)
            filters = [kind(language=name) for kind in kinds]
            for quality_filter in filters:
                quality_filter.filter(Document(text=documents[0], id="0"))
            for turn in range(3):
                begun = time.process_time()
                for text in documents:
                    for quality_filter in filters:
                        quality_filter.filter(Document(text=f"{text} {turn}", id="0"))
                result["seconds"] = min(result.get("seconds", 1e9), time.process_time() - begun)
            break
        except (ImportError, ValueError) as error:  # it lacks a tokenizer, or knows none
            result.setdefault("error", f"{type(error).__name__}: {error}".split(chr(10))[0][:90])
    print(json.dumps(result), flush=True)
"""


def theirs(python: Path, documents: dict[str, list[str]]) -> dict[str, float]:
    """Return datatrove's CPU seconds for each language's documents; print languages it cannot tokenize."""
    lines = "".join(json.dumps(item) + "\n" for item in documents.items())
    done = subprocess.run([python, "-c", THEIRS], input=lines, capture_output=True, text=True, check=True)
    seconds, missing = {}, {}
    results = [line for line in done.stdout.splitlines() if line.startswith("{")]  # tokenizers print too
    for result in map(json.loads, results):
        if "seconds" in result:
            seconds[result["language"]] = result["seconds"]
        else:
            missing.setdefault(result["error"], []).append(result["language"])
    for error, tags in missing.items():
        print(f"left out, datatrove cannot: {' '.join(tags)} ({error})")
    return seconds


def ours(frame: pl.DataFrame, filters: Sequence[Build], turns: int = 3) -> float:
    """Return the CPU seconds that the filters need for all rows, in the fastest turn."""
    tries = []
    for _ in range(turns):
        for cached in (_encode, _words, _spaced):
            cached.cache_clear()
        begun = time.process_time()
        for function in filters:
            reasons(frame, function(pl.col("text")))
        tries.append(time.process_time() - begun)
    return min(tries)


def again(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows many times, each time with another number appended, so that no cache helps."""
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
    filters = judging_one_text()
    same = [filters[name] for name in SAME]
    default = [filters[name] for name in DEFAULT_SET if name in filters]
    ours(pages, default)  # loads the tables
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
    header = "# documents per CPU second; python benchmarks/quality.py NTREX --datatrove PYTHON"
    RESULTS.write_text(f"{header}\n{table.with_columns(pl.col(pl.Float64).round(1)).write_csv()}", "utf-8")
    few = table.filter((pl.col("times_same") < TARGET_RATIO) & (pl.col("language") != "all"))
    print(f"{len(table) - 1} languages, under {TARGET_RATIO} times in {len(few)}:", few["language"].to_list())
    for name in ("times_same", "times_default"):
        low = table.filter(pl.col("language") != "all").sort(name).head(5)
        print(
            f"{name}: {table[name][-1]:.1f} overall; least:",
            low.select("language", pl.col(name).round(1)).rows(),
        )
    print(dict(zip(columns, rows[-1], strict=True)))
    print("default set:", *(name for name in DEFAULT_SET if name in filters))


if __name__ == "__main__":
    main()
