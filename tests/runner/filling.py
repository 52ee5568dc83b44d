"""A language as it fills, shard by shard, for tests."""

from pathlib import Path
from typing import Any

import polars as pl
from spy import write

from glotmill.languages import find
from glotmill.recipes.read import read_recipe
from glotmill.recipes.seeds import open_seeds
from glotmill.runner import check
from glotmill.runner.finish_filters import LanguageFinish
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.run_folder import Run, ShardInfo

PLAIN = """
about: A test.
seeds: {rows: [{topic: x}]}
steps: [{generate: draft}]
finish:
  - {filter: duplicates, of: draft}
  - {filter: duplicates, of: topic, skip: true}
  - {filter: duplicates, of: topic}
output: {columns: [draft]}
"""


def language(folder: Path, target: int = 100, recipe: str = PLAIN, **counts: Any) -> LanguageFinish:
    parsed = read_recipe(write(folder / "mine", recipe, draft="{{ topic }}"))
    plan = check.plan(parsed, find("eng"), open_seeds(parsed), "m")
    return LanguageFinish(LanguageQuota(plan, target, 4, **counts), Run(folder))


def rows(*drafts: str, topics: str = "") -> pl.DataFrame:
    kept = [not draft.startswith("-") for draft in drafts]
    return pl.DataFrame(
        {
            "id": [f"{n}" for n in range(len(drafts))],
            "row": range(len(drafts)),
            "language": ["eng_Latn"] * len(drafts),
            "draft": drafts,
            "topic": list(topics) or list(drafts),
            "verdict": ["kept" if k else "dropped" for k in kept],
            "reason": [None if k else "too_short" for k in kept],
            "reason_at": [None if k else "draft.length" for k in kept],
        },
        schema_overrides={"reason": pl.String, "reason_at": pl.String},
    )


def info(table: pl.DataFrame) -> ShardInfo:
    return ShardInfo("d", table.height, table.filter(verdict="kept").height)


def open_all(quota: LanguageQuota) -> list[int]:
    """Open shards as long as one is needed; return their sizes."""
    sizes = []
    while quota.needs_shard:
        start, stop = quota.next_seeds
        sizes.append(stop - start)
        quota.count_opened(stop - start)
    return sizes
