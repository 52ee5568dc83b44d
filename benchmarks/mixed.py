"""How much English in a row the filter `language` sees, on a folder of human texts.

python benchmarks/mixed.py FOLDER   <language>.txt, one text a line; also into benchmarks/results/mixed.csv

A row is lines of one language drawn at random, some of them English ones in their place: of 10 lines 1, of
4 lines 1, of 8 lines 2, of 8 lines 4, and all of 4. They stand as lines, or as one paragraph, in which a
headline without a full stop runs on into the next. Only the even lines are drawn, since thresholds may come
from the odd ones (`glotmill calibrate`). For each language and form of row, in percent:

clean      of rows without English, those dropped: false alarms
mixed      of rows with English, those dropped
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
        quarter = (
            table.filter(pl.col("english") == 2).group_by("language").agg(pl.col("clean", "mixed").mean())
        )
        print(quarter.filter((pl.col("clean") > 1) | (pl.col("mixed") < 98)).sort("language"))
        print(overall(table))


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
                for name, between in (("lines", "\n"), ("paragraph", " ")):
                    rows.append((tag, name, lines, english, between.join(clean), between.join(mixed)))
    form = ["form", "lines", "english"]
    frame = pl.DataFrame(rows, schema=["language", *form, "clean", "mixed"], orient="row")
    dropped = [
        pl.col(name).pipe(language, detectors=detectors).struct.field("reason").is_not_null().alias(name)
        for name in ("clean", "mixed")
    ]
    found = frame.with_columns(dropped).group_by("language", *form, maintain_order=True)
    return found.agg(pl.col("clean", "mixed").mean() * 100)


def overall(table: pl.DataFrame) -> pl.DataFrame:
    """The mean over languages."""
    return (
        table.group_by("form", "lines", "english")
        .agg(pl.col("clean", "mixed").mean())
        .sort("form", "lines", "english")
    )


if __name__ == "__main__":
    main()
