"""Makes filters/length_ratios.csv: `python tools/length_ratios.py FOLDER` of one text file a language.

Line n of every file says the same, `eng.txt` is the English; a file is named by any code of its language.
mean: of log(characters / characters in English), the middle one. spread: the standard deviation about it,
brought to texts of 100 characters: a text of n characters spreads sqrt(100 / n) times as much. A row for a
script is for its languages that have none. The shipped table was made from the first 300 lines of NTREX-128
(Federmann et al., 2022), 9 to 292 characters in English, written by human translators.
"""

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
    """Characters of each line, as the filter counts them."""
    return np.maximum(1, characters(file.read_text(encoding="utf-8").splitlines()))


def fit(text: np.ndarray, english: np.ndarray) -> tuple[float, float]:
    """Mean and spread of one language."""
    ratios = np.log(text / english)
    mean = float(np.median(ratios))
    size = np.sqrt(english * text / np.exp(mean)).clip(*SHORT_AND_LONG)
    apart = np.abs(ratios - mean) * np.sqrt(size / 100)
    return mean, max(1.4826 * float(np.median(apart)), float(np.sqrt((apart**2).mean())))


def main(folder: Path) -> None:
    """Write the table."""
    english = lengths(folder / "eng.txt")
    rows: dict[str, tuple[float, float]] = {"eng_Latn": (0.0, 0.0)}
    for file in sorted(folder.glob("*.txt"), key=lambda file: (len(file.stem), file.stem)):
        try:
            tag = find(file.stem).tag
        except RecipeError as error:
            print(f"{file.name}: left out: {error}", file=sys.stderr)
            continue
        if tag not in rows:
            rows[tag] = fit(lengths(file), english)
    scripts = defaultdict(list)
    for tag, found in rows.items():
        scripts[tag.partition("_")[2]].append(found)
    for script, found in scripts.items():
        means, spreads = np.array(found).T
        within = np.sqrt((spreads**2).mean() + max(float(means.var()), 0.2**2 if len(means) < 5 else 0))
        rows[script] = float(means.mean()), float(within)
    with TABLE.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["language", "mean", "spread"])
        table.writerows([tag, f"{mean:.3f}", f"{spread:.3f}"] for tag, (mean, spread) in sorted(rows.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
