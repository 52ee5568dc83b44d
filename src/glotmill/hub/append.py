"""What of a run a dataset has already: a run may have grown since it was published.

What is there stays as it is, so it must be the first rows of the run, in each language; those that came since
are sent in files of their own.
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
from glotmill.hub.package import Package, digest, place
from glotmill.runner import dataset

STEP = 50_000  # rows that are in memory at once
_STAYS = "What is published is not rewritten: publish to another name"


def known(manifest: Mapping[str, Any], remote: Remote, package: Package) -> Package | None:
    """Return a run of which nothing is to be sent, if the dataset's manifest tells of its very rows."""
    for each in manifest["runs"]:
        paths = each.get("files", []) if each.get("state") == package.state else []
        told = {path: str(manifest["files"].get(path, {}).get("sha256")) for path in paths}
        if told and all(remote.sha256.get(path) == digest for path, digest in told.items()):
            return replace(package, id=str(each["id"]), data={}, sha256=told, footers=[])
    return None


def rest(hub: Hub, remote: Remote, package: Package, others: Sequence[Footer], folder: Path) -> Package:
    """Return a run of which only those rows are to be sent that a dataset has not.

    others: the footers of the files that are there. folder: gets the files of what is new. Raises UsageError
    where the rows that are there are not the first ones of the run.
    """
    ours = _ours(hub, remote, package, others)
    if not ours:
        return package
    id = min(footer.path.rpartition("/")[2] for of in ours.values() for footer in of).split("-")[1]
    made, same = Path(tempfile.mkdtemp(dir=folder)), _hashes(package)
    data: dict[str, Path] = {}
    for tag, files in _by_language(package).items():
        rows, start = _scan(files), 0
        for footer in ours.get(tag, []):
            if remote.sha256[footer.path] != same.get((tag, start)):
                file = hub.fetch(footer.path, remote, made)
                _refuse_changed(hub, package, footer, _difference(file, rows.slice(start), footer.rows))
                file.unlink()
            start += footer.rows
        left = files if start == 0 else _write(rows.slice(start), made / "new" / tag)
        data |= {place(tag, id, n): file for n, file in enumerate(left, len(ours.get(tag, [])))}
    new = [footers.read(path, file, file.stat().st_size) for path, file in data.items()]
    there = [footer for of in ours.values() for footer in of]
    hashes = {footer.path: str(remote.sha256[footer.path]) for footer in there}
    more = [path for path in remote.data if f"/{footers.SPLIT}-{id}-" in path and path not in hashes]
    if more:
        raise UsageError(f"{hub.repo}: {min(more)} has rows that {package.run.folder} has not. {_STAYS}")
    hashes |= {path: digest(file) for path, file in data.items()}
    return replace(package, id=id, data=data, sha256=hashes, footers=[*there, *new])


def _ours(hub: Hub, remote: Remote, package: Package, others: Sequence[Footer]) -> dict[str, list[Footer]]:
    """The files of each language that have rows of the run."""
    found: dict[str, list[Footer]] = {}
    for tag, files in _by_language(package).items():
        there = sorted((f for f in others if f.language == tag), key=lambda footer: footer.path)
        if there:
            ids = hub.ids([footer.path for footer in there], remote)
            asked = pl.Series([id for some in ids for id in some], dtype=pl.String).implode()
            own = set(_scan(files).select("id").filter(pl.col("id").is_in(asked)).collect()["id"])
            found[tag] = [footer for footer, some in zip(there, ids, strict=True) if own.intersection(some)]
    return {tag: files for tag, files in found.items() if files}


def _refuse_changed(hub: Hub, package: Package, footer: Footer, what: str) -> None:
    if what:
        raise UsageError(
            f"{hub.repo}: {footer.path} has rows of {package.run.folder}, by their ids, but {what}. "
            f"The run has changed, or they are another's, made of the same seeds. {_STAYS}"
        )


def _hashes(package: Package) -> dict[tuple[str, int], str]:
    """The hash of each file of a run, by its language and the number of its first row there."""
    found: dict[tuple[str, int], str] = {}
    start: Counter[str] = Counter()
    for footer in package.footers:
        found[footer.language, start[footer.language]] = package.sha256[footer.path]
        start[footer.language] += footer.rows
    return found


def _by_language(package: Package) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for footer in package.footers:
        found.setdefault(footer.language, []).append(package.data[footer.path])
    return found


def _scan(files: Sequence[Path]) -> pl.LazyFrame:
    return pl.concat([pl.scan_parquet(file) for file in files], how="diagonal_relaxed")


def _write(rows: pl.LazyFrame, folder: Path) -> list[Path]:
    """Write rows into files, as the run's own are; none make no file."""
    folder.mkdir(parents=True)
    count = rows.select(pl.len()).collect().item()
    dataset.write_files(folder, footers.SPLIT, (rows.slice(n, STEP).collect() for n in range(0, count, STEP)))
    return sorted(folder.iterdir())


def _difference(file: Path, rows: pl.LazyFrame, count: int) -> str:
    """Say in what the rows of a file are not the first of these rows; nothing if they are."""
    there = pl.scan_parquet(file)
    for start in range(0, count, STEP):
        new = rows.slice(start, min(STEP, count - start)).collect()
        old = there.slice(start, STEP).select(new.columns).collect()
        if old.equals(new):
            continue
        pairs = zip_longest(old.iter_rows(named=True), new.iter_rows(named=True), fillvalue={"id": "no row"})
        for number, (was, now) in enumerate(pairs, start):
            if was["id"] != now["id"]:
                return f"its row {number:,} is {was['id']}, where the run has {now['id']}"
            for name in new.columns:
                if repr(was[name]) != repr(now[name]):  # not == : NaN is what it was
                    return f"{name!r} of its row {number:,} ({was['id']}) is another in the run"
    return ""
