"""Rows to compare with: a file, a Hub dataset, or a benchmark of benchmarks.csv. A helper of filters."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from glotmill.errors import RecipeError, UsageError

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".txt")
_TABLE = Path(__file__).with_name("benchmarks.csv")
_HUB = re.compile(r"(?:datasets/)?([\w-][\w.-]*/[\w-][\w.-]*)(?:/(.+))?")
_KINDS = f"a file ({', '.join(SUFFIXES)}), hf://owner/dataset, or a benchmark that glotmill knows"

Row = dict[str, Any]


@dataclass(frozen=True)
class Reference:
    """Where rows to compare with are."""

    spec: str  # as it was written
    name: str  # snake_case
    path: Path | None = None
    dataset: str = ""  # owner/name on the Hub
    configs: str = "*"  # a pattern
    splits: str = ""  # patterns, with a blank between; empty: all but train, or train where it stands alone
    columns: tuple[str, ...] = ()  # empty: all
    revision: str = ""


def find(spec: str, columns: Sequence[str] = ()) -> Reference:
    """Return the reference that a text names, after checking what can be checked without the network.

    spec: a path, `hf://owner/dataset`, or the name of a benchmark; the latter two may end in `/config`, which
    may hold `*`: `belebele/swh_Latn`. columns: those that hold texts; by default all columns, or those that
    benchmarks.csv names. A file is opened and must have a row; a benchmark behind a login needs one.
    Raises RecipeError.
    """
    path = Path(spec)
    if path.is_file():
        return _file(spec, path, tuple(columns))
    name, _, config = spec.removeprefix("hf://").partition("/")
    if spec.startswith("hf://"):
        if not (hub := _HUB.fullmatch(spec.removeprefix("hf://"))):
            raise RecipeError(f"{spec}: give it as hf://owner/dataset or hf://owner/dataset/config")
        _needs_datasets(spec)
        dataset, configs = hub[1], hub[2] or "*"
        return Reference(spec, _snake(dataset.split("/")[1]), None, dataset, configs, "", tuple(columns))
    if (known := benchmarks().get(name)) is None:
        near = get_close_matches(name, benchmarks(), n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]!r}?" if near else f"; give {_KINDS}: {', '.join(benchmarks())}"
        raise RecipeError(f"{spec}: no such file or benchmark{hint}")
    _needs_datasets(spec)
    if known["gated"] == "yes" and not _logged_in():
        raise RecipeError(
            f"{spec}: {known['dataset']} needs a login; accept its terms on its page, then `hf auth login`"
        )
    return Reference(
        spec,
        name,
        None,
        known["dataset"],
        config or known["configs"],
        known["splits"],
        tuple(columns) or tuple(known["columns"].split()),
        known["revision"],
    )


@cache
def benchmarks() -> dict[str, dict[str, str]]:
    """Return the rows of benchmarks.csv, by name.

    configs and splits are patterns; languages are tags, or how many there are; a licence that is empty stands
    on the dataset's page or nowhere.
    """
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        return {row["name"]: row for row in csv.DictReader(lines)}


def stamp(reference: Reference) -> tuple[int, int]:
    """Return what changes when a file does; for remembering what was made of it."""
    if reference.path is None:
        return (0, 0)
    about = reference.path.stat()
    return about.st_mtime_ns, about.st_size


def rows(reference: Reference) -> Iterator[Row]:
    """Yield the rows as they are read, only the wanted columns. Raises UsageError where that fails."""
    try:
        found = _hub_rows(reference) if reference.path is None else _file_rows(reference.path)
        for row in found:
            yield {name: row.get(name) for name in reference.columns} if reference.columns else row
    except (OSError, ValueError, RuntimeError, csv.Error) as error:
        told = " ".join(str(error).split())[:300]
        raise UsageError(f"{reference.spec}: cannot be read: {told}") from error


def texts(row: Any) -> Iterator[str]:
    """Yield every text in a row, those in lists and fields too."""
    if isinstance(row, str):
        yield row
    elif isinstance(row, dict):
        for value in row.values():
            yield from texts(value)
    elif isinstance(row, list):
        for value in row:
            yield from texts(value)


def _file(spec: str, path: Path, columns: tuple[str, ...]) -> Reference:
    if path.suffix not in SUFFIXES:
        raise RecipeError(f"{spec}: unknown kind of file {path.suffix!r}; give {', '.join(SUFFIXES)}")
    reference = Reference(spec, _snake(path.stem), path, columns=columns)
    _peek(reference, stamp(reference))
    return reference


@lru_cache(maxsize=256)
def _peek(reference: Reference, _: tuple[int, int]) -> None:
    first = next((row for row in rows(Reference(reference.spec, "", reference.path))), None)
    if first is None:
        raise RecipeError(f"{reference.spec}: an empty file; there is nothing to compare with")
    if missing := [name for name in reference.columns if name not in first]:
        raise RecipeError(f"{reference.spec}: no column {missing[0]!r}; there are {', '.join(first)}")


def _file_rows(path: Path) -> Iterator[Row]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                yield from batch.to_pylist()
        return
    with path.open(encoding="utf-8-sig", newline="" if path.suffix == ".csv" else None) as lines:
        if path.suffix == ".csv":
            yield from csv.DictReader(lines, strict=True)
        elif path.suffix == ".txt":
            yield from ({"text": line.strip()} for line in lines if line.strip())
        else:
            yield from (_object(line, n) for n, line in enumerate(lines, 1) if line.strip())


def _object(line: str, number: int) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number} is not JSON: {error}; write one object a line") from None
    if not isinstance(row, dict):
        raise ValueError(f"line {number} is no JSON object; write one object a line")
    return row


def _hub_rows(reference: Reference) -> Iterator[Row]:
    import datasets

    where, revision = reference.dataset, reference.revision or None
    there = datasets.get_dataset_config_names(where, revision=revision)
    if not (configs := [name for name in there if fnmatchcase(name, reference.configs)]):
        raise UsageError(f"{reference.spec}: no config {reference.configs!r}; there are {', '.join(there)}")
    for config in configs:
        splits = datasets.load_dataset(where, config, revision=revision, streaming=True)
        for name in _splits(list(splits), reference):
            part = splits[name]
            yield from part.select_columns(list(reference.columns)) if reference.columns else part


def _splits(there: list[str], reference: Reference) -> list[str]:
    if reference.splits:
        return [name for name in there if any(fnmatchcase(name, p) for p in reference.splits.split())]
    return [name for name in there if name != "train"] or there


def _needs_datasets(spec: str) -> None:
    if find_spec("datasets") is None:
        raise UsageError(f"{spec}: the Hub is read by the package datasets; pip install datasets")


def _logged_in() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _snake(name: str) -> str:
    return re.sub(r"[^\w]+", "_", name.lower()).strip("_") or "reference"
