"""Any dataset as tables of some thousand rows, cut at the same places every time: files, or the Hub.

All tables of a dataset have one schema: that of all its rows, so that rows that differ fit each other.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glotmill.errors import EngineError, UsageError
from glotmill.filtering import readers

KINDS = ".parquet, .jsonl, .csv, .txt, a folder of such files, or a dataset id of the Hugging Face Hub"

_HUB_ID = re.compile(r"(?P<name>[\w-][\w.-]*/[\w-][\w.-]*)(@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True)
class Dataset:
    """Rows that can be read as often as needed."""

    place: str
    schema: Any  # a pyarrow.Schema
    fingerprint: str  # equal for the same rows in the same order
    rows: int | None  # where it is known beforehand
    read: Callable[[], Iterator[Any]]  # pyarrow.Tables


def find(place: str, config: str | None = None, split: str = "train") -> Dataset:
    """Look at a dataset: a file, a folder, a pattern such as `data/*.parquet`, or a dataset id of the Hub.

    The folder of a run stands for its dataset. config, split: of a dataset of the Hub; `ORG/NAME@REVISION`
    names a revision. Reads every file once. Raises UsageError, which names file and line, and EngineError.
    """
    if place == "-":
        raise UsageError("-: rows from a pipe cannot be read again after a stop; write them to a .jsonl file")
    path = Path(place)
    hub = place.removeprefix("hf://").removeprefix("datasets/")
    found = _HUB_ID.fullmatch(hub)
    if found and (hub != place or (not path.exists() and path.suffix.lower() not in readers.SUFFIXES)):
        return _of_hub(found["name"], found["revision"], config, split)
    if config:
        raise UsageError(f"{place}: --config is for a dataset of the Hub, and this is none")
    return of_files(place, files(path))


def files(path: Path) -> list[Path]:
    """Return the files of a dataset, in order. Raises UsageError if there are none, or of several kinds."""
    if path.is_dir():
        if (path / "filter.json").is_file():
            raise UsageError(f"{path}: what `glotmill filter` wrote; give {path / 'kept'} or its rejects")
        if (path / "run.json").is_file():
            path = path / "dataset"
        inside = [p for p in path.rglob("*") if p.suffix.lower() in readers.SUFFIXES and p.is_file()]
        found = sorted(p for p in inside if not any(part[0] in "._" for part in p.relative_to(path).parts))
    elif "*" in path.name:
        found = sorted(path.parent.glob(path.name))
    else:
        found = [path] if path.exists() else []
    if not found:
        raise UsageError(f"{path}: nothing to read is there; give {KINDS}")
    suffixes = sorted({p.suffix.lower() for p in found})
    if unknown := [suffix for suffix in suffixes if suffix not in readers.SUFFIXES]:
        raise UsageError(f"{path}: unknown kind of file {unknown[0]!r}; give {KINDS}")
    if len({readers.SUFFIXES[suffix] for suffix in suffixes}) > 1:
        raise UsageError(
            f"{path}: holds {' and '.join(suffixes)}; name one kind, as in '{path / '*'}{suffixes[-1]}'"
        )
    return found


def of_files(place: str, paths: Sequence[Path]) -> Dataset:
    """Look at some files of one kind. Raises UsageError."""
    import pyarrow as pa

    reader = readers.SUFFIXES[paths[0].suffix.lower()]
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    looked = [reader.look(path) for path in paths]
    try:
        schema = reader.unify([schema for schema, _ in looked])
    except pa.ArrowException as error:
        raise UsageError(f"{place}: its files do not fit each other: {_line(error)}") from None
    counts = [rows for _, rows in looked]
    rows = sum(n for n in counts if n is not None) if None not in counts else None

    def read() -> Iterator[Any]:
        for path in paths:
            for table in reader.cut(path, schema):
                if table.num_rows:
                    yield _fitted(table, schema, str(path))

    return Dataset(place, schema, digest.hexdigest(), rows, read)


def _of_hub(name: str, revision: str | None, config: str | None, split: str) -> Dataset:
    from datasets import load_dataset_builder

    try:
        builder = load_dataset_builder(name, config, revision=revision)
        stream = builder.as_streaming_dataset(split=split).with_format("arrow")
        first = next(iter(stream.iter(1)), None)
    except FileNotFoundError as error:  # no such dataset, or none that may be seen
        raise UsageError(f"{name}: {_line(error)}; is it the id of a dataset, or a file?") from None
    except OSError as error:
        raise EngineError(f"{name}: cannot be reached as a dataset of the Hub: {_line(error)}") from None
    except (ValueError, RuntimeError) as error:  # no such config or split
        raise UsageError(f"{name}: cannot be read as a dataset: {_line(error)}") from None
    features = stream.features
    schema = features.arrow_schema if features else first.schema if first is not None else readers.nothing()
    schema = schema.remove_metadata()

    def read() -> Iterator[Any]:
        try:
            for table in stream.iter(readers.ROWS // 4):
                yield _fitted(table, schema, name)
        except (OSError, RuntimeError) as error:
            raise EngineError(f"{name}: reading stopped: {_line(error)}") from None

    splits = builder.info.splits or {}
    rows = splits[split].num_examples if split in splits else None
    mark = f"{builder.hash} {config or 'default'} {split}"
    return Dataset(f"{name}@{builder.hash}", schema, mark, rows, read)


def _fitted(table: Any, schema: Any, place: str) -> Any:
    """The table with the columns of the schema, in its order; what is missing is null."""
    import pyarrow as pa

    try:
        columns = [
            table.column(f.name).cast(f.type)
            if f.name in table.column_names
            else pa.nulls(len(table), f.type)
            for f in schema
        ]
    except (pa.ArrowException, KeyError) as error:
        raise UsageError(f"{place}: rows that differ from those before: {_line(error)}") from None
    return pa.Table.from_arrays(columns, schema=schema)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
