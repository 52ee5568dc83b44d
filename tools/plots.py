"""Draws the plots of docs/benchmarks.md from benchmarks/results: `python tools/plots.py [FOLDER]`.

Needs matplotlib. The plots are SVG files in FOLDER (default: docs/images).
"""

import csv
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
COLOUR, OTHER = "#00796b", "#b0bec5"


def read(name: str) -> list[dict[str, str]]:
    """Return the rows of a result file; lines that start with # are comments."""
    with (RESULTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def right_language(axes: Axes) -> None:
    """Draw the share of right texts that the filter `language` keeps, one dot per language, sorted."""
    for length, colour in (("sentence", COLOUR), ("paragraph", OTHER)):
        rows = [r for r in read("language") if r["stack"] == "default" and r["length"] == length]
        shares = sorted(100 * float(row["right"]) for row in rows)
        axes.plot(range(1, len(shares) + 1), shares, ".", color=colour, label=f"{length}s")
    axes.set(xlabel="languages, sorted", ylabel="right texts kept (%)")
    axes.legend(frameon=False)


def language_speed(axes: Axes) -> None:
    """Draw how many sentences per CPU second each stack of detectors judges."""
    rows = [row for row in read("language_speed") if row["texts"] == "sentences"]
    axes.barh([row["stack"] for row in rows], [float(row["a_cpu_second"]) for row in rows], color=COLOUR)
    axes.set(xscale="log", xlabel="sentences per CPU second")


def duplicates(axes: Axes) -> None:
    """Draw the speed of near-duplicate detection beside datatrove's, per language."""
    speeds: dict[str, dict[str, float]] = defaultdict(dict)
    for row in read("duplicates"):
        speeds[row["language"]][row["engine"]] = float(row["docs_per_s"])
    languages = sorted(speeds)
    for shift, engine, colour in ((-0.2, "glotmill", COLOUR), (0.2, "datatrove", OTHER)):
        heights = [speeds[language].get(engine, 0) for language in languages]
        positions = [n + shift for n in range(len(languages))]
        axes.bar(positions, heights, 0.4, color=colour, label=engine)
    axes.set_xticks(range(len(languages)), languages)
    axes.set(yscale="log", ylabel="documents per second")
    axes.legend(frameon=False)


def quality(axes: Axes) -> None:
    """Draw how much faster the same three quality filters are than datatrove's, one dot per language."""
    times = sorted(float(row["times_same"]) for row in read("quality"))
    axes.plot(range(1, len(times) + 1), times, ".", color=COLOUR)
    axes.axhline(statistics.median(times), color=OTHER)
    axes.set(xlabel="languages, sorted", ylabel="times as fast as datatrove", ylim=(0, None))


def human_loss(axes: Axes) -> None:
    """Draw the share of human sentences that each filter drops, over all languages."""
    rows = [row for row in read("human") if row["shape"] == "sentence"]
    names = [name for name in rows[0] if name not in ("code", "shape", "texts", "total")]
    texts = sum(int(row["texts"]) for row in rows)
    shares = {n: sum(float(row[n]) * int(row["texts"]) for row in rows) / texts for n in names}
    order = sorted(shares, key=lambda name: shares[name])
    axes.barh(order, [shares[name] for name in order], color=COLOUR)
    axes.set(xlabel="human sentences dropped (%)")


def main(folder: Path) -> None:
    """Write every plot into the folder."""
    mpl.rcParams.update({"svg.hashsalt": "glotmill", "font.size": 9, "axes.spines.top": False})
    mpl.rcParams.update({"axes.spines.right": False, "svg.fonttype": "none", "figure.figsize": (6, 3.2)})
    folder.mkdir(parents=True, exist_ok=True)
    for draw in (right_language, language_speed, duplicates, quality, human_loss):
        figure, axes = plt.subplots(layout="constrained")
        draw(axes)
        figure.savefig(folder / f"{draw.__name__}.svg", metadata={"Date": None})
        plt.close(figure)
        print(folder / f"{draw.__name__}.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
