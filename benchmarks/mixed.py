"""How much English inside rows the filter `language` detects, on a folder of human texts.

python benchmarks/mixed.py FOLDER   <language>.txt, one text per line; writes benchmarks/results/mixed.csv

A row consists of random lines of one language, some replaced by English ones: 1 of 4 lines, 2 of 8, 1 of 10,
4 of 8, and 4 of 4. It has two forms: `lines`, and `paragraph`, joined by spaces, in which a headline without
a full stop runs on into the next line. Uses the even lines, since thresholds may come from the odd ones
(`glotmill calibrate`). Lines differ in length, so one of four is 5 to 50 % of the letters; `quarter` counts
only rows with 20 to 30 %. Columns, for each language and form, in percent:

clean      dropped rows without English: false alarms
mixed      dropped rows with English
quarter    dropped rows in which English is 20 to 30 % of the letters; rows: their number

A file of another language may contain English lines, which count as false alarms. So the script prints the
languages with many of them, and the means.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from glotmill import languages
from glotmill.errors import RecipeError
from glotmill.filters.language import cannot_judge, language

RESULTS = Path(__file__).parent / "results"
ENGLISH = "eng_Latn"
ROWS = 60  # of each language and form
FORMS = ((10, 1), (4, 1), (8, 2), (8, 4), (4, 4))  # lines, English ones among them


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--detectors", nargs="*", default=())
    args = parser.parse_args()
    table = measured(read(args.folder, args.detectors), args.detectors)
    RESULTS.mkdir(exist_ok=True)
    table.write_csv(RESULTS / "mixed.csv", float_precision=2)
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_width_chars=120):
        fourth = table.filter(pl.col("lines") == 4 * pl.col("english"))
        by_language = fourth.group_by("language").agg(pl.col("clean", "mixed").mean())
        print(by_language.filter((pl.col("clean") > 1) | (pl.col("mixed") < 96)).sort("language"))
        print(overall(table, "form", "lines", "english"))
        clean = by_language.filter(pl.col("clean") == 0)
        print(f"no false alarm in {len(clean)} of {len(by_language)} languages")
        print("English one line of four, of 4 and 8 lines:", overall(fourth, "form"), overall(fourth))


def read(folder: Path, detectors: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return the even lines of each language that can be judged, from all its files."""
    texts: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        try:
            tag = languages.find(path.stem).tag
        except RecipeError:
            print(f"{path.name}: skipped, no language has this code")
            continue
        if not cannot_judge(tag, detectors=detectors):
            lines = path.read_text(encoding="utf-8").split("\n")[1::2]
            texts.setdefault(tag, []).extend(filter(str.strip, lines))
    return texts


def measured(texts: dict[str, list[str]], detectors: Sequence[str]) -> pl.DataFrame:
    """Return the share of rows dropped, by language and form."""
    rows = []
    for tag in sorted(texts.keys() - {ENGLISH}):
        draw = random.Random(tag)
        for lines, english in FORMS:
            for _ in range(ROWS):
                clean = draw.sample(texts[tag], lines)
                places = draw.sample(range(lines), english)
                replaced = dict(zip(places, draw.sample(texts[ENGLISH], english), strict=True))
                mixed = [replaced.get(number, line) for number, line in enumerate(clean)]
                share = letters(list(replaced.values())) / letters(mixed)
                for name, between in (("lines", "\n"), ("paragraph", " ")):
                    rows.append((tag, name, lines, english, share, between.join(clean), between.join(mixed)))
    form = ["form", "lines", "english"]
    frame = pl.DataFrame(rows, schema=["language", *form, "share", "clean", "mixed"], orient="row")
    dropped = [
        pl.col(name).pipe(language, detectors=detectors).struct.field("reason").is_not_null().alias(name)
        for name in ("clean", "mixed")
    ]
    groups = frame.with_columns(dropped).group_by("language", *form, maintain_order=True)
    quarter = pl.col("share").is_between(0.2, 0.3)
    return groups.agg(
        pl.col("clean", "mixed").mean() * 100,
        pl.col("mixed").filter(quarter).mean().alias("quarter") * 100,
        quarter.sum().alias("rows"),
    )


def letters(lines: Sequence[str]) -> int:
    """Return the number of letters."""
    return sum(map(str.isalpha, "".join(lines)))


def overall(table: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Return the mean over languages; for `quarter`, over rows."""
    quarter = (pl.col("quarter") * pl.col("rows")).sum() / pl.col("rows").sum()
    means = [pl.col("clean", "mixed").mean(), quarter, pl.col("rows").sum()]
    return table.group_by(*by).agg(means).sort(*by) if by else table.select(means)


if __name__ == "__main__":
    main()
