"""Takes a finished run to a trainer: rows in a format, a folder a language, a file a split."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.columns import SEED_KEY
from glotmill.errors import UsageError
from glotmill.export import splits
from glotmill.export.formats import Exported
from glotmill.export.load_config import readme
from glotmill.export.output_format import Shape, shape
from glotmill.export.write import write
from glotmill.io.atomic import draft_output
from glotmill.recipes.model import Output
from glotmill.runner import dataset
from glotmill.runner.folder import Run

MARKER = "export.json"  # says of a folder that it is an export, and which files are its own
DEFAULT = "trl-sft"
_AGAIN = "run the same `glotmill run` command again: what was answered is kept, nothing is asked twice"


@dataclass(frozen=True)
class _Source:
    """The rows of a run: in each language those that the dataset is made of, and rejected ones."""

    run: Run
    kept: int  # in all, also above what was wanted
    wanted: int
    output: Output
    schema: pl.Schema  # of rows/, the same for every shard
    shards: Mapping[str, Sequence[Path]]

    def batches(self, tag: str, needs: str) -> Iterator[pl.DataFrame]:
        """Yield a language's rows, a shard at a time: what came of a seed row in one pass is together."""
        left = self.wanted
        for path in self.shards[tag]:
            if left <= 0 and needs != "all":
                return
            rows = _read(path)
            kept = pl.col("verdict") == "kept"
            rows = rows.filter(~kept | (kept.cum_sum() <= left))
            left -= rows.filter(kept).height
            rows = rows if needs == "all" else rows.filter(kept)
            if rows.is_empty():
                continue
            rows = pl.concat([self.schema.to_frame(), rows], how="diagonal_relaxed")
            yield rows.with_columns(dataset.messages(self.output.messages)) if self.output.messages else rows


def export(
    run: Run,
    folder: Path,
    name: str = DEFAULT,
    *,
    split: str = "train=1",
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a finished run's rows in a format, whole or not at all, and return what was written.

    split: shares as in train=0.98,test=0.02. options: of the format; see glotmill.export.formats.
    An export that is there already is replaced; a folder with anything else in it is not.
    Raises UsageError: a run that is not finished, rows that do not fit the format, a folder that is taken.
    """
    shares = splits.parse(split)
    source = _source(run)
    given = dict(options or {})
    found = shape(name, given, [c for c in source.output.columns if c != "messages"])
    _refuse_reasoning(given, source)
    with draft_output(folder, MARKER) as made:
        exported = _write(made, folder.resolve().name, source, found, shares)
        if not exported.files:
            if not source.kept:
                raise UsageError(
                    f"{run.folder}: kept no row; `glotmill show {run.folder}` tells where they went"
                )
            hint = found.says("EMPTY", "nothing is written")
            raise UsageError(f"{name}: no row of {run.folder} became one of this format; {hint}")
        files = _paths(exported) + _further(made, exported, found)
        about = {
            "format": name,
            "options": found.options,
            "run": run.folder.resolve().name,
            "split": shares,
            "rows": exported.rows,
            "files": sorted(files),
        }
        text = json.dumps(about, ensure_ascii=False, indent=1, default=str)
        (made / MARKER).write_text(f"{text}\n", encoding="utf-8")
    empty = [f"{tag}/{s}" for tag, of in exported.rows.items() for s, count in of.items() if not count]
    return {"folder": str(folder), **about, "empty": empty}


def _source(run: Run) -> _Source:
    """Find a run's rows. Raises UsageError where it is not finished, or was made before seeds had keys."""
    info = run.info()
    wanted = int(info["per_language"])
    shards = {tag: sorted(run.folder.glob(f"rows/{tag}-*.parquet")) for tag in info["languages"]}
    schemas = [_read(path, rows=0).schema for paths in shards.values() for path in paths]
    if not schemas:
        raise UsageError(f"{run.folder}: has no rows; {_AGAIN}")
    if any(SEED_KEY not in schema for schema in schemas):
        raise UsageError(
            f"{run.folder}: its rows have no {SEED_KEY!r}, by which they are split: they are of an earlier "
            f"version; {_AGAIN}"
        )
    kept = dict.fromkeys(shards, 0)
    for tag, paths in shards.items():
        kept[tag] = sum(_read(path, ["verdict"]).filter(verdict="kept").height for path in paths)
        there = sum(_read(file, ["id"]).height for file in run.folder.glob(f"dataset/{tag}/train-*.parquet"))
        if there != min(kept[tag], wanted):
            raise UsageError(f"{run.folder}: not finished: {tag} has {there:,} rows in its dataset; {_AGAIN}")
    empty = pl.concat([pl.Schema(schema).to_frame() for schema in schemas], how="diagonal_relaxed")
    output = Output.model_validate(info["recipe"].get("output", {}))
    return _Source(run, sum(kept.values()), wanted, output, empty.schema, shards)


def _read(path: Path, columns: list[str] | None = None, rows: int | None = None) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=columns, n_rows=rows)
    except pl.exceptions.PolarsError as error:
        raise UsageError(f"{path}: cannot be read: {str(error).splitlines()[0]}; {_AGAIN}") from None


