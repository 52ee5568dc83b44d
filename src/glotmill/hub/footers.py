"""Parquet footers of a dataset, and the `configs` and `dataset_info` of its card made from them.

A published file is `data/<language>/train-<run>-00000.parquet`. Each language is a config; `all`, the
default, holds every language. An outdated `dataset_info` makes `load_dataset` fail, so it is made from the
footers alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Feature = dict[str, Any]  # the type of a column, as the front matter of a card writes it
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
    """The footer of one file."""

    path: str  # in the dataset's repository
    rows: int
    size: int  # bytes of the file
    memory: int  # bytes of its columns, uncompressed; repeated values may take several times more in memory
    columns: Mapping[str, Feature]

    @property
    def language(self) -> str:
        """The language tag: the name of the folder."""
        return self.path.split("/")[-2]


def read(path: str, file: Any, size: int) -> Footer:
    """Read the footer of a parquet file.

    path: of the file in the repository. file: a local path, or an open seekable file. Raises
    pyarrow.ArrowException if it is not a parquet file, and errors of the file.
    """
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(file)
    memory = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    columns = {field.name: feature(field.type) for field in metadata.schema.to_arrow_schema()}
    return Footer(path, metadata.num_rows, size, memory, columns)


def feature(dtype: Any) -> Feature:
    """Return an Arrow type as `dataset_info` writes it, without the size of lists.

    Unlike `datasets.Features.from_arrow_schema`, types that differ only in the width of offsets become one,
    so that files of different writers compare equal, and `datasets` need not be imported.
    """
    import pyarrow as pa

    if pa.types.is_dictionary(dtype):
        return feature(dtype.value_type)
    if pa.types.is_struct(dtype):
        return {"struct": [{"name": field.name, **feature(field.type)} for field in dtype]}
    if pa.types.is_list(dtype) or pa.types.is_large_list(dtype) or pa.types.is_fixed_size_list(dtype):
        return _list_feature(feature(dtype.value_type))
    return {"dtype": _NAMES.get(str(dtype), str(dtype))}


def _list_feature(inner: Feature) -> Feature:
    """Return a list type; lists of plain values and of structs have a short form."""
    return {"list": next(iter(inner.values())) if list(inner) in (["dtype"], ["struct"]) else inner}


def configs(files: Iterable[Footer]) -> list[Feature]:
    """Return the `configs` of the card: `all` first, then the languages by tag."""
    tags = sorted({file.language for file in files})
    default = {"config_name": ALL, "default": True, "data_files": _files("*")}
    return [default, *({"config_name": tag, "data_files": _files(tag)} for tag in tags)]


def is_config(metadata: Mapping[str, Any]) -> bool:
    """Return whether a config is one that `configs` writes for a language."""
    return metadata.get("data_files") == _files(str(metadata.get("config_name")))


def _files(tag: str) -> list[dict[str, str]]:
    return [{"split": SPLIT, "path": f"data/{tag}/{SPLIT}-*.parquet"}]


def dataset_info(files: Sequence[Footer]) -> list[Feature]:
    """Return the `dataset_info` of the card, in the order of `configs`. Raises ValueError like `merged`."""
    columns = merged(files)
    tags = sorted({file.language for file in files})
    by_config = {ALL: files, **{tag: [file for file in files if file.language == tag] for tag in tags}}
    return [_info(name, language_files, columns) for name, language_files in by_config.items()]


def _info(name: str, files: Sequence[Footer], columns: Mapping[str, Feature]) -> Feature:
    memory = sum(file.memory for file in files)
    split = {"name": SPLIT, "num_bytes": memory, "num_examples": sum(file.rows for file in files)}
    return {
        "config_name": name,
        # copies, since YAML would write shared values as aliases
        "features": deepcopy([{"name": column, **dtype} for column, dtype in columns.items()]),
        "splits": [split],
        "download_size": sum(file.size for file in files),
        "dataset_size": memory,
    }


def rows(files: Iterable[Footer]) -> dict[str, int]:
    """Return the number of rows of each config, in the order of `configs`."""
    counts: dict[str, int] = {}
    for file in sorted(files, key=lambda file: file.language):
        counts[file.language] = counts.get(file.language, 0) + file.rows
    return {ALL: sum(counts.values()), **counts}


def merged(files: Iterable[Footer]) -> dict[str, Feature]:
    """Return the columns of all files. A column that is all null in one file takes its type from another.

    Raises ValueError, with a line for each column, if a file differs from those before it.
    """
    columns: dict[str, Feature] = {}
    first = None
    for file in files:
        if first is None:
            first, columns = file.path, dict(file.columns)
            continue
        if changes := differences(columns, file.columns):
            listing = "\n".join(f"  {line}" for line in changes)
            raise ValueError(f"{file.path}: its columns differ from those of {first}:\n{listing}")
        columns = {name: _fill_nulls(dtype, file.columns[name]) for name, dtype in columns.items()}
    return columns


def differences(old: Mapping[str, Feature], new: Mapping[str, Feature]) -> list[str]:
    """Return one line for each column that differs; empty if they fit, in any order."""
    lines = [f"{name}: {describe_dtype(old[name])} there, missing here" for name in old if name not in new]
    lines += [f"{name}: missing there, {describe_dtype(new[name])} here" for name in new if name not in old]
    lines += [
        f"{name}: {describe_dtype(old[name])} there, {describe_dtype(new[name])} here"
        for name in old
        if name in new and _fill_nulls(old[name], new[name]) != _fill_nulls(new[name], old[name])
    ]
    return lines


def describe_dtype(dtype: Any) -> str:
    """Return a type in short form, such as `list<struct<role: string, content: string>>`."""
    if isinstance(dtype, str):
        return dtype
    if isinstance(dtype, list):
        parts = ", ".join(f"{part['name']}: {describe_dtype(part)}" for part in dtype)
        return f"struct<{parts}>"
    if "struct" in dtype:
        return describe_dtype(dtype["struct"])
    if "list" in dtype:
        return f"list<{describe_dtype(dtype['list'])}>"
    return str(dtype["dtype"])


def _fill_nulls(dtype: Any, other: Any) -> Any:
    """Return a type whose null parts are taken from another."""
    if dtype in ("null", {"dtype": "null"}):
        return {"dtype": other} if isinstance(dtype, dict) and isinstance(other, str) else other
    if isinstance(dtype, dict) and isinstance(other, dict) and dtype.keys() == other.keys():
        return {name: _fill_nulls(value, other[name]) for name, value in dtype.items()}
    if isinstance(dtype, list) and isinstance(other, list):
        names = [part["name"] for part in dtype]
        if names == [part["name"] for part in other]:
            pairs = zip(map(_without_name, dtype), map(_without_name, other), strict=True)
            return [
                {"name": name, **_fill_nulls(own, other_field)}
                for name, (own, other_field) in zip(names, pairs, strict=True)
            ]
    return dtype


def _without_name(part: Feature) -> Feature:
    return {key: value for key, value in part.items() if key != "name"}


def ids(file: Any) -> list[str]:
    """Return the ids in the first row group of a file; empty without a column `id`."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as metadata:
        if "id" not in metadata.schema_arrow.names or not metadata.num_row_groups:
            return []
        column = metadata.read_row_group(0, columns=["id"]).column("id")
        return [str(value) for value in column.to_pylist()]
