"""How well and how fast the filter `language` judges human texts: a folder of <language>.txt, one per line.

python benchmarks/language.py FOLDER          accuracy and speed; writes into benchmarks/results
python benchmarks/language.py FOLDER speed    speed only

The files may be translations of each other, as in NTREX-128. Uses the even lines, since thresholds may come
from the odd ones (`glotmill calibrate`). For each requested language, the share kept:

right       of texts in the language
english     of English texts
neighbour   of texts in the language outside its group that is kept most
other       of texts in all other languages outside its group

The first 150 even lines of the language are judged, 15 of each other language, and 150 of English; a
paragraph is neighbouring lines up to 450 characters. Thresholds are those that glotmill ships.

Speed is in texts per CPU second of one thread, all in one process and in turns, the median of three.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import polars as pl

from glotmill import languages
from glotmill.filters.detectors import installed, labels_of, langdetect, load, version
from glotmill.filters.language import cannot_judge, language

RESULTS = Path(__file__).parent / "results"
ENGLISH = "eng_Latn"
SAME_TEXTS, OTHER_TEXTS = 150, 15  # texts in the language, and in each other one
BATCH = 30_000  # rows that are judged at once
STACKS = {"default": (), "langdetect": ("langdetect",)}


def main() -> None:
    """Print the tables and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="?", choices=("all", "speed"), default="all")
    args = parser.parse_args()
    texts = read(args.folder)
    RESULTS.mkdir(exist_ok=True)
    speed(texts).write_csv(RESULTS / "language_speed.csv", float_precision=1)
    if args.parts == "speed":
        return
    same_labels(texts)
    langdetect._detect = cache(langdetect._detect)  # a piece is judged for many requested languages
    tables = [table(name, stack, texts) for name, stack in STACKS.items()]
    results = pl.concat(tables)
    results.write_csv(RESULTS / "language.csv", float_precision=4)
    shares = pl.col("right", "english", "neighbour", "other")
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_width_chars=120):
        print(results.filter((pl.col("right") < 0.99) | (pl.col("english") > 0) | (pl.col("other") > 0.001)))
        print(results.group_by("stack", "length", maintain_order=True).agg(pl.len(), shares.mean() * 100))


def read(folder: Path) -> dict[str, list[str]]:
    """Return the even lines of each language, from all its files."""
    texts: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").split("\n")[1::2]
        texts.setdefault(languages.find(path.stem).tag, []).extend(filter(str.strip, lines))
    return texts


def joined(lines: Sequence[str], chars: int) -> list[str]:
    """Join neighbouring lines to texts of at least so many characters, or a third of that for Han."""
    texts, parts = [], []
    for line in lines:
        parts.append(line)
        text = " ".join(parts)
        if len(text) >= (chars if text.isascii() or " " in text[:40] else chars / 3):
            texts.append(text)
            parts = []
    return texts


def table(name: str, stack: Sequence[str], texts: dict[str, list[str]]) -> pl.DataFrame:
    """Return the share of texts kept, by requested language and length."""
    tags = [tag for tag in texts if not cannot_judge(tag, detectors=stack)]
    paragraphs = {tag: joined(lines, 450) for tag, lines in texts.items()}
    results = []
    for length, samples in (("sentence", texts), ("paragraph", paragraphs)):
        rows = pl.concat([frame for tag in tags for frame in to_judge(tag, samples)]).sort("text")
        kept = [
            part.select(language(pl.col("text"), detectors=stack).struct.field("reason").is_null())
            for part in rows.iter_slices(BATCH)  # equal texts are neighbours, and judged once
        ]
        judged = rows.with_columns(pl.concat(kept))
        shares = judged.group_by("language", "actual").agg(pl.col("reason").mean())
        results += [(name, length, *row, detector_versions(stack)) for row in summarize(shares, tags)]
    columns = ["stack", "length", "language", "right", "english", "neighbour", "neighbour_is", "other"]
    columns.append("made_with")
    return pl.DataFrame(results, schema=columns, orient="row")


def detector_versions(stack: Sequence[str]) -> str:
    """Return the detectors and their versions."""
    names = stack or [name for name in ("pycld2", "py3langid") if installed(name)]
    return ", ".join(f"{name} {version(name)}" for name in names)


