"""What the footers of parquet files say, as the card of a dataset tells it: `configs` and `dataset_info`.

A file of a published dataset is `data/<language>/train-<run>-00000.parquet`. A config is a language; `all`,
the default, is all of them. A `dataset_info` that is out of date makes `load_dataset` fail, so it is made
from the files themselves, and from nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Feature = dict[str, Any]  # of a column, as the front matter of a card writes it
ALL = "all"
SPLIT = "train"

_NAMES = {
    "large_string": "string",
    "string_view": "string",
    "large_binary": "binary",
    "binary_view": "binary",
    "float": "float32",
    "double": "float64",
    "halffloat": "float16",
    "date32[day]": "date32",
    "date64[ms]": "date64",
}


@dataclass(frozen=True)
class Footer:
    """What the footer of one file says."""

    path: str  # in the dataset's repository
    rows: int
    size: int  # bytes of the file
    memory: int  # bytes of its columns, not compressed; in memory equal values may take a few times more
    columns: Mapping[str, Feature]

    @property
    def language(self) -> str:
        """The tag of its language: the name of its folder."""
        return self.path.split("/")[-2]


def read(path: str, file: Any, size: int) -> Footer:
    """Read the footer of a parquet file, and nothing else of it.

    path: its name in the repository. file: a local path, or an open file that can seek. Raises
    pyarrow.ArrowException for what is no parquet file, and what the file raises.
    """
    import pyarrow.parquet as pq

    found = pq.read_metadata(file)
    memory = sum(found.row_group(n).total_byte_size for n in range(found.num_row_groups))
    columns = {field.name: feature(field.type) for field in found.schema.to_arrow_schema()}
    return Footer(path, found.num_rows, size, memory, columns)


def feature(kind: Any) -> Feature:
    """Return an Arrow type as `dataset_info` says it; how wide or long a list is, is not said."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return feature(kind.value_type)
    if pa.types.is_struct(kind):
        return {"struct": [{"name": field.name, **feature(field.type)} for field in kind]}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _listed(feature(kind.value_type))
    return {"dtype": _NAMES.get(str(kind), str(kind))}


def _listed(inner: Feature) -> Feature:
    """Lists of plain values and of structs are written shorter."""
    return {"list": next(iter(inner.values())) if list(inner) in (["dtype"], ["struct"]) else inner}


def configs(files: Iterable[Footer]) -> list[Feature]:
    """Return the card's `configs`: `all` first, then the languages by tag."""
    tags = sorted({file.language for file in files})
    whole = {"config_name": ALL, "default": True, "data_files": _files("*")}
    return [whole, *({"config_name": tag, "data_files": _files(tag)} for tag in tags)]


def is_config(found: Mapping[str, Any]) -> bool:
    """Return whether a config is that of a language, as `configs` writes it, with files or without."""
    return found.get("data_files") == _files(str(found.get("config_name")))


def _files(tag: str) -> list[dict[str, str]]:
    return [{"split": SPLIT, "path": f"data/{tag}/{SPLIT}-*.parquet"}]


def dataset_info(files: Sequence[Footer]) -> list[Feature]:
    """Return the card's `dataset_info`, in the order of `configs`. Raises ValueError as `merged` does."""
    columns = merged(files)
    tags = sorted({file.language for file in files})
    of = {ALL: files, **{tag: [file for file in files if file.language == tag] for tag in tags}}
    return [_info(name, some, columns) for name, some in of.items()]


def _info(name: str, files: Sequence[Footer], columns: Mapping[str, Feature]) -> Feature:
    memory = sum(file.memory for file in files)
    split = {"name": SPLIT, "num_bytes": memory, "num_examples": sum(file.rows for file in files)}
    return {
        "config_name": name,
        "features": deepcopy(
            [{"name": column, **kind} for column, kind in columns.items()]
        ),  # or YAML aliases
        "splits": [split],
        "download_size": sum(file.size for file in files),
        "dataset_size": memory,
    }


def rows(files: Iterable[Footer]) -> dict[str, int]:
    """Return how many rows each config has, in the order of `configs`."""
    counts: dict[str, int] = {}
    for file in sorted(files, key=lambda file: file.language):
        counts[file.language] = counts.get(file.language, 0) + file.rows
    return {ALL: sum(counts.values()), **counts}


def merged(files: Iterable[Footer]) -> dict[str, Feature]:
    """Return the columns that all files have. A column without a value in one has its type from another.

    Raises ValueError with a line for each column in which a file differs from those before it.
    """
    columns: dict[str, Feature] = {}
    first = None
    for file in files:
        if first is None:
            first, columns = file.path, dict(file.columns)
            continue
        if wrong := differences(columns, file.columns):
            told = "\n".join(f"  {line}" for line in wrong)
            raise ValueError(f"{file.path} has other columns than {first}:\n{told}")
        columns = {name: _filled(kind, file.columns[name]) for name, kind in columns.items()}
    return columns


def differences(old: Mapping[str, Feature], new: Mapping[str, Feature]) -> list[str]:
    """Return in what columns differ, a line each; none if they fit, in whatever order they come."""
    lines = [f"{name}: {said(old[name])} there, missing here" for name in old if name not in new]
    lines += [f"{name}: missing there, {said(new[name])} here" for name in new if name not in old]
    lines += [
        f"{name}: {said(old[name])} there, {said(new[name])} here"
        for name in old
        if name in new and _filled(old[name], new[name]) != _filled(new[name], old[name])
    ]
    return lines


def said(kind: Any) -> str:
    """Return a column's type in a few words: `list<struct<role: string, content: string>>`."""
    if isinstance(kind, str):
        return kind
    if isinstance(kind, list):
        parts = ", ".join(f"{part['name']}: {said(part)}" for part in kind)
        return f"struct<{parts}>"
    if "struct" in kind:
        return said(kind["struct"])
    if "list" in kind:
        return f"list<{said(kind['list'])}>"
    return str(kind["dtype"])


def _filled(kind: Any, other: Any) -> Any:
    """A type, with what is null in it taken from another."""
    if kind in ("null", {"dtype": "null"}):
        return {"dtype": other} if isinstance(kind, dict) and isinstance(other, str) else other
    if isinstance(kind, dict) and isinstance(other, dict) and kind.keys() == other.keys():
        return {name: _filled(value, other[name]) for name, value in kind.items()}
    if isinstance(kind, list) and isinstance(other, list):
        names = [part["name"] for part in kind]
        if names == [part["name"] for part in other]:
            pairs = zip(map(_nameless, kind), map(_nameless, other), strict=True)
            return [
                {"name": name, **_filled(mine, its)} for name, (mine, its) in zip(names, pairs, strict=True)
            ]
    return kind


def _nameless(part: Feature) -> Feature:
    return {key: value for key, value in part.items() if key != "name"}


def ids(file: Any) -> list[str]:
    """Return the row ids of a file's first row group; none if it has no column `id`."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as found:
        if "id" not in found.schema_arrow.names or not found.num_row_groups:
            return []
        column = found.read_row_group(0, columns=["id"]).column("id")
        return [str(value) for value in column.to_pylist()]
