"""Near-duplicates: this package against datatrove's MinHash (stages 1 to 3), on the same texts in one run.

python benchmarks/duplicates.py FOLDER --datatrove PYTHON
python benchmarks/duplicates.py --memory 1000000

FOLDER: human texts, <language>.txt, a sentence per line. Lines are joined to documents of about 1 KB. Every
document gets a near copy, every other one also an exact copy, in random order. In a near copy 4 % of the
words are replaced by other words of the language; in scripts without spaces, of the characters. PYTHON: an
interpreter with datatrove and its tokenizers.

near_found, exact_found   share of the copies that were dropped, or whose original was dropped instead
lost                      documents of which nothing is left: different texts taken for copies
docs_per_s                per CPU second of one thread, with tables and tokenizers loaded before

--memory: measures the state after so many different rows, with near: 0.65 and ids of 16 characters.
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
TROVE = {"swa": "swh", "zho-CN": "cmn_Hani"}  # datatrove's names, where they differ
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
    """Measure both on the same documents."""
    import polars as pl

    sets = {code: documents(folder / f"{code}.txt", code) for code in languages}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "documents.json")
        path.write_text(json.dumps(sets), encoding="utf-8")
        command = [python, __file__, "--trove", str(path)]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=place).stdout
    theirs, rows = json.loads(output.splitlines()[-1]), []
    for (code, docs), result in zip(sets.items(), ours(list(sets.values())), strict=True):
        for name, (seconds, dropped) in (("glotmill", result), ("datatrove", theirs[code])):
            rows.append({"language": code, "engine": name, "documents": len(docs), "seconds": seconds})
            rows[-1] |= score(docs, set(dropped))
    table = pl.DataFrame(rows).with_columns(docs_per_s=pl.col("documents") / pl.col("seconds"))
    overall = table.group_by("engine", maintain_order=True).agg(
        pl.lit("all").alias("language"),
        pl.col("documents", "seconds", "lost").sum(),
        pl.col("near_found", "exact_found").mean(),
        (pl.col("documents").sum() / pl.col("seconds").sum()).alias("docs_per_s"),
    )
    table = pl.concat([table, overall.select(table.columns)])
    RESULTS.parent.mkdir(exist_ok=True)
    table.write_csv(RESULTS, float_precision=3)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=120, tbl_hide_dataframe_shape=True):
        print(table)
    speeds = dict(overall.select("engine", "docs_per_s").iter_rows())
    print(
        f"glotmill does {speeds['glotmill'] / speeds['datatrove']:.0f} times as many documents a CPU second"
    )


def documents(path: Path, code: str) -> list[Document]:
    """Join lines to documents, and add copies."""
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
    docs: list[Document] = []
    for base, text in enumerate(texts):
        docs.append({"text": text, "base": base, "kind": "original"})
        docs.append({"text": changed(text, unspaced, words, chance), "base": base, "kind": "near"})
        if base % 2:
            docs.append({"text": text, "base": base, "kind": "exact"})
    chance.shuffle(docs)
    return docs


def changed(text: str, unspaced: bool, words: Sequence[str], chance: random.Random) -> str:
    """Replace some words (characters) by others of the language."""
    parts = list(text) if unspaced else text.split(" ")
    places = [n for n, part in enumerate(parts) if part.strip()]
    for n in chance.sample(places, round(len(places) * SHARE)):
        parts[n] = chance.choice(words)
    return ("" if unspaced else " ").join(parts)


def score(docs: Sequence[Document], dropped: set[int]) -> dict[str, Any]:
    """Return the shares of copies that were dropped, and the number of documents lost."""
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
    """Return CPU seconds and the numbers of dropped documents for each set, judged shard after shard."""
    import polars as pl

    from glotmill.filters import duplicates
    from glotmill.filters._similar.history import History, rule

    near_rule = rule(duplicates, pl.col("text"), {"within": "", "near": NEAR})
    assert near_rule is not None
    History(near_rule).apply(pl.DataFrame({"text": ["The tables are read before the clock runs."]}))
    results = []
    for docs in sets:
        table = pl.DataFrame({"text": [doc["text"] for doc in docs]})
        began, history = time.process_time(), History(near_rule)
        reasons = pl.concat([history.apply(part)["reason"] for part in table.iter_slices(256)])
        results.append((time.process_time() - began, reasons.is_not_null().arg_true().to_list()))
    return results


def datatrove(sets: dict[str, list[Document]]) -> dict[str, tuple[float, list[int]]]:
    """Return the same for datatrove, configured as for FineWeb-2: runs of 5 words, 14 bands of 8 hashes."""
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
    results = {}
    for code, docs in sets.items():
        place = f"{code}/"
        signature = MinhashDedupSignature(place + "s", config=config, language=TROVE.get(code, code))
        signature.get_shingles(docs[0]["text"])  # loads the tokenizer
        data = [Doc(text=doc["text"], id=str(n)) for n, doc in enumerate(docs)]
        began = time.process_time()
        signature.run(data, 0, 1)
        for band in range(14):
            MinhashDedupBuckets(place + "s", place + "b", config=config).run(None, band, 14)
        MinhashDedupCluster(place + "b", place + "r", config=config).run(None, 0, 1)
        seconds = time.process_time() - began
        dropped = b"".join(path.read_bytes() for path in sorted(Path(place, "r").glob("*.remove")))
        results[code] = (
            seconds,
            [int.from_bytes(dropped[n : n + 4], "little") for n in range(0, len(dropped), 4)],
        )
    return results


def memory(rows: int) -> None:
    """Print the memory and time that the state of so many different rows takes."""
    import numpy as np
    import polars as pl

    from glotmill.filters import duplicates
    from glotmill.filters._similar.history import History, rule
    from glotmill.filters._similar.minhash import HASHES, bands

    near_rule = rule(duplicates, pl.col("text"), {"within": "", "near": NEAR})
    assert near_rule is not None
    chance, history, step = np.random.default_rng(1), History(near_rule), 1_000
    number = bands(NEAR)[0]

    def part(start: int) -> tuple[pl.Series, pl.Series]:
        keys = pl.Series(chance.integers(0, 2**64, (step, number), np.uint64)).arr.to_list()
        sketches = [row.tobytes() for row in chance.integers(0, 256, (step, HASHES), np.uint8)]
        ids = pl.Series([f"{n:016x}" for n in range(start, start + step)])
        return pl.DataFrame({"keys": keys, "sketch": sketches}).to_struct(), ids

    part(0)
    before, spent = resident(), 0.0
    for start in range(0, rows, step):
        keys, ids = part(start)
        began = time.process_time()
        history.apply_keys(keys, ids=ids)
        spent += time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:,} rows: {resident() - before:,.0f} MiB held, {peak - before:,.0f} MiB at the peak")
    print(f"{1e6 * spent / rows:.0f} microseconds of CPU a row to look up and to remember")


def resident() -> float:
    """Return the resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    sys.exit(main())
