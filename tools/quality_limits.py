"""Derive the limits and stop words of `gopher_quality` and `fineweb_quality` from texts that people wrote.

    python tools/quality_limits.py FOLDER

FOLDER holds <language>.txt, a sentence or paragraph per line. Writes filters/_text/quality.csv and
stopwords.csv; `--output` names another folder. The shipped tables were made from NTREX-128 (Federmann et al.,
2022).
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from glotmill.errors import RecipeError, UsageError
from glotmill.filters import fineweb_quality, gopher_quality
from glotmill.filters._text import language_limits
from glotmill.filters._text.words import TOKENIZER, words_series
from glotmill.filters.script import script
from glotmill.languages import find

WORDS = 50  # of a paragraph: the filters judge texts from this length
_STOP_WORDS = 25
_PARTS, _IN_PARTS = 5, 4  # a stop word is in 4 of 5 parts of the text; a name is in one story
_MIN_LINES = 50
_DEVIATIONS = 5  # standard deviations between the mean and a limit
_WORDS_PER_LINE = 22.0  # English, in newstest2019, for which FineWeb's limit is 0.3 line ends per word
_JUDGED_LINES = 20  # from which fineweb_quality judges the share that ends in punctuation
_ZAWGYI = r"\x{1039}(?:[^\x{1000}-\x{1021}]|\z)"  # Burmese in an encoding before Unicode
# The range of each limit: not all texts that are judged are news.
_BOUNDS = {"letters": (0.2, 0.3), "stop_words": (0.0, 2.0), "line_ends": (0.0, 0.12), "new_lines": (0.2, 0.6)}
_UPPER = ("longest_words", "new_lines")  # the other limits are lower ones


def calibrate_quality(reference: Path, folder: Path | None = None) -> pl.DataFrame:
    """Write quality.csv and stopwords.csv into a folder -> language, name, value, tokenizer, derived.

    reference: a folder of `<language>.txt`. Files of one language (`eng-GB`, `eng-US`) are joined. Files that
    name no language, are in another script than their tag, or hold Burmese in Zawgyi encoding are left out.
    folder: that of the filters by default.

    Uses the odd lines, joined to paragraphs of at least 50 words. A limit is 5 standard deviations of the
    paragraphs from their mean, within bounds (word lengths: at least 35 % below and 80 % above the mean). Two
    stop words are required if every paragraph has at least 3, and 2 are 3 deviations below the mean; one if
    every paragraph has at least 2; else none. Stop words are the 25 words that occur in the most lines, and
    in four fifths of the text.
    Raises UsageError for a folder without such files, or with too few lines of a language.
    """
    texts = {tag: lines[::2] for tag, lines in read(reference).items()}
    frequent = {tag: _frequent(lines) for tag, lines in texts.items()}
    target = folder or language_limits.LIMITS.parent
    rows = {tag: _limits(tag, lines, frequent[tag]) for tag, lines in texts.items()}
    table = _table(rows)
    stops = [
        {"language": tag, "words": " ".join(words), "tokenizer": TOKENIZER} for tag, words in frequent.items()
    ]
    pl.DataFrame(stops).write_csv(target / "stopwords.csv")
    table.write_csv(target / "quality.csv", float_precision=3)
    return table


def read(reference: Path) -> dict[str, list[str]]:
    """Return the lines of each language, by tag."""
    texts: dict[str, list[str]] = {}
    for path in sorted(reference.glob("*.txt")):
        try:
            tag = find(path.stem).tag
        except RecipeError:
            continue
        lines = pl.Series("text", path.read_text(encoding="utf-8").splitlines(), pl.String)
        lines = lines.filter(lines.str.strip_chars() != "")
        if _in_script(lines, tag) and not lines.str.contains(_ZAWGYI).sum() > len(lines) / 10:
            texts.setdefault(tag, []).extend(lines)
    if not texts:
        raise UsageError(f"{reference}: no files such as swh.txt, with a sentence a line")
    return dict(sorted(texts.items()))


def paragraphs(lines: Sequence[str], words: int = WORDS) -> list[str]:
    """Return for each line a paragraph from it on: the fewest lines that together have so many words."""
    ends = words_series(pl.Series(lines)).list.len().cum_sum()
    begins = ends.shift(1, fill_value=0)
    last = ends.search_sorted(begins + words)
    return ["\n".join(lines[i : end + 1]) for i, end in enumerate(last) if end < len(lines)]


def _in_script(lines: pl.Series, tag: str) -> bool:
    rows = lines.to_frame("text").with_columns(pl.lit(tag).alias("language"))
    reasons = rows.select(script(pl.col("text")).struct.field("reason"))["reason"]
    return reasons.null_count() > len(lines) / 2


def _frequent(lines: Sequence[str]) -> list[str]:
    part = -(-len(lines) // _PARTS)
    rows = pl.DataFrame(
        {"part": [i // part for i in range(len(lines))], "word": words_series(pl.Series(lines))}
    )
    counts = (
        rows.with_columns(pl.col("word").list.unique())
        .explode("word")
        .filter(pl.col("word").str.contains(r"\p{L}"))
        .group_by("word")
        .agg(pl.len().alias("lines"), pl.col("part").n_unique().alias("parts"))
        .filter(pl.col("parts") >= _IN_PARTS)
        .sort("lines", "word", descending=[True, False])
    )
    return counts["word"].head(_STOP_WORDS).to_list()


def _limits(tag: str, lines: Sequence[str], stop: Sequence[str]) -> dict[str, float]:
    if len(lines) < _MIN_LINES:
        raise UsageError(f"{tag}: {2 * len(lines)} lines; {2 * _MIN_LINES} are needed")
    texts = paragraphs(lines)
    text = pl.Series(texts)
    gopher = gopher_quality.measures(text, pl.Series([" ".join(stop)] * len(text)))
    line_ends = fineweb_quality.line_ends(pl.Series(lines))
    ends = int(line_ends["ended"].sum()) / max(int(line_ends["lines"].sum()), 1)
    words = int(fineweb_quality.word_counts(pl.Series(lines)).sum())
    mean, spread = _spread(gopher["word_length"])
    limits = {
        "shortest_words": min(mean - spread, 0.65 * mean),
        "longest_words": max(mean + spread, 1.8 * mean),
        "letters": _low(gopher["letters"]),
        "stop_words": _fewest(gopher["stop_words"]),
        "line_ends": ends - _DEVIATIONS * (ends * (1 - ends) / _JUDGED_LINES) ** 0.5,
        "new_lines": 0.3 * _WORDS_PER_LINE * len(lines) / words,
    }
    return {name: _bounded(name, value) for name, value in limits.items()}


def _spread(values: pl.Series, deviations: float = _DEVIATIONS) -> tuple[float, float]:
    """Return the mean, and the distance of a limit from it."""
    plain = values.drop_nulls().to_numpy()
    return float(plain.mean()), deviations * float(plain.std())


def _low(values: pl.Series, deviations: float = _DEVIATIONS) -> float:
    mean, spread = _spread(values, deviations)
    return mean - spread


def _fewest(numbers: pl.Series) -> float:
    """Return how many stop words to require: Gopher's 2 if every paragraph has clearly more, or 1, or 0."""
    fewest = min(numbers)
    return 2.0 if fewest > 2 and _low(numbers, 3) >= 2 else float(fewest >= 2)


