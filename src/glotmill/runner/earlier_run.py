"""What an earlier command left in the folder of a run, and what becomes of it when another one begins."""

import logging
from collections.abc import Mapping
from typing import Any

from glotmill.errors import UsageError
from glotmill.io import run_files
from glotmill.recipes.recipe import Recipe
from glotmill.runner.open_engine import EngineOptions
from glotmill.runner.run_folder import DamagedInfo, Run

MAX_SHARD = 256  # seed rows per shard
MIN_SHARD = 8
MAX_FIRST_SHARD = 32  # if none of so many seed rows leads to an accepted row, that is enough to know

_logger = logging.getLogger("glotmill")


def earlier_info(run: Run) -> dict[str, Any] | None:
    """Return the content of `run.json`; None if there is none, or, with a warning, if it is damaged."""
    if not (run.folder / "run.json").exists():
        return None
    try:
        info = run.info()
        _ = info["recipe"], info["shard_size"]
        return info
    except DamagedInfo as error:
        _logger.warning("%s: %s; it is written anew", error.path, error.problem)
        return None


def refuse_another_run(
    run: Run, info: Mapping[str, Any], recipe: Recipe, engines: Mapping[str, EngineOptions]
) -> None:
    """Refuse a folder with a run of another recipe, and echoed replies in a folder of real ones.

    info: `run.json`.
    """
    name = info["recipe"].get("name")
    if name != recipe.name:
        raise UsageError(
            f"{run.folder}: holds a run of {name!r}, not of {recipe.name!r}; name another folder"
        )
    has_replies = next(run.folder.glob("replies/*.jsonl"), None) is not None
    of_models = info.get("models") or {}
    for name, engine in engines.items():
        earlier = (of_models.get(name) or {}).get("engine") if name else info.get("engine")
        if has_replies and earlier and earlier != engine.name and "echo" in (earlier, engine.name):
            raise UsageError(
                f"{run.folder}: its replies come from the engine {earlier}, and would be mistaken for those "
                f"of {engine.name}; name another folder, or remove this one"
            )


def shard_sizes(run: Run, info: Mapping[str, Any] | None, target: int) -> tuple[int, int]:
    """Return the seed rows per shard, and of the first one. A run keeps them: journals are named by shard.

    info: `run.json`. target: the accepted rows that the user asks for.
    """
    if info is not None:
        return int(info["shard_size"]), int(info.get("first_shard", info["shard_size"]))
    size = min(MAX_SHARD, max(MIN_SHARD, target // 4))
    seeds = _seeds_of_shards(run)
    if 0 not in seeds:
        return size, min(MAX_FIRST_SHARD, max(MIN_SHARD, target // 16))
    before = first = seeds[0]
    for number in range(1, max(seeds) + 1):  # a shard has as many as all before it, up to the size of shards
        if seeds.get(number, before) < before:
            return max(first, seeds[number]), first
        before += seeds.get(number, before)
    return max(size, *seeds.values()), first


def remove_stale_datasets(run: Run, info: Mapping[str, Any] | None, new: Mapping[str, Any]) -> None:
    """Remove the dataset of each language that is not of this run, or that another recipe or model made.

    It can be made again from the replies, which stay. info, new: `run.json` of before and of now.
    """
    tags = new["languages"]
    if info is not None:
        same_run = all(info.get(name) == new[name] for name in ("model", "revision"))
        same_run &= info.get("models") == new.get("models") and _digest(info) == _digest(new)
        tags = [t for t in tags if same_run and _templates(info, t) == _templates(new, t)]
    if removed := run_files.remove_dataset(run.folder, keep=tags):
        _logger.info(
            "dataset/ held %s of an earlier command with other languages, templates or settings: removed; "
            "its replies are kept",
            ", ".join(removed),
        )


def _seeds_of_shards(run: Run) -> dict[int, int]:
    """Return how many seed rows the shards in `rows/` began with, by their numbers: most of any language."""
    seeds: dict[int, int] = {}
    for path in run_files.shard_files(run.folder):
        if found := run.intact_shard(path.stem):
            number = run_files.shard_number(path)
            seeds[number] = max(seeds.get(number, 0), found.seeds)
    return seeds


def _templates(info: Mapping[str, Any], tag: str) -> Any:
    return (info.get("templates") or {}).get(tag)


def _digest(info: Mapping[str, Any]) -> str | None:
    """Return the digest of the recipe in a `run.json`; None where an earlier version wrote another kind."""
    try:
        return Recipe.model_validate(info["recipe"]).digest()
    except ValueError:
        return None
