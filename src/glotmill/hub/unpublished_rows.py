"""Subtracts from a run what its dataset has already: a run may have grown since it was published.

Published rows never change, so they must be the first rows of the run in each language. Rows that were added
since then are sent as new files.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.errors import UsageError
from glotmill.hub import footers
from glotmill.hub.client import Hub, Remote
from glotmill.hub.footers import Footer
from glotmill.hub.package import Package, data_path, sha256_of
from glotmill.runner import dataset

STEP = 50_000  # rows in memory
_NEVER_REWRITTEN = "Published rows are never rewritten; publish to another name"


def find_published(manifest: Mapping[str, Any], remote: Remote, package: Package) -> Package | None:
    """Return the package with nothing to send, if the manifest lists exactly its rows; else None."""
    for entry in manifest["runs"]:
        paths = entry.get("files", []) if entry.get("state") == package.state else []
        hashes = {path: str(manifest["files"].get(path, {}).get("sha256")) for path in paths}
        if hashes and all(remote.sha256.get(path) == sha256_of for path, sha256_of in hashes.items()):
            return replace(package, id=str(entry["id"]), data={}, sha256=hashes, footers=[])
    return None


def subtract_published(
    hub: Hub, remote: Remote, package: Package, others: Sequence[Footer], folder: Path
) -> Package:
    """Return the package with only the rows that the dataset lacks.

    others: footers of the published files. folder: receives files with the new rows. Raises UsageError if the
    published rows are not the first rows of the run.
    """
    published_files = _published_files(hub, remote, package, others)
    if not published_files:
        return package
    id = min(footer.path.rpartition("/")[2] for files in published_files.values() for footer in files).split(
        "-"
    )[1]
    folder_for_files, file_hashes = Path(tempfile.mkdtemp(dir=folder)), _hashes_by_position(package)
    data: dict[str, Path] = {}
    for tag, files in _by_language(package).items():
        rows, start = _scan(files), 0
        for footer in published_files.get(tag, []):
            if remote.sha256[footer.path] != file_hashes.get((tag, start)):
                file = hub.download(footer.path, remote, folder_for_files)
                _refuse_changed(hub, package, footer, _difference(file, rows.slice(start), footer.rows))
                file.unlink()
            start += footer.rows
        remaining = files if start == 0 else _write(rows.slice(start), folder_for_files / "new" / tag)
        data |= {
            data_path(tag, id, n): file for n, file in enumerate(remaining, len(published_files.get(tag, [])))
        }
    new = [footers.read(path, file, file.stat().st_size) for path, file in data.items()]
    published = [footer for files in published_files.values() for footer in files]
    hashes = {footer.path: str(remote.sha256[footer.path]) for footer in published}
    unexpected = [path for path in remote.data if f"/{footers.SPLIT}-{id}-" in path and path not in hashes]
    if unexpected:
        raise UsageError(
            f"{hub.repo}: {min(unexpected)} has rows that {package.run.folder} does not have. "
            f"{_NEVER_REWRITTEN}"
        )
    hashes |= {path: sha256_of(file) for path, file in data.items()}
    return replace(package, id=id, data=data, sha256=hashes, footers=[*published, *new])


def _published_files(
    hub: Hub, remote: Remote, package: Package, others: Sequence[Footer]
) -> dict[str, list[Footer]]:
    """Return the published files of each language that have rows of the run."""
    result: dict[str, list[Footer]] = {}
    for tag, files in _by_language(package).items():
        published = sorted((f for f in others if f.language == tag), key=lambda footer: footer.path)
        if published:
            ids = hub.first_ids([footer.path for footer in published], remote)
            wanted_ids = pl.Series([id for file_ids in ids for id in file_ids], dtype=pl.String).implode()
            own_ids = set(_scan(files).select("id").filter(pl.col("id").is_in(wanted_ids)).collect()["id"])
            result[tag] = [
                footer
                for footer, file_ids in zip(published, ids, strict=True)
                if own_ids.intersection(file_ids)
            ]
    return {tag: files for tag, files in result.items() if files}


def _refuse_changed(hub: Hub, package: Package, footer: Footer, what: str) -> None:
    if what:
        raise UsageError(
            f"{hub.repo}: {footer.path} has rows with the ids of {package.run.folder}, but {what}. "
            f"Either the run has changed, or another run was made from the same seeds. {_NEVER_REWRITTEN}"
        )


def _hashes_by_position(package: Package) -> dict[tuple[str, int], str]:
    """Return (language, number of the first row) -> hash, for each file of a run."""
    result: dict[tuple[str, int], str] = {}
    start: Counter[str] = Counter()
    for footer in package.footers:
        result[footer.language, start[footer.language]] = package.sha256[footer.path]
        start[footer.language] += footer.rows
    return result


def _by_language(package: Package) -> dict[str, list[Path]]:
    result: dict[str, list[Path]] = {}
    for footer in package.footers:
        result.setdefault(footer.language, []).append(package.data[footer.path])
    return result


def _scan(files: Sequence[Path]) -> pl.LazyFrame:
    return pl.concat([pl.scan_parquet(file) for file in files], how="diagonal_relaxed")


def _write(rows: pl.LazyFrame, folder: Path) -> list[Path]:
    """Write rows into files like those of a run; no rows make no file."""
    folder.mkdir(parents=True)
    count = rows.select(pl.len()).collect().item()
    dataset.write_files(folder, footers.SPLIT, (rows.slice(n, STEP).collect() for n in range(0, count, STEP)))
    return sorted(folder.iterdir())


def _difference(file: Path, rows: pl.LazyFrame, count: int) -> str:
    """Return how the rows of a file differ from the first `count` of these rows; empty if they do not."""
    published = pl.scan_parquet(file)
    for start in range(0, count, STEP):
        new = rows.slice(start, min(STEP, count - start)).collect()
        old = published.slice(start, STEP).select(new.columns).collect()
        if old.equals(new):
            continue
        pairs = zip_longest(old.iter_rows(named=True), new.iter_rows(named=True), fillvalue={"id": "no row"})
        for number, (old_row, new_row) in enumerate(pairs, start):
            if old_row["id"] != new_row["id"]:
                return f"its row {number:,} is {old_row['id']}, where the run has {new_row['id']}"
            for name in new.columns:
                if repr(old_row[name]) != repr(new_row[name]):  # not ==, since NaN equals NaN here
                    return f"{name!r} of its row {number:,} ({old_row['id']}) differs in the run"
    return ""
