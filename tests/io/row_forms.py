"""Every form in which rows can come, written to a folder."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa

TEXTS = [
    "A baker, who sold 48 loaves of bread in the morning, sold half as many in the afternoon.",
    "Die Bäckerin öffnet ihren Laden früh am Morgen, und die ganze Straße riecht nach Brot und Kaffee.",
]
BOM = b"\xef\xbb\xbf"


def lines(texts: list[str] = TEXTS) -> bytes:
    return "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts).encode()


def cells(delimiter: str) -> bytes:
    return "\n".join(["n" + delimiter + "text", *(f'1{delimiter}"{text}"' for text in TEXTS)]).encode()


def packed(path: Path, data: bytes) -> None:
    with pa.output_stream(str(path), compression="detect") as file:
        file.write(data)


def a_file(name: str, data: bytes) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        packed(folder / name, data)
        return name

    return make


def a_parquet(folder: Path) -> str:
    pl.DataFrame({"text": TEXTS}).write_parquet(folder / "rows.parquet")
    return "rows.parquet"


def a_folder(folder: Path) -> str:
    (folder / "data" / "deep").mkdir(parents=True)
    packed(folder / "data" / "a.jsonl.gz", lines(TEXTS[:1]))
    packed(folder / "data" / "deep" / "b.jsonl", lines(TEXTS[1:]))
    (folder / "data" / ".hidden.csv").write_text("x")
    return "data"


def a_pattern(folder: Path) -> str:
    a_folder(folder)
    (folder / "data" / "notes.txt").write_text("other")
    return "data/**/*.jsonl*"


def a_run(folder: Path) -> str:
    table = pl.DataFrame({"text": [*TEXTS, "dropped"], "verdict": ["kept", "kept", "dropped"]})
    kept = table.filter(verdict="kept").drop("verdict")
    for path, rows in (
        ("rows/eng_Latn-00000.parquet", table),
        ("dataset/eng_Latn/train-00000-of-00001.parquet", kept),
    ):
        (folder / "run" / path).parent.mkdir(parents=True)
        rows.write_parquet(folder / "run" / path)
    (folder / "run" / "run.json").write_text("{}")
    return "run"


def a_filtered_folder(folder: Path) -> str:
    for name, texts in (("kept", TEXTS), ("rejects", ["dropped"])):
        (folder / "out" / name).mkdir(parents=True)
        pl.DataFrame({"text": texts}).write_parquet(folder / "out" / name / "part-00000.parquet")
    (folder / "out" / "filter.json").write_text("{}")
    return "out"


def on_the_hub(place: str) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        (folder / "hub").mkdir()
        pl.DataFrame({"text": TEXTS}).write_parquet(folder / "hub" / "train.parquet")
        return place

    return make


FORMS: dict[str, Callable[[Path], str]] = {
    "jsonl": a_file("rows.jsonl", lines()),
    "jsonl with a mark": a_file("rows.jsonl", BOM + lines()),
    "jsonl.gz": a_file("rows.jsonl.gz", BOM + lines()),
    "jsonl.zst": a_file("rows.jsonl.zst", lines()),
    "JSONL": a_file("ROWS.JSONL", lines()),
    "ndjson": a_file("rows.ndjson", b"\n" + lines()),
    "json of lines": a_file("rows.json", lines()),
    "json of an array": a_file("rows.json", json.dumps([{"text": text} for text in TEXTS]).encode()),
    "json.gz of an array": a_file(
        "rows.json.gz", BOM + json.dumps([{"text": t} for t in TEXTS], indent=1).encode()
    ),
    "csv": a_file("rows.csv", cells(",")),
    "csv.gz with a mark": a_file("rows.csv.gz", BOM + cells(",")),
    "tsv": a_file("rows.tsv", cells("\t")),
    "txt": a_file("rows.txt", "\n\n".join(TEXTS).encode()),
    "txt.gz with a mark": a_file("rows.txt.gz", BOM + "\r\n".join(TEXTS).encode()),
    "txt of objects": a_file("rows.txt", lines()),
    "parquet": a_parquet,
    "folder": a_folder,
    "pattern": a_pattern,
    "run": a_run,
    "filtered": a_filtered_folder,
    "hf://": on_the_hub("hf://owner/name"),
    "hf:// with a revision and a config": on_the_hub("hf://datasets/owner/name@v1/default"),
    "id of the Hub": on_the_hub("owner/name"),
}
