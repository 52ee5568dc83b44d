"""Names of the columns that glotmill itself makes, and of the verdicts that they hold."""

import polars as pl

SEED_KEY = "seed_key"  # a column of rows/ alone: the same for all rows that come from equal seed rows
MADE = ("id", "row", "language")  # columns that every table of a shard has
VERDICTS = {"verdict": pl.String(), "reason": pl.String(), "reason_at": pl.String()}
