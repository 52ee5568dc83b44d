"""The front matter by which `datasets.load_dataset(folder, "swh_Latn")` finds the files of an export."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import yaml

from glotmill.export.formats import Exported
from glotmill.export.output_format import Shape


def readme(exported: Exported, digest: str, found: Shape) -> str:
    """Return README.md: a config for each language, and `all`, the default, if their rows have one form.

    digest: of the rows. datasets (5.2) keeps what it loaded of a folder by this text alone, whatever has
    become of the files since: the digest is what makes it load the next export into the same folder.
    Files of JSON get the types of their columns too: those of a first file, which datasets would take for
    all, are wrong where it has no value in a column.
    """
    of_all: dict[str, list[str]] = {}
    for by_split in exported.files.values():
        for split, paths in by_split.items():
            of_all.setdefault(split, []).extend(paths)
    configs = {**({"all": of_all} if found.says("ALIKE", True) else {}), **exported.files}
    about: dict[str, Any] = {"configs": [_config(name, files, digest) for name, files in configs.items()]}
    if found.suffix in ("json", "jsonl"):
        about["dataset_info"] = [
            {"config_name": name, "features": _features(exported.schema)} for name in configs
        ]
    # escapes what YAML would not read back: names of columns are whatever the seeds had
    return f"---\n{yaml.safe_dump(about, sort_keys=False, width=10_000)}---\n"


def _config(name: str, files: Mapping[str, Any], digest: str) -> dict[str, Any]:
    return {
        "config_name": name,
        "description": f"sha256 {digest}",
        **({"default": True} if name == "all" else {}),
        "data_files": [{"split": split, "path": list(paths)} for split, paths in files.items()],
    }


def _features(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, **_feature(kind)} for name, kind in schema.items()]


def _feature(kind: Any) -> dict[str, Any]:
    if isinstance(kind, pl.List):
        inner = _feature(kind.inner)
        return {"list": inner.get("struct", inner.get("dtype", inner))}
    if isinstance(kind, pl.Struct):
        return {"struct": _features({part.name: part.dtype for part in kind.fields})}
    if kind == pl.Boolean:
        return {"dtype": "bool"}
    if kind.is_integer():
        return {"dtype": "int64"}
    return {"dtype": "float64" if kind.is_float() else "string"}  # all else that JSON has is text
