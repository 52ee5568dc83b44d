"""How well and how fast the filter `language` judges, on a folder of human texts: <language>.txt, one a line.

python benchmarks/language.py FOLDER          the table and the speed, also into benchmarks/results
python benchmarks/language.py FOLDER speed    the speed only

Line n of each file may say the same, as in NTREX-128. Only the even lines are judged, since thresholds may
come from the odd ones (`glotmill calibrate`). For each language, of texts put to the filter as if in it:

right       of its own texts, the share kept
english     of English texts, the share kept
neighbour   of the language outside its group that is kept most, the share kept
other       of all other languages outside its group, the share kept

Each language's own texts are the first 150 even lines, of each other language 15 are put to it (of English
150); a paragraph is neighbouring lines up to 450 characters. Thresholds are those that glotmill ships.

Speed is in texts a CPU second of one thread, all in one process and in turns, the median of three.
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
OWN, EACH = 150, 15  # texts of the language itself, and of each other one
PART = 30_000  # rows put to the filter at once
STACKS = {"default": (), "langdetect": ("langdetect",)}


def main() -> None:
    """Print the tables and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", nargs="?", choices=("all", "speed"), default="all")
    args = parser.parse_args()
    texts = read(args.folder)
    RESULTS.mkdir(exist_ok=True)
    speed(texts).write_csv(RESULTS / "language_speed.csv", float_precision=1)
    if args.what == "speed":
        return
    same_labels(texts)
    langdetect._detect = cache(langdetect._detect)  # a piece is put to it for many languages asked for
    tables = [table(name, stack, texts) for name, stack in STACKS.items()]
    whole = pl.concat(tables)
    whole.write_csv(RESULTS / "language.csv", float_precision=4)
    shares = pl.col("right", "english", "neighbour", "other")
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_width_chars=120):
        print(whole.filter((pl.col("right") < 0.99) | (pl.col("english") > 0) | (pl.col("other") > 0.001)))
        print(whole.group_by("stack", "length", maintain_order=True).agg(pl.len(), shares.mean() * 100))


def read(folder: Path) -> dict[str, list[str]]:
    """The even lines of each language, of all its files."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").split("\n")[1::2]
        found.setdefault(languages.find(path.stem).tag, []).extend(filter(str.strip, lines))
    return found


def joined(lines: Sequence[str], chars: int) -> list[str]:
    """Neighbouring lines as texts of at least so many characters; of Han and the like, a third of them."""
    found, parts = [], []
    for line in lines:
        parts.append(line)
        whole = " ".join(parts)
        if len(whole) >= (chars if whole.isascii() or " " in whole[:40] else chars / 3):
            found.append(whole)
            parts = []
    return found


def table(name: str, stack: Sequence[str], texts: dict[str, list[str]]) -> pl.DataFrame:
    """The share of texts kept, by language asked for and length."""
    asked = [tag for tag in texts if not cannot_judge(tag, detectors=stack)]
    found = []
    for length, of in (("sentence", texts), ("paragraph", {t: joined(x, 450) for t, x in texts.items()})):
        put = pl.concat([frame for tag in asked for frame in to_judge(tag, of)]).sort("text")
        kept = [
            part.select(language(pl.col("text"), detectors=stack).struct.field("reason").is_null())
            for part in put.iter_slices(PART)  # a text that is put often is looked at once
        ]
        shares = put.with_columns(pl.concat(kept)).group_by("language", "of").agg(pl.col("reason").mean())
        found += [(name, length, *row, made_with(stack)) for row in summed_up(shares, asked)]
    columns = ["stack", "length", "language", "right", "english", "neighbour", "neighbour_is", "other"]
    columns.append("made_with")
    return pl.DataFrame(found, schema=columns, orient="row")


def made_with(stack: Sequence[str]) -> str:
    """The detectors and their versions."""
    names = stack or [name for name in ("pycld2", "py3langid") if installed(name)]
    return ", ".join(f"{name} {version(name)}" for name in names)


def summed_up(shares: pl.DataFrame, asked: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """For each language asked for, its row of the table."""
    for tag in asked:
        rows = shares.filter(pl.col("language") == tag).sort("of")
        share = dict(rows.select("of", "reason").iter_rows())
        own, english = share.pop(tag), share.pop(ENGLISH, 0.0)
        neighbour = max(share, key=lambda other: share[other])
        most = share.pop(neighbour)
        yield tag, own, english, most, neighbour if most else "", statistics.fmean(share.values())


def to_judge(tag: str, texts: dict[str, list[str]]) -> Iterator[pl.DataFrame]:
    """What is put to the filter as a text in the language: its own texts and others'."""
    group = languages.confusable(tag)
    for other, lines in texts.items():
        if other == tag or other not in group:
            some = lines[: OWN if other in (tag, ENGLISH) else EACH]
            yield pl.DataFrame({"text": some, "language": tag, "of": other})


def same_labels(texts: dict[str, list[str]]) -> None:
    """Print how often our scorer of py3langid gives the label that the package gives."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    lines = [line for each in texts.values() for line in each]
    found = load("py3langid")(lines)
    ours = [found.labels[number] for number in found.probabilities.argmax(axis=1)]
    same = sum(one == identifier.classify(line)[0] for one, line in zip(ours, lines, strict=True))
    print(f"py3langid: the same label in {same:,} of {len(lines):,} texts")


def speed(texts: dict[str, list[str]]) -> pl.DataFrame:
    """Texts a CPU second: bare detectors, and the filter with the default stack and with langdetect."""
    known = [tag for tag in texts if labels_of("langdetect", tag)]
    some = {tag: texts[tag] for tag in known}
    sentences = rows(some)
    documents = rows({tag: joined(lines, 700) for tag, lines in some.items()})
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
        run()  # models are loaded
    taken: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for _ in range(3):
        for key, (run, _) in runs.items():
            begin = time.process_time()
            run()
            taken[key].append(time.process_time() - begin)
    rate = {key: number / statistics.median(taken[key]) for key, (_, number) in runs.items()}
    lines = [(*key, each, each / rate.get((key[0], "langdetect"), each)) for key, each in rate.items()]
    found = pl.DataFrame(lines, schema=["texts", "stack", "a_cpu_second", "times_langdetect"], orient="row")
    print(f"{len(sentences):,} sentences, {len(documents):,} documents of 700 characters", file=sys.stderr)
    print(found)
    return found


def rows(texts: dict[str, list[str]]) -> pl.DataFrame:
    """All texts, with their own language, the languages mixed."""
    frame = pl.concat([pl.DataFrame({"text": lines, "language": tag}) for tag, lines in texts.items()])
    return frame.sample(fraction=1, shuffle=True, seed=0)


if __name__ == "__main__":
    main()
