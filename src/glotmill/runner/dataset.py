"""The dataset: accepted rows in their final shape, as parquet files that every reader takes.

dataset/<language>/train-00000-of-00001.parquet
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.io import run_files
from glotmill.io.atomic import draft_files
from glotmill.recipes.recipe import Output

ROWS_PER_FILE = 500_000
ROWS_PER_GROUP = 5_000  # small enough for the Hub's viewer, also with long chats
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
REASONED = pl.List(pl.Struct({"role": pl.String, "content": pl.String, "reasoning_content": pl.String}))

# As the Hub's own writer cuts its files, so that a changed row changes few chunks.
_CHUNKING = {"min_chunk_size": 262_144, "max_chunk_size": 1_048_576, "norm_level": 0}


def shape(rows: pl.DataFrame, output: Output) -> pl.DataFrame:
    """Select the columns of the dataset.

    rows: id, language, the recipe's columns -> id, language, messages (if the recipe has `output.messages`),
    and the columns of `output.columns`.
    """
    columns = [pl.col("id"), pl.col("language")]
    if output.messages:
        columns.append(messages(output.messages))
    return rows.select(*columns, *(c for c in dict.fromkeys(output.columns) if c not in ("id", "language")))


def messages(columns: Mapping[Any, str]) -> pl.Expr:
    """Build the chat of a row from its columns, given by role; a column that is null gives no message.

    With `reasoning`, every message has `reasoning_content`: the assistant's reasoning, or "" for other roles
    (never null: chat templates of transformers 4 print a null as the word None).
    """
    chat = []
    for role in ("system", "user", "assistant"):
        if role not in columns:
            continue
        fields = {"role": pl.lit(role), "content": pl.col(columns[role])}
        if "reasoning" in columns:
            reasoning = pl.col(columns["reasoning"]).fill_null("") if role == "assistant" else pl.lit("")
            fields["reasoning_content"] = reasoning
        chat.append(pl.struct([field.alias(name) for name, field in fields.items()]))
    not_null = pl.element().filter(pl.element().struct.field("content").is_not_null())
    dtype = REASONED if "reasoning" in columns else MESSAGES
    return pl.concat_list(chat).list.eval(not_null).cast(dtype).alias("messages")


def write(folder: Path, language: str, tables: Iterable[pl.DataFrame]) -> int:
    """Write a language's rows in place of those there, and return how many. Equal rows make equal bytes."""
    with draft_files(folder / language, run_files.rows_of_language) as draft:
        return write_files(draft, "train", tables)


def write_files(
    folder: Path, split: str, tables: Iterable[pl.DataFrame], add_metadata: Callable[[Any], Any] | None = None
) -> int:
    """Write rows as `<split>-00000-of-00001.parquet` and so on, and return how many; no rows, no file.

    add_metadata: takes the pyarrow schema of a file and returns the one to write.
    """
    written = _write(folder, split, tables, add_metadata)
    files = sorted(folder.glob(f".{split}-*.parquet"))
    for number, path in enumerate(files):
        path.rename(folder / f"{split}-{number:05d}-of-{len(files):05d}.parquet")
    return written


def _write(
    folder: Path, split: str, tables: Iterable[pl.DataFrame], add_metadata: Callable[[Any], Any] | None
) -> int:
    import pyarrow.parquet as pq

    writer: Any = None
    buffer: list[pl.DataFrame] = []
    written = in_file = 0

    def flush() -> None:
        nonlocal writer, in_file
        table = pl.concat(buffer, how="vertical_relaxed").to_arrow(compat_level=pl.CompatLevel.oldest())
        buffer.clear()
        if writer is None:
            schema = _without_large_types(table.schema)
            path = folder / f".{split}-{written:012d}.parquet"
            writer = pq.ParquetWriter(
                path,
                add_metadata(schema) if add_metadata else schema,
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
        buffer.append(table)
        written += table.height
        if sum(t.height for t in buffer) >= ROWS_PER_GROUP:
            flush()
    if buffer:
        flush()
    if writer is not None:
        writer.close()
    return written


def _without_large_types(schema: Any) -> Any:
    """Replace the large lists and strings of polars by the plain ones that `datasets` writes.

    `concatenate_datasets` refuses a `large_list` of messages next to the `list` of any other dataset.
    """
    import pyarrow as pa

    def narrow(dtype: Any) -> Any:
        if pa.types.is_large_string(dtype):
            return pa.string()
        if pa.types.is_large_binary(dtype):
            return pa.binary()
        if pa.types.is_large_list(dtype):
            return pa.list_(narrow(dtype.value_type))
        if pa.types.is_struct(dtype):
            return pa.struct([(field.name, narrow(field.type)) for field in dtype])
        return dtype

    return pa.schema([(field.name, narrow(field.type)) for field in schema])