def _refuse_reasoning(given: Mapping[str, Any], source: _Source) -> None:
    kept_apart = "reasoning" in (source.output.messages or {})
    if (
        "reasoning" in given
        and not kept_apart
        and "reasoning_content" not in str(source.schema.get("messages"))
    ):
        raise UsageError(
            f"--reasoning: {source.run.folder} has none kept apart; a recipe names its column under "
            "output.messages.reasoning"
        )


def _write(made: Path, name: str, source: _Source, found: Shape, shares: Mapping[str, float]) -> Exported:
    """Write the files of every language and split, one after the other: one shard is in memory at a time."""
    files: dict[str, dict[str, tuple[str, ...]]] = {}
    rows: dict[str, dict[str, int]] = {}
    schema = pl.Schema()
    both, values = found.says("BOTH"), set[Any]()

    def tables(tag: str, split: str) -> Iterator[pl.DataFrame]:
        for batch in source.batches(tag, found.says("NEEDS", "kept")):
            side = batch.filter(splits.assign(batch[SEED_KEY], shares) == split)
            if side.is_empty():
                continue
            table = found.table(side)
            if schema and table.schema != schema:
                raise UsageError(
                    f"format {found.name}: gave {table.schema} after {schema}; give one form to all"
                )
            schema.update(table.schema)
            values.update(table[both].unique() if both else ())
            yield table

    for tag in source.shards:
        place = made / tag
        place.mkdir()
        rows[tag] = {}
        if not found.says("ALIKE", True):
            schema.clear()
        for split in shares:
            before = set(place.iterdir())
            rows[tag][split] = write(place, split, tables(tag, split), found.suffix, found.features)
            if new := sorted(path.name for path in set(place.iterdir()) - before):
                files.setdefault(tag, {})[split] = tuple(f"{tag}/{file}" for file in new)
        if tag not in files:
            place.rmdir()
    if len(values) == 1:
        hint = found.says("EMPTY", "rows of both are needed")
        raise UsageError(f"{found.name}: {both!r} is {values.pop()} in every row; {hint}")
    return Exported(name, files, rows, schema, found.options)


def _further(made: Path, exported: Exported, found: Shape) -> list[str]:
    """Write what goes beside the rows, and return its names."""
    texts = {} if found.suffix == "txt" else {"README.md": readme(exported, _digest(made, exported), found)}
    if beside := found.says("beside"):
        texts |= beside(exported)
    for name, text in texts.items():
        (made / name).write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def _paths(exported: Exported) -> list[str]:
    return [path for by_split in exported.files.values() for some in by_split.values() for path in some]


def _digest(made: Path, exported: Exported) -> str:
    """Hash of all rows that were written."""
    whole = sha256()
    for path in _paths(exported):
        with (made / path).open("rb") as file:
            whole.update(file_digest(file, "sha256").digest())
    return whole.hexdigest()
