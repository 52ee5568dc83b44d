"""Make filters/length_ratios.csv from a folder of parallel texts.

    python tools/length_ratios.py FOLDER

FOLDER holds one text file per language, named by any code of it; `eng.txt` is English, and line n of every
file is a translation of line n in the others. Columns: mean, the median of log(characters / characters in
English); spread, the standard deviation about it for texts of 100 characters (a text of n characters spreads
sqrt(100 / n) times as much). The row of a script is for its languages without a row. The shipped table was
made from the first 300 lines of NTREX-128 (Federmann et al., 2022), of 9 to 292 characters in English, by
human translators.
"""

import argparse
import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from glotmill.errors import RecipeError
from glotmill.filters.length_ratio import SHORT_AND_LONG, characters
from glotmill.languages import find

TABLE = Path(__file__).parent.parent / "filters" / "length_ratios.csv"


def lengths(file: Path) -> np.ndarray:
    """Return the characters of each line, as the filter counts them."""
    return np.maximum(1, characters(file.read_text(encoding="utf-8").splitlines()))


def fit(text: np.ndarray, english: np.ndarray) -> tuple[float, float]:
    """Return mean and spread of one language."""
    ratios = np.log(text / english)
    mean = float(np.median(ratios))
    size = np.sqrt(english * text / np.exp(mean)).clip(*SHORT_AND_LONG)
    deviation = np.abs(ratios - mean) * np.sqrt(size / 100)
    return mean, max(1.4826 * float(np.median(deviation)), float(np.sqrt((deviation**2).mean())))


def main(folder: Path) -> None:
    """Write the table."""
    english = lengths(folder / "eng.txt")
    rows: dict[str, tuple[float, float]] = {"eng_Latn": (0.0, 0.0)}
    for file in sorted(folder.glob("*.txt"), key=lambda file: (len(file.stem), file.stem)):
        try:
            tag = find(file.stem).tag
        except RecipeError as error:
            print(f"{file.name} skipped: {error}", file=sys.stderr)
            continue
        if tag not in rows:
            rows[tag] = fit(lengths(file), english)
    scripts = defaultdict(list)
    for tag, ratios in rows.items():
        scripts[tag.partition("_")[2]].append(ratios)
    for script, ratio_list in scripts.items():
        means, spreads = np.array(ratio_list).T
        spread = np.sqrt((spreads**2).mean() + max(float(means.var()), 0.2**2 if len(means) < 5 else 0))
        rows[script] = float(means.mean()), float(spread)
    with TABLE.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["language", "mean", "spread"])
        table.writerows([tag, f"{mean:.3f}", f"{spread:.3f}"] for tag, (mean, spread) in sorted(rows.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    main(parser.parse_args().folder)
