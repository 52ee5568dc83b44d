"""How much human text the filters drop: a filter that drops human text is wrong.

python benchmarks/human.py FOLDER   a folder of `<language>.txt`, a sentence per line, such as NTREX-128

Applies every filter in filters/ that judges one text by itself, with its defaults, to single lines, to
paragraphs of five lines, and to pages of fifteen lines. Uses the even lines: the limits of some filters were
derived from the odd ones (`--lines odd` or `--lines all` use the others). Writes
benchmarks/results/human.csv: language x filter, percent of texts dropped, a row for each length.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from inspect import signature
from pathlib import Path
from pkgutil import iter_modules

import polars as pl

import glotmill.filters
from glotmill.errors import RecipeError, UsageError
from glotmill.languages import find

# What a careful user would apply to replies in prose. `language` has its own benchmark.
DEFAULT_SET = (
    "length",
    "script",
    "repetition",
    "gopher_quality",
    "fineweb_quality",
    "lexical_diversity",
    "refusal",
    "assistant_speak",
    "truncated",
    "mixed_script",
    "mojibake",
    "placeholders",
)  # non_degenerate is repetition and truncated, and needs a prompt
SCORE_FILTERS = ("likelihood", "quality_buckets")  # they judge a column of scores
SHAPES = {"sentence": (1, " "), "paragraph": (5, " "), "page": (15, "\n")}
TAGS = {"shi": "shi_Arab"}  # NTREX writes Tachelhit in Arabic letters
PROBE = "Nobody knows why the river turned and left the old mill standing on dry land."
ERRORS = (
    UsageError,
    pl.exceptions.PolarsError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    TypeError,
    ValueError,
)
RESULTS = Path(__file__).parent / "results" / "human.csv"
Build = Callable[[pl.Expr], pl.Expr]


def judging_one_text() -> dict[str, Build]:
    """Return the filters that read a text and at most its language, and judge each row by itself."""
    filters: dict[str, Build] = {}
    once = pl.DataFrame({"text": [PROBE], "language": ["eng_Latn"]})
    modules = {module.name for module in iter_modules(glotmill.filters.__path__)}
    for module in sorted(modules.difference(SCORE_FILTERS)):
        try:
            function = getattr(import_module(f"glotmill.filters.{module}"), module, None)
            if function is None or signature(function).return_annotation is not pl.Expr:
                continue  # a helper
            verdicts = function(pl.col("text"))
            if set(verdicts.meta.root_names()) - set(once.columns):
                continue
            alone, twice = reasons(once, verdicts), reasons(pl.concat([once, once]), verdicts)
        except ERRORS as error:
            print(f"{module}: left out, {' '.join(str(error).split())[:120]}")
            continue
        if alone[0] is not None:
            print(f"{module}: left out, it requires more than prose ({alone[0]})")
        elif twice.null_count() == 2:  # else it compares rows
            filters[module] = function
    return filters


def reasons(frame: pl.DataFrame, verdicts: pl.Expr) -> pl.Series:
    """Return why a filter drops each row; null keeps it."""
    column = frame.select(verdicts.alias("verdict"))["verdict"]
    return column.struct.field("reason") if isinstance(column.dtype, pl.Struct) else column


def texts(folder: Path, lines: str) -> pl.DataFrame:
    """Read the texts -> code (the file's name), language (its tag), shape, text."""
    parts = []
    for path in sorted(folder.glob("*.txt")):
        try:
            tag = TAGS.get(path.stem) or find(path.stem).tag
        except RecipeError:
            tag = f"{path.stem}_Zzzz"
        chosen = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        chosen = {"odd": chosen[::2], "even": chosen[1::2], "all": chosen}[lines]
        for shape, (number, between) in SHAPES.items():
            joined = [between.join(chosen[i : i + number]) for i in range(0, len(chosen), number)]
            parts.append(
                pl.DataFrame({"text": joined}).select(
                    code=pl.lit(path.stem), language=pl.lit(tag), shape=pl.lit(shape), text="text"
                )
            )
    return pl.concat(parts, rechunk=True)  # a filter is called once for each chunk


def measure(frame: pl.DataFrame, filters: dict[str, Build]) -> pl.DataFrame:
    """Return the texts with a column of reasons for each filter."""
    columns = []
    for name, function in filters.items():
        begun = time.process_time()
        columns.append(reasons(frame, function(pl.col("text"))).alias(f"by_{name}"))
        print(f"{name:20} {len(frame) / (time.process_time() - begun):9,.0f} texts per CPU second")
    return frame.hstack(columns)


def table(judged: pl.DataFrame, filters: Sequence[str]) -> pl.DataFrame:
    """Return percent dropped: a row for each language and shape, a column for each filter, and `total`."""
    default = [name for name in filters if name in DEFAULT_SET]
    dropped = {name: pl.col(f"by_{name}").is_not_null() for name in filters}
    return (
        judged.with_columns(pl.any_horizontal(dropped[name] for name in default).alias("total"), **dropped)
        .group_by("code", "shape", maintain_order=True)
        .agg(pl.len().alias("texts"), *((pl.col(name).mean() * 100).round(2) for name in ["total", *filters]))
    )


def report(shares: pl.DataFrame, judged: pl.DataFrame, filters: Sequence[str], show: str | None) -> None:
    """Print how much each filter drops on average, and where most; and examples for one filter."""
    for name in ["total", *filters]:
        worst = shares.filter(pl.col(name) > 0).sort(name, descending=True).head(6)
        places = ", ".join(
            f"{code} {shape} {share:.1f}" for code, shape, share in worst.select("code", "shape", name).rows()
        )
        print(f"{name:20} mean {shares[name].mean():6.3f} %   {places}")
    print(f"filter, languages of which it drops anything, texts of all {shares['texts'].sum()}:")
    for name in ["total", *filters]:
        dropping = shares.filter(pl.col(name) > 0)
        number = round((dropping[name] * dropping["texts"]).sum() / 100)
        print(f"  {name:20} {dropping['code'].n_unique():3} languages, {number:6} texts")
    over = shares.group_by("code").agg(
        ((pl.col("total") * pl.col("texts")).sum() / pl.col("texts").sum()).alias("percent")
    )
    over = over.filter(pl.col("percent") > 1).sort("percent", descending=True)
    print(f"default set over 1 % in {len(over)} of {shares['code'].n_unique()} languages: {over.rows()}")
    if show:
        for row in (
            judged.filter(pl.col(f"by_{show}").is_not_null())
            .sample(fraction=1, shuffle=True, seed=1)
            .head(40)
            .rows(named=True)
        ):
            print(f"{row['code']} {row['shape']} {row['by_' + show]}: {row['text'][:300]!r}")


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--lines", choices=["even", "odd", "all"], default="even")
    options.add_argument("--only", help="filters, separated by commas; writes no file")
    options.add_argument("--show", help="print examples of texts that this filter drops")
    chosen = options.parse_args()
    filters = judging_one_text()
    if chosen.only:
        filters = {name: filters[name] for name in chosen.only.split(",")}
    print("default set:", *(name for name in DEFAULT_SET if name in filters))
    print("not there:", *(name for name in DEFAULT_SET if name not in filters))
    judged = measure(texts(chosen.folder, chosen.lines), filters)
    shares = table(judged, list(filters))
    report(shares, judged, list(filters), chosen.show)
    if not chosen.only:
        RESULTS.parent.mkdir(exist_ok=True)
        header = f"# percent of human texts dropped; python benchmarks/human.py NTREX --lines {chosen.lines}"
        RESULTS.write_text(f"{header}\n{shares.write_csv()}", "utf-8")
        print(f"written: {RESULTS}")


if __name__ == "__main__":
    main()
