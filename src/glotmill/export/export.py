"""Writes the accepted rows of a run in the format of a trainer: a folder per language, a file per split."""

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
from glotmill.export.dataset_readme import readme
from glotmill.export.formats import Exported
from glotmill.export.output_format import OutputFormat, open_format
from glotmill.export.split_files import write
from glotmill.io.atomic import draft_output
from glotmill.io.checksum import is_intact
from glotmill.io.run_files import dataset_files, shard_files
from glotmill.recipes.recipe import Output
from glotmill.recipes.steps import Filter
from glotmill.runner import dataset
from glotmill.runner.apply_filters import streaming_rule
from glotmill.runner.run_folder import Run, readable

MARKER = "export.json"  # marks a folder as an export, and lists its files
DEFAULT = "trl-sft"
_RUN_AGAIN = "run the same `glotmill run` command again; replies are kept, and nothing is requested twice"


@dataclass(frozen=True)
class _RunRows:
    """The rows of a run, per language: those of its dataset, and the rejected ones."""

    run: Run
    kept: int  # in all languages, including rows beyond per_language
    per_language: int
    output: Output
    schema: pl.Schema  # of all shards
    shards: Mapping[str, Sequence[Path]]
    unfinished: Mapping[str, int]  # language -> accepted rows so far

    def batches(self, tag: str, needs: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of a language, one shard at a time; rows of one seed row and pass stay together."""
        remaining = self.per_language
        for path in self.shards[tag]:
            if remaining <= 0 and needs != "all":
                return
            rows = _read(path)
            kept = pl.col("verdict") == "kept"
            rows = rows.filter(~kept | (kept.cum_sum() <= remaining))
            remaining -= rows.filter(kept).height
            rows = rows if needs == "all" else rows.filter(kept)
            if rows.is_empty():
                continue
            rows = pl.concat([self.schema.to_frame(), rows], how="diagonal_relaxed")
            yield rows.with_columns(dataset.messages(self.output.messages)) if self.output.messages else rows


@dataclass(frozen=True)
class ExportResult:
    """An export that was written."""

    folder: Path
    format: str
    options: Mapping[str, Any]  # of the format
    run: str  # name of the run's folder
    split: Mapping[str, float]  # split -> share
    rows: Mapping[str, Mapping[str, int]]  # language -> split -> rows
    files: Sequence[str]
    per_language: int  # accepted rows that the user asked for
    unfinished: Mapping[str, int]  # language -> accepted rows so far, if the run was stopped

    @property
    def empty(self) -> list[str]:
        """Splits without rows, as `language/split`."""
        return [
            f"{tag}/{split}"
            for tag, by_split in self.rows.items()
            for split, count in by_split.items()
            if not count
        ]

    def marker(self) -> dict[str, Any]:
        """Return the content of `export.json`."""
        return {
            "format": self.format,
            "options": self.options,
            "run": self.run,
            "split": self.split,
            "rows": self.rows,
            "files": self.files,
            "unfinished": self.unfinished,
        }

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {"folder": str(self.folder), **self.marker(), "empty": self.empty}


def export(
    run: Run,
    folder: Path,
    name: str = DEFAULT,
    *,
    split: str = "train=1",
    options: Mapping[str, Any] | None = None,
) -> ExportResult:
    """Write the accepted rows of a run in a format, whole or not at all, and return what was written.

    Of a run that was stopped, the rows that are accepted so far: those of its first finished shards.

    split: shares, such as train=0.98,test=0.02. options: of the format; see glotmill.export.formats.
    An earlier export in the folder is replaced; a folder with anything else is refused.
    Raises UsageError: the run has no rows or its finish needs all of them, the rows do not fit the format, or
    the folder is in use.
    """
    shares = splits.parse(split)
    source = _open_rows(run)
    options = dict(options or {})
    output_format = open_format(name, options, [c for c in source.output.columns if c != "messages"])
    _check_reasoning(options, source)
    with draft_output(folder, MARKER) as draft:
        exported = _write(draft, folder.resolve().name, source, output_format, shares)
        if not exported.files:
            if not source.kept:
                raise UsageError(f"{run.folder}: no row was kept; see `glotmill show {run.folder}`")
            hint = output_format.declared("EMPTY", "nothing was written")
            raise UsageError(f"{name}: no row of {run.folder} fits this format; {hint}")
        files = _row_files(exported) + _write_extra_files(draft, exported, output_format)
        run_name = run.folder.resolve().name
        result = ExportResult(
            folder,
            name,
            output_format.options,
            run_name,
            shares,
            exported.rows,
            sorted(files),
            source.per_language,
            source.unfinished,
        )
        text = json.dumps(result.marker(), ensure_ascii=False, indent=1, default=str)
        (draft / MARKER).write_text(f"{text}\n", encoding="utf-8")
    return result


def _open_rows(run: Run) -> _RunRows:
    """Return the rows of a run. Raises UsageError if there are none, or if they are older than seed keys."""
    info, recipe = run.info(), run.recipe()
    per_language = int(info["per_language"])
    paths = {tag: shard_files(run.folder, [tag]) for tag in info["languages"]}
    for path in (path for of_language in paths.values() for path in of_language):
        if is_intact(path) is False:
            raise UsageError(f"{path}: is damaged; {_RUN_AGAIN}")
    unfinished = [tag for tag in paths if not _is_finished(run, tag, paths[tag], per_language)]
    shards = {tag: run.settled_shards(tag) if tag in unfinished else paths[tag] for tag in paths}
    schemas = [_read(path, rows=0).schema for paths in shards.values() for path in paths]
    if not schemas:
        raise UsageError(f"{run.folder}: has no rows; {_RUN_AGAIN}")
    if any(SEED_KEY not in schema for schema in schemas):
        raise UsageError(
            f"{run.folder}: made by an earlier version, without the column {SEED_KEY!r} that splits need; "
            f"{_RUN_AGAIN}"
        )
    kept = {tag: _kept(paths) for tag, paths in shards.items()}
    if unfinished:
        _refuse_open_finish(run, recipe.finish, unfinished)
    so_far = {tag: min(kept[tag], per_language) for tag in unfinished}
    empty = pl.concat([pl.Schema(schema).to_frame() for schema in schemas], how="diagonal_relaxed")
    return _RunRows(run, sum(kept.values()), per_language, recipe.output, empty.schema, shards, so_far)


def _is_finished(run: Run, tag: str, shards: Sequence[Path], per_language: int) -> bool:
    """Return whether the dataset of a language holds what its rows say."""
    dataset_folder = run.folder / "dataset"
    in_dataset = sum(_read(file, ["id"]).height for file in dataset_files(run.folder, [tag]))
    return dataset_folder.is_dir() and in_dataset == min(_kept(shards), per_language)


def _kept(shards: Sequence[Path]) -> int:
    return sum(_read(path, ["verdict"]).filter(verdict="kept").height for path in shards)


def _refuse_open_finish(run: Run, finish: Sequence[Filter], unfinished: Sequence[str]) -> None:
    """Refuse a stopped run if a filter under `finish:` has yet to see all its rows."""
    if filters := [step.filter for step in finish if not step.skip and streaming_rule(step) is None]:
        raise UsageError(
            f"{run.folder}: not finished: {', '.join(unfinished)}; {' and '.join(filters)} under finish: "
            f"must see all rows first; {_RUN_AGAIN}"
        )


def _read(path: Path, columns: list[str] | None = None, rows: int | None = None) -> pl.DataFrame:
    with readable(path):
        return pl.read_parquet(path, columns=columns, n_rows=rows)


def _check_reasoning(options: Mapping[str, Any], source: _RunRows) -> None:
    has_reasoning_column = "reasoning" in (source.output.messages or {})
    if (
        "reasoning" in options
        and not has_reasoning_column
        and "reasoning_content" not in str(source.schema.get("messages"))
    ):
        raise UsageError(
            f"--reasoning: {source.run.folder} has no reasoning column; a recipe names it under "
            "output.messages.reasoning"
        )


def _write(
    draft: Path, name: str, source: _RunRows, output_format: OutputFormat, shares: Mapping[str, float]
) -> Exported:
    """Write the files of every language and split, with one shard in memory at a time."""
    files: dict[str, dict[str, tuple[str, ...]]] = {}
    rows: dict[str, dict[str, int]] = {}
    schema = pl.Schema()
    label_column, values = output_format.declared("BOTH"), set[Any]()

    def tables(tag: str, split: str) -> Iterator[pl.DataFrame]:
        for batch in source.batches(tag, output_format.declared("NEEDS", "kept")):
            split_rows = batch.filter(splits.assign(batch[SEED_KEY], shares) == split)
            if split_rows.is_empty():
                continue
            table = output_format.table(split_rows)
            if schema and table.schema != schema:
                raise UsageError(
                    f"format {output_format.name}: returned {table.schema} after {schema}; "
                    "all tables must have one schema"
                )
            schema.update(table.schema)
            values.update(table[label_column].unique() if label_column else ())
            yield table

    for tag in source.shards:
        language_folder = draft / tag
        language_folder.mkdir()
        rows[tag] = {}
        if not output_format.declared("ALIKE", True):
            schema.clear()
        for split in shares:
            before = set(language_folder.iterdir())
            rows[tag][split] = write(
                language_folder, split, tables(tag, split), output_format.suffix, output_format.features
            )
            if new := sorted(path.name for path in set(language_folder.iterdir()) - before):
                files.setdefault(tag, {})[split] = tuple(f"{tag}/{file}" for file in new)
        if tag not in files:
            language_folder.rmdir()
    if len(values) == 1:
        hint = output_format.declared("EMPTY", "rows of both values are needed")
        raise UsageError(f"{output_format.name}: {label_column!r} is {values.pop()} in every row; {hint}")
    return Exported(name, files, rows, schema, output_format.options)


def _write_extra_files(draft: Path, exported: Exported, output_format: OutputFormat) -> list[str]:
    """Write the files that accompany the rows, and return their names."""
    texts = (
        {}
        if output_format.suffix == "txt"
        else {"README.md": readme(exported, _digest(draft, exported), output_format)}
    )
    if beside := output_format.declared("beside"):
        texts |= beside(exported)
    for name, text in texts.items():
        (draft / name).write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def _row_files(exported: Exported) -> list[str]:
    return [path for by_split in exported.files.values() for paths in by_split.values() for path in paths]


def _digest(draft: Path, exported: Exported) -> str:
    """Return a hash of all rows that were written."""
    digest = sha256()
    for path in _row_files(exported):
        with (draft / path).open("rb") as file:
            digest.update(file_digest(file, "sha256").digest())
    return digest.hexdigest()
