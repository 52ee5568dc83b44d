"""How much English in a row the filter `language` sees, on a folder of human texts.

python benchmarks/mixed.py FOLDER   <language>.txt, one text a line; also into benchmarks/results/mixed.csv

A row is lines of one language drawn at random, some of them English ones in their place: of 4 lines 1, of 8
lines 2, of 10 lines 1, of 8 lines 4, and all of 4. Two forms: `lines`, one a line, and `paragraph`, all
joined by spaces, in which a headline without a full stop runs on into the next line. Only the even lines are
drawn, since thresholds may come from the odd ones (`glotmill calibrate`). As a line may be long or short, the
English ones of four are 5 to 50 % of the letters; the rows where they are 20 to 30 % are looked at by
themselves. For each language and form of row, in percent:

clean      of rows without English, those dropped: false alarms
mixed      of rows with English, those dropped
quarter    of rows in which English is 20 to 30 % of the letters, those dropped; rows: how many there are

A folder may hold English lines in the file of another language: these are counted as they stand, so the
table is printed for languages of many false alarms, and in all.
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
        each = fourth.group_by("language").agg(pl.col("clean", "mixed").mean())
        print(each.filter((pl.col("clean") > 1) | (pl.col("mixed") < 96)).sort("language"))
        print(overall(table, "form", "lines", "english"))
        free = each.filter(pl.col("clean") == 0)
        print(f"no false alarm in {len(free)} of {len(each)} languages")
        print("English one line of four, of 4 and 8 lines:", overall(fourth, "form"), overall(fourth))


def read(folder: Path, detectors: Sequence[str] = ()) -> dict[str, list[str]]:
    """The even lines of each language that can be judged, of all its files."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        try:
            tag = languages.find(path.stem).tag
        except RecipeError:
            print(f"{path.name}: no language of ours")
            continue
        if not cannot_judge(tag, detectors=detectors):
            lines = path.read_text(encoding="utf-8").split("\n")[1::2]
            found.setdefault(tag, []).extend(filter(str.strip, lines))
    return found


def measured(texts: dict[str, list[str]], detectors: Sequence[str]) -> pl.DataFrame:
    """The share of rows dropped, by language and form."""
    rows = []
    for tag in sorted(texts.keys() - {ENGLISH}):
        draw = random.Random(tag)
        for lines, english in FORMS:
            for _ in range(ROWS):
                clean = draw.sample(texts[tag], lines)
                places = draw.sample(range(lines), english)
                said = dict(zip(places, draw.sample(texts[ENGLISH], english), strict=True))
                mixed = [said.get(place, line) for place, line in enumerate(clean)]
                share = letters(list(said.values())) / letters(mixed)
                for name, between in (("lines", "\n"), ("paragraph", " ")):
                    rows.append((tag, name, lines, english, share, between.join(clean), between.join(mixed)))
    form = ["form", "lines", "english"]
    frame = pl.DataFrame(rows, schema=["language", *form, "share", "clean", "mixed"], orient="row")
    dropped = [
        pl.col(name).pipe(language, detectors=detectors).struct.field("reason").is_not_null().alias(name)
        for name in ("clean", "mixed")
    ]
    found = frame.with_columns(dropped).group_by("language", *form, maintain_order=True)
    quarter = pl.col("share").is_between(0.2, 0.3)
    return found.agg(
        pl.col("clean", "mixed").mean() * 100,
        pl.col("mixed").filter(quarter).mean().alias("quarter") * 100,
        quarter.sum().alias("rows"),
    )


def letters(lines: Sequence[str]) -> int:
    """How many letters there are."""
    return sum(map(str.isalpha, "".join(lines)))


def overall(table: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The mean over languages; of `quarter`, over rows."""
    quarter = (pl.col("quarter") * pl.col("rows")).sum() / pl.col("rows").sum()
    means = [pl.col("clean", "mixed").mean(), quarter, pl.col("rows").sum()]
    return table.group_by(*by).agg(means).sort(*by) if by else table.select(means)


if __name__ == "__main__":
    main()
