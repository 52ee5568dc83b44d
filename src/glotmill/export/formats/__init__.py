"""The shapes in which rows leave a run: one function a file, named with hyphens on the command line.

A format is `def trl_sft(rows: pl.DataFrame, *, <options>) -> pl.DataFrame`.

rows: rows of one language of a run and of one split, in their order. All that came of one seed row in one
pass (samples, views) is in one call. There are: every column of `rows/` (id, row, language, seed_key, the
recipe's, verdict, reason, reason_at), the same in every call, null where a row did not come so far; and
`messages`, if the recipe says what they are. Of the kept rows there are as many as the dataset has, no more.

What is returned is written: it may have more or fewer rows, or none, but always the same columns and types.
Raises UsageError, naming format, column and what is there, for rows that do not have the shape that it needs:
see `needed` and `named` here, and messages.py.

Two options are said by the command's own `--columns` and `--reasoning`, if a format has them: `columns`, the
names that leave beside those that the trainer reads (the recipe's output.columns, where the user names none),
and `reasoning`, one of field, inline, drop.

The file may say more, in constants:
SUFFIX    "parquet" (the default), "jsonl", "json" (one array), or "txt": each column is a file
          `<split>.<column>` with a line a row
NEEDS     "kept" (the default), or "all": rejected rows come too, with verdict and reason
SCHEMA    column -> type of what the trainer reads, or a tuple of the types that it may have; each column must
          be there, of that type, and never null, nor anything inside of it
RESERVED  names that the trainer reads, and that therefore no other column may have
ALIKE     False: rows of different languages have different types, and cannot be loaded as one table
BOTH      a column of booleans; a run in which all are true, or all false, is refused
EMPTY     what to do where no row of a run became one of this format

and in functions:
features(schema)    the pyarrow schema of a parquet file -> its `datasets.Features`, where datasets has a type
                    that parquet has not, such as Translation
beside(exported)    texts of further files by name, such as LLaMA-Factory's dataset_info.json;
                    exported: `Exported`, what was written
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glotmill.errors import UsageError

_TRL = """
text messages conversations prompt prompts completion completions completion_ids chosen rejected reference
label labels margin tools image images input_ids attention_mask seq_lengths completion_mask assistant_masks
chat_template_kwargs environment env_config ground_truth dataset dataset_source dataset_name trainer_state
message_loss_mask task_name
"""
_LLAMA_FACTORY = """
instruction input output system history tools messages conversations text prompt query response chosen
rejected images videos audios kto_tag
"""
# What TRL's trainers read, or give to reward functions; and what others read of rows of the same form.
TRL = frozenset(_TRL.split())
# What LLaMA-Factory and axolotl read of alpaca and sharegpt rows.
LLAMA_FACTORY = frozenset(_LLAMA_FACTORY.split())


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    name: str  # of the folder
    files: Mapping[str, Mapping[str, tuple[str, ...]]]  # language -> split -> paths in the folder
    rows: Mapping[str, Mapping[str, int]]  # language -> split -> rows
    schema: Mapping[str, pl.DataType]  # of all files
    options: Mapping[str, Any]  # that the format was given


def needed(rows: pl.DataFrame, column: str, name: str, hint: str = "") -> None:
    """Raise UsageError, with what there is, unless rows have a column.

    name: of the format. hint: what to do.
    """
    if column not in rows.columns:
        hint = f"; {hint}" if hint else ""
        raise UsageError(f"{name}: no column {column!r}{hint}; there is {', '.join(rows.columns)}")


def named(rows: pl.DataFrame, columns: Collection[str], name: str) -> pl.DataFrame:
    """Return id, language and the named columns, in this order. Raises UsageError if one is not there."""
    names = list(dict.fromkeys(["id", "language", *(c for c in columns if c != "messages")]))
    for column in names:
        needed(rows, column, name)
    return rows.select(names)