def summarize(shares: pl.DataFrame, tags: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Yield the row of the table for each requested language."""
    for tag in tags:
        rows = shares.filter(pl.col("language") == tag).sort("actual")
        share = dict(rows.select("actual", "reason").iter_rows())
        right, english = share.pop(tag), share.pop(ENGLISH, 0.0)
        neighbour = max(share, key=lambda other: share[other])
        highest = share.pop(neighbour)
        yield tag, right, english, highest, neighbour if highest else "", statistics.fmean(share.values())


def to_judge(tag: str, texts: dict[str, list[str]]) -> Iterator[pl.DataFrame]:
    """Yield the texts that are judged as texts in a language: in it, and in others outside its group."""
    group = languages.confusable(tag)
    for other, lines in texts.items():
        if other == tag or other not in group:
            sample = lines[: SAME_TEXTS if other in (tag, ENGLISH) else OTHER_TEXTS]
            yield pl.DataFrame({"text": sample, "language": tag, "actual": other})


def same_labels(texts: dict[str, list[str]]) -> None:
    """Print how often our scorer of py3langid returns the same label as the package."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    lines = [line for language_lines in texts.values() for line in language_lines]
    scores = load("py3langid")(lines)
    ours = [scores.labels[number] for number in scores.probabilities.argmax(axis=1)]
    same = sum(label == identifier.classify(line)[0] for label, line in zip(ours, lines, strict=True))
    print(f"py3langid: the same label in {same:,} of {len(lines):,} texts")


def speed(texts: dict[str, list[str]]) -> pl.DataFrame:
    """Return texts per CPU second: of detectors alone, and of the filter with several stacks."""
    known = [tag for tag in texts if labels_of("langdetect", tag)]
    known_texts = {tag: texts[tag] for tag in known}
    sentences = rows(known_texts)
    documents = rows({tag: joined(lines, 700) for tag, lines in known_texts.items()})
    few = sentences.gather_every(20), documents.gather_every(60)  # langdetect is slow

    def judged(frame: pl.DataFrame, stack: Sequence[str]) -> Callable[[], object]:
        return lambda: frame.select(language(pl.col("text"), detectors=stack))

    def bare(name: str) -> Callable[[], object]:
        return lambda: load(name)(sentences["text"].to_list())

    runs = {
        ("sentences", "default"): (judged(sentences, ()), len(sentences)),
        ("sentences", "py3langid"): (judged(sentences, ("py3langid",)), len(sentences)),
        ("sentences", "langdetect"): (judged(few[0], ("langdetect",)), len(few[0])),
        ("documents", "default"): (judged(documents, ()), len(documents)),
        ("documents", "py3langid"): (judged(documents, ("py3langid",)), len(documents)),
        ("documents", "langdetect"): (judged(few[1], ("langdetect",)), len(few[1])),
        ("bare sentences", "py3langid"): (bare("py3langid"), len(sentences)),
        ("bare sentences", "pycld2"): (bare("pycld2"), len(sentences)),
    }
    for run, _ in runs.values():
        run()  # loads the models
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for _ in range(3):
        for key, (run, _) in runs.items():
            begin = time.process_time()
            run()
            seconds[key].append(time.process_time() - begin)
    rate = {key: number / statistics.median(seconds[key]) for key, (_, number) in runs.items()}
    lines = [(*key, value, value / rate.get((key[0], "langdetect"), value)) for key, value in rate.items()]
    table = pl.DataFrame(lines, schema=["texts", "stack", "a_cpu_second", "times_langdetect"], orient="row")
    print(f"{len(sentences):,} sentences, {len(documents):,} documents of 700 characters", file=sys.stderr)
    print(table)
    return table


def rows(texts: dict[str, list[str]]) -> pl.DataFrame:
    """Return all texts with their languages, shuffled."""
    frame = pl.concat([pl.DataFrame({"text": lines, "language": tag}) for tag, lines in texts.items()])
    return frame.sample(fraction=1, shuffle=True, seed=0)


if __name__ == "__main__":
    main()
