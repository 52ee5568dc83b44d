"""Near-duplicates: this package against datatrove's MinHash (stages 1 to 3), on the same texts in one run.

python benchmarks/duplicates.py FOLDER --datatrove PYTHON
python benchmarks/duplicates.py --memory 1000000

FOLDER: human texts, <language>.txt, a sentence a line. Lines are joined to documents of about 1 KB. Of every
document a near copy is planted, of every other one an exact copy too, in an order drawn by chance. In a near
copy 4 % of the words were changed for other words of the language; in scripts without spaces, of the
characters. PYTHON: one in which datatrove and its tokenizers are installed.

found       of the near (exact) copies, the share that was dropped, or whose original was in its place
lost        documents of which nothing is left: different texts taken for copies of each other
docs_per_s  a CPU second of one thread; what both need once (tables, tokenizers) is loaded before

--memory: the state that so many rows leave, all of them different, with near: 0.65 and ids of 16 characters.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "duplicates.csv"
LANGUAGES = ("eng", "fra", "fin", "rus", "tur", "heb", "swa", "tha", "zho-CN", "jpn")
TROVE = {"swa": "swh", "zho-CN": "cmn_Hani"}  # what datatrove calls them, where it is another name
UNSPACED = ("tha", "zho", "jpn")
NEAR = 0.65
SHARE = 0.04
BYTES = 1_000
Document = dict[str, Any]  # text, base: the number of the original, kind: original, near or exact


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--datatrove", metavar="PYTHON")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--memory", type=int, metavar="ROWS")
    parser.add_argument("--trove", type=Path, help=argparse.SUPPRESS)  # this file, in the other Python
    args = parser.parse_args()
    if args.trove:
        print(json.dumps(datatrove(json.loads(args.trove.read_text(encoding="utf-8")))))
    elif args.memory:
        memory(args.memory)
    elif args.folder and args.datatrove:
        compare(args.folder, args.languages.split(","), args.datatrove)
    else:
        parser.error("give a folder and --datatrove, or --memory")


def compare(folder: Path, languages: Sequence[str], python: str) -> None:
    """Both on the same documents."""
    import polars as pl

    sets = {code: documents(folder / f"{code}.txt", code) for code in languages}
    with tempfile.TemporaryDirectory() as there:
        path = Path(there, "documents.json")
        path.write_text(json.dumps(sets), encoding="utf-8")
        command = [python, __file__, "--trove", str(path)]
        told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=there).stdout
    theirs, rows = json.loads(told.splitlines()[-1]), []
    for (code, docs), own in zip(sets.items(), ours(list(sets.values())), strict=True):
        for name, (seconds, dropped) in (("glotmill", own), ("datatrove", theirs[code])):
            rows.append({"language": code, "engine": name, "documents": len(docs), "seconds": seconds})
            rows[-1] |= score(docs, set(dropped))
    table = pl.DataFrame(rows).with_columns(docs_per_s=pl.col("documents") / pl.col("seconds"))
    whole = table.group_by("engine", maintain_order=True).agg(
        pl.lit("all").alias("language"),
        pl.col("documents", "seconds", "lost").sum(),
        pl.col("near_found", "exact_found").mean(),
        (pl.col("documents").sum() / pl.col("seconds").sum()).alias("docs_per_s"),
    )
    table = pl.concat([table, whole.select(table.columns)])
    RESULTS.parent.mkdir(exist_ok=True)
    table.write_csv(RESULTS, float_precision=3)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=120, tbl_hide_dataframe_shape=True):
        print(table)
    speeds = dict(whole.select("engine", "docs_per_s").iter_rows())
    print(
        f"glotmill does {speeds['glotmill'] / speeds['datatrove']:.0f} times as many documents a CPU second"
    )


def documents(path: Path, code: str) -> list[Document]:
    """Join lines, and plant copies."""
    chance = random.Random(code)
    lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    texts, text = [], ""
    for line in lines:
        text = f"{text} {line}" if text else line
        if len(text.encode()) >= BYTES:
            texts.append(text)
            text = ""
    unspaced = code.startswith(UNSPACED)
    words = [p for line in lines for p in (line.replace(" ", "") if unspaced else line.split())]
    found: list[Document] = []
    for base, text in enumerate(texts):
        found.append({"text": text, "base": base, "kind": "original"})
        found.append({"text": changed(text, unspaced, words, chance), "base": base, "kind": "near"})
        if base % 2:
            found.append({"text": text, "base": base, "kind": "exact"})
    chance.shuffle(found)
    return found


def changed(text: str, unspaced: bool, words: Sequence[str], chance: random.Random) -> str:
    """Change some words (characters) for others of the language."""
    parts = list(text) if unspaced else text.split(" ")
    places = [n for n, part in enumerate(parts) if part.strip()]
    for n in chance.sample(places, round(len(places) * SHARE)):
        parts[n] = chance.choice(words)
    return ("" if unspaced else " ").join(parts)


def score(docs: Sequence[Document], dropped: set[int]) -> dict[str, Any]:
    """What was found, and what was lost."""
    left = [doc for n, doc in enumerate(docs) if n not in dropped]
    kept = {
        kind: {doc["base"] for doc in left if doc["kind"] == kind} for kind in ("original", "near", "exact")
    }
    bases = {kind: {doc["base"] for doc in docs if doc["kind"] == kind} for kind in kept}
    near = bases["near"] - (kept["near"] & (kept["original"] | kept["exact"]))
    exact = bases["exact"] - (kept["exact"] & kept["original"])
    return {
        "near_found": len(near) / len(bases["near"]),
        "exact_found": len(exact) / len(bases["exact"]),
        "lost": len(bases["original"] - kept["original"] - kept["near"] - kept["exact"]),
    }


def ours(sets: Sequence[Sequence[Document]]) -> list[tuple[float, list[int]]]:
    """CPU seconds, and the numbers of documents that are dropped, for each set; shard after shard."""
    import polars as pl

    from glotmill.filters import duplicates
    from glotmill.filters._similar.history import History, rule

    asked = rule(duplicates, pl.col("text"), {"within": "", "near": NEAR})
    assert asked is not None
    History(asked).apply(pl.DataFrame({"text": ["The tables are read before the clock runs."]}))
    found = []
    for docs in sets:
        table = pl.DataFrame({"text": [doc["text"] for doc in docs]})
        began, history = time.process_time(), History(asked)
        reasons = pl.concat([history.apply(part)["reason"] for part in table.iter_slices(256)])
        found.append((time.process_time() - began, reasons.is_not_null().arg_true().to_list()))
    return found


def datatrove(sets: dict[str, list[Document]]) -> dict[str, tuple[float, list[int]]]:
    """The same of datatrove, as FineWeb-2 sets it: words in fives, 14 bands of 8 hashes."""
    from datatrove.data import Document as Doc
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupSignature,
    )
    from datatrove.utils.hashing import HashConfig
    from loguru import logger

    logger.remove()
    hashing = HashConfig(hash_fc="xxhash", precision=64)
    config = MinhashConfig(hash_config=hashing, num_buckets=14, hashes_per_bucket=8, n_grams=5)
    found = {}
    for code, docs in sets.items():
        there = f"{code}/"
        signature = MinhashDedupSignature(there + "s", config=config, language=TROVE.get(code, code))
        signature.get_shingles(docs[0]["text"])  # loads the tokenizer
        data = [Doc(text=doc["text"], id=str(n)) for n, doc in enumerate(docs)]
        began = time.process_time()
        signature.run(data, 0, 1)
        for band in range(14):
            MinhashDedupBuckets(there + "s", there + "b", config=config).run(None, band, 14)
        MinhashDedupCluster(there + "b", there + "r", config=config).run(None, 0, 1)
        seconds = time.process_time() - began
        dropped = b"".join(path.read_bytes() for path in sorted(Path(there, "r").glob("*.remove")))
        found[code] = (
            seconds,
            [int.from_bytes(dropped[n : n + 4], "little") for n in range(0, len(dropped), 4)],
        )
    return found


def memory(rows: int) -> None:
    """Print what the state of so many different rows takes."""
    import numpy as np
    import polars as pl

    from glotmill.filters import duplicates
    from glotmill.filters._similar.history import History, rule
    from glotmill.filters._similar.minhash import HASHES, bands

    asked = rule(duplicates, pl.col("text"), {"within": "", "near": NEAR})
    assert asked is not None
    chance, history, step = np.random.default_rng(1), History(asked), 1_000
    number = bands(NEAR)[0]

    def part(start: int) -> tuple[pl.Series, pl.Series]:
        keys = pl.Series(chance.integers(0, 2**64, (step, number), np.uint64)).arr.to_list()
        sketches = [row.tobytes() for row in chance.integers(0, 256, (step, HASHES), np.uint8)]
        ids = pl.Series([f"{n:016x}" for n in range(start, start + step)])
        return pl.DataFrame({"keys": keys, "sketch": sketches}).to_struct(), ids

    part(0)
    before, spent = resident(), 0.0
    for start in range(0, rows, step):
        made, ids = part(start)
        began = time.process_time()
        history.apply_keys(made, ids=ids)
        spent += time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:,} rows: {resident() - before:,.0f} MiB held, {peak - before:,.0f} MiB at the peak")
    print(f"{1e6 * spent / rows:.0f} microseconds of CPU a row to look up and to remember")


def resident() -> float:
    """MiB of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    sys.exit(main())
