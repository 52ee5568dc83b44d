"""Rows to compare with: anything that `glotmill.io.rows` reads, or a benchmark of benchmarks.csv."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from glotmill.errors import RecipeError, UsageError
from glotmill.io.hub_names import HubPath
from glotmill.io.rows import FileRows, HubRows, Row, is_file_name, open_rows
from glotmill.io.rows.hub import hub_errors

_TABLE = Path(__file__).with_name("benchmarks.csv")


@dataclass(frozen=True)
class Reference:
    """Where rows to compare with are."""

    spec: str  # as the user wrote it
    name: str  # snake_case
    source: FileRows | HubRows
    configs: str = "*"  # a pattern; of a dataset of the Hub, as splits are
    splits: str = ""  # patterns, with a blank between; empty: all but train, or train where it stands alone
    columns: tuple[str, ...] = ()  # empty: all


def find(spec: str, columns: Sequence[str] = ()) -> Reference:
    """Return the reference that a text names, after checking what can be checked without the network.

    spec: a location of rows, or the name of a benchmark. Both a benchmark and a dataset of the Hub may end in
    `/config`, which may hold `*`: `belebele/swh_Latn`. columns: those that hold texts; by default all, or
    those that benchmarks.csv names. Files are opened and must have a row; a benchmark behind a login needs
    one. Raises RecipeError and UsageError.
    """
    name, _, config = spec.partition("/")
    if not spec.startswith("hf://") and not Path(spec).exists() and not is_file_name(spec):
        if known := benchmarks().get(name):
            return _benchmark(spec, known, config, tuple(columns))
        if near := get_close_matches(name, benchmarks(), n=1, cutoff=0.6):
            raise RecipeError(f"{spec}: no such file or benchmark; did you mean {near[0]!r}?")
        if "/" not in spec and "*" not in spec:
            raise RecipeError(
                f"{spec}: no such file or benchmark; the benchmarks are {', '.join(benchmarks())}"
            )
    source = open_rows(spec)
    if isinstance(source, HubRows):
        dataset, configs = replace(source.path, config=None), source.path.config or "*"
        hub = HubRows(dataset, columns=tuple(columns))
        return Reference(spec, _snake(dataset.id.split("/")[1]), hub, configs, "", tuple(columns))
    reference = Reference(spec, _snake(_stem(Path(spec))), source, columns=tuple(columns))
    _check_first_row(reference, source.stamp)
    return reference


@cache
def benchmarks() -> dict[str, dict[str, str]]:
    """Return the rows of benchmarks.csv, by name.

    configs and splits are patterns; languages are tags, or how many there are; a licence that is empty stands
    on the dataset's page or nowhere.
    """
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        return {row["name"]: row for row in csv.DictReader(lines)}


def rows(reference: Reference) -> Iterator[Row]:
    """Yield the rows, only the wanted columns. Raises UsageError and EngineError where reading fails."""
    if isinstance(reference.source, HubRows):
        for part in _hub_parts(reference, reference.source):
            yield from part.rows()
    else:
        for row in reference.source.rows():
            yield {name: row.get(name) for name in reference.columns} if reference.columns else row


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a value, those in lists and fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def _benchmark(spec: str, known: dict[str, str], config: str, columns: tuple[str, ...]) -> Reference:
    from huggingface_hub import get_token

    if known["gated"] == "yes" and get_token() is None:
        raise RecipeError(
            f"{spec}: {known['dataset']} needs a login; accept its terms on its page, then `hf auth login`"
        )
    columns = columns or tuple(known["columns"].split())
    hub = HubRows(HubPath(known["dataset"], known["revision"] or None), columns=columns)
    return Reference(spec, known["name"], hub, config or known["configs"], known["splits"], columns)


@lru_cache(maxsize=256)
def _check_first_row(reference: Reference, stamp: object) -> None:
    """Raise RecipeError unless there is a row with the columns. stamp: a changed file is checked again."""
    first = next(reference.source.rows(), None)
    if first is None:
        raise RecipeError(f"{reference.spec}: an empty file; there is nothing to compare with")
    if missing := [name for name in reference.columns if name not in first]:
        raise RecipeError(f"{reference.spec}: no column {missing[0]!r}; the columns are {', '.join(first)}")


def _hub_parts(reference: Reference, source: HubRows) -> Iterator[HubRows]:
    """The splits of each config that count."""
    import datasets

    with hub_errors(source.path.id):
        names = datasets.get_dataset_config_names(source.path.id, revision=source.path.revision)
    configs = [name for name in names if fnmatchcase(name, reference.configs)]
    if not configs:
        raise UsageError(f"{reference.spec}: no config {reference.configs!r}; choose from {', '.join(names)}")
    for config in configs:
        parts = replace(source, path=replace(source.path, config=config)).splits()
        if patterns := reference.splits.split():
            yield from (part for part in parts if any(fnmatchcase(part.split, p) for p in patterns))
        else:
            yield from [part for part in parts if part.split != "train"] or parts


def _stem(path: Path) -> str:
    """`exam` of exam.jsonl and of exam.jsonl.gz."""
    return Path(path.stem).stem if path.suffix.lower() in (".gz", ".zst") else path.stem


def _snake(name: str) -> str:
    return re.sub(r"[^\w]+", "_", name.lower()).strip("_") or "reference"
