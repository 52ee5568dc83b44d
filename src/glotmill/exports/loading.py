"""The front matter by which `datasets.load_dataset(folder, "swh_Latn")` finds the files of an export."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from glotmill.exports.shapes import Shape
from glotmill.formats import Exported

_NAMES = {pl.Int64: "int64", pl.Float64: "float64", pl.Boolean: "bool"}  # all else that JSON has is text


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
    one_form = found.says("ALIKE", True) or len(exported.files) == 1
    configs = {**({"all": of_all} if one_form else {}), **exported.files}
    lines = ["---", "configs:"]
    for name, files in configs.items():
        lines += _config(name, files, digest)
    if found.suffix in ("json", "jsonl"):
        features = json.dumps([{"name": name, **_feature(kind)} for name, kind in exported.schema.items()])
        lines.append("dataset_info:")
        for name in configs:
            lines += [f"- config_name: {json.dumps(name)}", f"  features: {features}"]
    return "\n".join([*lines, "---", ""])


def _config(name: str, files: Mapping[str, Any], digest: str) -> Iterator[str]:
    yield f"- config_name: {json.dumps(name)}"  # in quotes: a bare `no` is no name
    yield f"  description: sha256 {digest}"
    if name == "all":
        yield "  default: true"
    yield "  data_files:"
    for split, paths in files.items():
        yield f"  - split: {json.dumps(split)}"
        yield "    path:"
        yield from (f"    - {json.dumps(path)}" for path in paths)


def _feature(kind: Any) -> dict[str, Any]:
    if isinstance(kind, pl.List):
        inner = _feature(kind.inner)
        return {"list": inner.get("struct", inner.get("dtype", inner))}
    if isinstance(kind, pl.Struct):
        return {"struct": [{"name": part.name, **_feature(part.dtype)} for part in kind.fields]}
    return {"dtype": next((name for known, name in _NAMES.items() if kind == known), "string")}
