"""Measure glotmill-nano through the recipes: how many rows pass a recipe's own filters, as a Markdown table.

    python tools/nano/recipes.py --model generators/nano --each 40

A row passes if every filter of the recipe keeps it, retries counted in; rows dropped only because an earlier
row said the same are left out. "number" is the share of all reasoning rows with a solution, whatever else is
wrong with them, that end in the right number.
"""

import argparse
import tempfile
from pathlib import Path

import polars as pl
from make_text import LANGUAGES

import glotmill
from glotmill.errors import ShortfallError
from glotmill.filters.final_number import final_number

RECIPES = ("instruction", "dialogue", "reasoning")


def rows(recipe: str, model: Path, each: int, folder: Path) -> pl.DataFrame:
    """Run a recipe in every language and return all its rows."""
    try:
        glotmill.run(
            recipe,
            engine="transformers",
            model=str(model),
            languages=LANGUAGES,
            per_language=each,
            folder=folder,
        )
    except ShortfallError as error:
        print(error)
    return glotmill.Run(folder).rows().collect()


def shares(recipe: str, made: pl.DataFrame) -> pl.DataFrame:
    """rows: language, verdict, reason -> language, <recipe> (percent), for reasoning also number."""
    judged = made.filter(pl.col("reason").ne_missing("duplicate"))
    found = judged.group_by("language").agg((100 * (pl.col("verdict") == "kept").mean()).alias(recipe))
    if recipe != "reasoning":
        return found
    solved = made.filter(pl.col("solution").is_not_null()).unique("id")
    right = final_number(pl.col("solution")).struct.field("reason").is_null()
    return found.join(solved.group_by("language").agg((100 * right.mean()).alias("number")), on="language")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure glotmill-nano through the recipes.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--each", type=int, default=40, help="accepted rows by recipe and language")
    parser.add_argument("--recipes", nargs="+", default=RECIPES, choices=RECIPES)
    options = parser.parse_args()
    table = pl.DataFrame({"language": LANGUAGES})
    with tempfile.TemporaryDirectory() as temporary:
        for recipe in options.recipes:
            made = rows(recipe, options.model, options.each, Path(temporary) / recipe)
            table = table.join(shares(recipe, made), on="language", how="left")
    print(f"| {' | '.join(table.columns)} |\n{'|---' * table.width}|")
    for row in (*table.rows(), ("mean", *table.drop("language").mean().row(0))):
        print(f"| {row[0]} | {' | '.join(f'{cell:.0f}' for cell in row[1:])} |")


if __name__ == "__main__":
    main()