def _bounded(name: str, value: float) -> float:
    low, high = _BOUNDS.get(name, (0.0, 100.0))
    return round(min(max(value, low), high), 3)


def _table(rows: Mapping[str, Mapping[str, float]]) -> pl.DataFrame:
    """Return the rows of quality.csv: the languages, then the loosest limits of their scripts and of all."""
    languages = pl.DataFrame([{"language": tag, **values} for tag, values in rows.items()])
    languages = languages.unpivot(index="language", variable_name="name", value_name="value")
    script = pl.col("language").str.extract(r"(_[A-Z][a-z]{3})\b")
    upper = pl.col("name").is_in(_UPPER)
    loosest = (
        pl.when(upper.first()).then(pl.col("value").max()).otherwise(pl.col("value").min()).alias("value")
    )
    scripts = languages.group_by((language_limits.ANY + script).alias("language"), "name").agg(loosest)
    every = (
        languages.group_by("name")
        .agg(loosest)
        .select(pl.lit(language_limits.ANY).alias("language"), "name", "value")
    )
    parts = [
        languages.sort("language", maintain_order=True).with_columns(derived=pl.lit("own")),
        scripts.sort("language", "name").with_columns(derived=pl.lit("loosest of the script")),
        every.sort("name").with_columns(derived=pl.lit("loosest of all")),
    ]
    return pl.concat(parts).select(
        "language", "name", "value", pl.lit(TOKENIZER).alias("tokenizer"), "derived"
    )


def main() -> None:
    """Parse the command line and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="texts, <language>.txt")
    parser.add_argument("-o", "--output", type=Path, help="folder for the tables; default: filters/_text")
    args = parser.parse_args()
    table = calibrate_quality(args.folder, args.output)
    print(f"{table['language'].n_unique()} languages and scripts, {len(table)} limits")


if __name__ == "__main__":
    main()
