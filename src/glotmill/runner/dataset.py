"""Writes the accepted rows as parquet that every reader takes: `dataset/<language>/train-*.parquet`."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.recipes.model import Output

ROWS_PER_FILE = 500_000
ROWS_PER_GROUP = 5_000  # small enough for the Hub's viewer, also with long chats
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
REASONED = pl.List(pl.Struct({"role": pl.String, "content": pl.String, "reasoning_content": pl.String}))

# As the Hub's own writer cuts its files, so that a changed row changes few chunks.
_CHUNKING = {"min_chunk_size": 262_144, "max_chunk_size": 1_048_576, "norm_level": 0}


def shape(rows: pl.DataFrame, output: Output) -> pl.DataFrame:
    """Bring kept rows into the form in which they leave.

    rows: id, language, the recipe's columns -> id, language, messages (if the recipe says so), columns.
    """
    columns = [pl.col("id"), pl.col("language")]
    if output.messages:
        columns.append(messages(output.messages))
    return rows.select(*columns, *(c for c in dict.fromkeys(output.columns) if c not in ("id", "language")))


def messages(columns: Mapping[Any, str]) -> pl.Expr:
    """Return the chat made of a row's columns, by role; a column that is null is not said.

    With `reasoning`, every message has `reasoning_content`: of the assistant what it thought, else "" (never
    null: chat templates of transformers 4 write a null out as the word None).
    """
    said = []
    for role in ("system", "user", "assistant"):
        if role not in columns:
            continue
        parts = {"role": pl.lit(role), "content": pl.col(columns[role])}
        if "reasoning" in columns:
            thought = pl.col(columns["reasoning"]).fill_null("") if role == "assistant" else pl.lit("")
            parts["reasoning_content"] = thought
        said.append(pl.struct([part.alias(name) for name, part in parts.items()]))
    there = pl.element().filter(pl.element().struct.field("content").is_not_null())
    dtype = REASONED if "reasoning" in columns else MESSAGES
    return pl.concat_list(said).list.eval(there).cast(dtype).alias("messages")


def write(folder: Path, language: str, tables: Iterable[pl.DataFrame]) -> int:
    """Write a language's rows, whole or not at all, and return how many. Equal rows make equal bytes."""
    draft, final = folder / f".{language}.tmp", folder / language
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    written = write_files(draft, "train", tables)
    if written:
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
    else:
        shutil.rmtree(draft)
        shutil.rmtree(final, ignore_errors=True)
    return written


def write_files(
    folder: Path, split: str, tables: Iterable[pl.DataFrame], about: Callable[[Any], Any] | None = None
) -> int:
    """Write rows as `<split>-00000-of-00001.parquet` and so on, and return how many; none make no file.

    about: gets the pyarrow schema of a file and returns the one to write, with metadata of its own.
    """
    written = _write(folder, split, tables, about)
    files = sorted(folder.glob(f".{split}-*.parquet"))
    for number, path in enumerate(files):
        path.rename(folder / f"{split}-{number:05d}-of-{len(files):05d}.parquet")
    return written


def _write(
    folder: Path, split: str, tables: Iterable[pl.DataFrame], about: Callable[[Any], Any] | None
) -> int:
    import pyarrow.parquet as pq

    writer: Any = None
    held: list[pl.DataFrame] = []
    written = in_file = 0

    def flush() -> None:
        nonlocal writer, in_file
        table = pl.concat(held, how="vertical_relaxed").to_arrow(compat_level=pl.CompatLevel.oldest())
        held.clear()
        if writer is None:
            schema = _usual(table.schema)
            path = folder / f".{split}-{written:012d}.parquet"
            writer = pq.ParquetWriter(
                path,
                about(schema) if about else schema,
                compression="zstd",
                write_page_index=True,
                use_content_defined_chunking=_CHUNKING,
            )
        writer.write_table(table.cast(writer.schema), row_group_size=ROWS_PER_GROUP)
        in_file += table.num_rows
        if in_file >= ROWS_PER_FILE:
            writer.close()
            writer, in_file = None, 0

    for table in tables:
        if table.is_empty():
            continue
        held.append(table)
        written += table.height
        if sum(t.height for t in held) >= ROWS_PER_GROUP:
            flush()
    if held:
        flush()
    if writer is not None:
        writer.close()
    return written


def _usual(schema: Any) -> Any:
    """Return a pyarrow schema with the lists and texts that datasets makes, where polars has large ones.

    A `large_list` of messages is refused by `concatenate_datasets` beside the `list` of any other dataset.
    """
    import pyarrow as pa

    def narrow(kind: Any) -> Any:
        if pa.types.is_large_string(kind):
            return pa.string()
        if pa.types.is_large_binary(kind):
            return pa.binary()
        if pa.types.is_large_list(kind):
            return pa.list_(narrow(kind.value_type))
        if pa.types.is_struct(kind):
            return pa.struct([(part.name, narrow(part.type)) for part in kind])
        return kind

    return pa.schema([(part.name, narrow(part.type)) for part in schema])
