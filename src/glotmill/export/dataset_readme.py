"""The front matter by which `datasets.load_dataset(folder, "swh_Latn")` finds the files of an export."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import yaml

from glotmill.export.formats import Exported
from glotmill.export.output_format import OutputFormat


def readme(exported: Exported, digest: str, output_format: OutputFormat) -> str:
    """Return README.md: a config for each language, and `all`, the default, if all rows have one schema.

    digest: of the rows. datasets (5.2) caches a local folder by this text alone, so without the digest it
    would load the rows of an earlier export into the same folder. For JSON files, the features are stated:
    datasets would infer them from the first file, which may have only nulls in a column.
    """
    all_files: dict[str, list[str]] = {}
    for by_split in exported.files.values():
        for split, paths in by_split.items():
            all_files.setdefault(split, []).extend(paths)
    configs = {**({"all": all_files} if output_format.declared("ALIKE", True) else {}), **exported.files}
    front_matter: dict[str, Any] = {
        "configs": [_config(name, files, digest) for name, files in configs.items()]
    }
    if output_format.suffix in ("json", "jsonl"):
        front_matter["dataset_info"] = [
            {"config_name": name, "features": _features(exported.schema)} for name in configs
        ]
    # safe_dump escapes column names, which come from the seeds
    return f"---\n{yaml.safe_dump(front_matter, sort_keys=False, width=10_000)}---\n"


def _config(name: str, files: Mapping[str, Any], digest: str) -> dict[str, Any]:
    return {
        "config_name": name,
        "description": f"sha256 {digest}",
        **({"default": True} if name == "all" else {}),
        "data_files": [{"split": split, "path": list(paths)} for split, paths in files.items()],
    }


def _features(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, **_feature(dtype)} for name, dtype in schema.items()]


def _feature(dtype: Any) -> dict[str, Any]:
    if isinstance(dtype, pl.List):
        inner = _feature(dtype.inner)
        return {"list": inner.get("struct", inner.get("dtype", inner))}
    if isinstance(dtype, pl.Struct):
        return {"struct": _features({part.name: part.dtype for part in dtype.fields})}
    if dtype == pl.Boolean:
        return {"dtype": "bool"}
    if dtype.is_integer():
        return {"dtype": "int64"}
    return {"dtype": "float64" if dtype.is_float() else "string"}  # everything else in JSON is text
