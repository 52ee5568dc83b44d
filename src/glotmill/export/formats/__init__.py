"""Formats: the rows of a run as trainers read them. One format a file, one function of the file's name.

On the command line, hyphens replace underscores: `trl-sft` is `def trl_sft(rows: pl.DataFrame, *, <options>)
-> pl.DataFrame` in trl_sft.py.

In: rows of one language and one split, in their order. All rows made from one seed row in one pass (samples,
views) come in one call. The columns are those of `rows/` (id, row, language, seed_key, those of the recipe,
verdict, reason, reason_at), the same in every call, null where a row did not get that far; and `messages`, if
the recipe has them. Kept rows are those of the dataset.

Out: the rows to write. There may be more, fewer or none, but always the same columns and dtypes. A format
raises UsageError, naming itself, the column and what it holds, for rows that it cannot use (`require_column`,
`select_columns` and `_shared/chats.py` help).

Two options come from flags of the command, if a format has them: `columns`, the names to keep in addition to
those that the trainer reads (by default the recipe's output.columns), and `reasoning`: field, inline or drop.

A format's module may also declare these, next to the function:

    SUFFIX    "parquet" (default), "jsonl", "json" (one array), or "txt": each column is a file
              `<split>.<column>` with one line per row
    NEEDS     "kept" (default), or "all": rejected rows come too, with their verdict and reason
    SCHEMA    column -> dtype that the trainer reads, or a tuple of allowed dtypes; each column must exist,
              have that dtype, and hold no null at any level
    RESERVED  names that the trainer reads, which no other column may have
    ALIKE     False: rows of different languages have different dtypes and cannot be loaded as one table
    BOTH      a boolean column; a run in which all values are equal is refused
    EMPTY     what to do if no row of a run fits the format

and in functions:

    features(schema)   the pyarrow schema of a parquet file -> its `datasets.Features`, for features that
                       parquet does not have, such as Translation
    beside(exported)   name -> text of further files, such as LLaMA-Factory's dataset_info.json;
                       exported: an `Exported`, what was written
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
# Columns that TRL's trainers read or pass to reward functions, and that other trainers read from such rows.
TRL = frozenset(_TRL.split())
# Columns that LLaMA-Factory and axolotl read from alpaca and sharegpt rows.
LLAMA_FACTORY = frozenset(_LLAMA_FACTORY.split())


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    name: str  # of the folder
    files: Mapping[str, Mapping[str, tuple[str, ...]]]  # language -> split -> paths in the folder
    rows: Mapping[str, Mapping[str, int]]  # language -> split -> rows
    schema: Mapping[str, pl.DataType]  # of all files
    options: Mapping[str, Any]  # of the format


def require_column(rows: pl.DataFrame, column: str, name: str, hint: str = "") -> None:
    """Raise UsageError, which lists the columns, unless rows have this column.

    name: the format. hint: what to do.
    """
    if column not in rows.columns:
        hint = f"; {hint}" if hint else ""
        raise UsageError(f"{name}: no column {column!r}{hint}; the columns are {', '.join(rows.columns)}")


def select_columns(rows: pl.DataFrame, columns: Collection[str], name: str) -> pl.DataFrame:
    """Return id, language and the named columns, in this order. Raises UsageError if one is missing."""
    names = list(dict.fromkeys(["id", "language", *(c for c in columns if c != "messages")]))
    for column in names:
        require_column(rows, column, name)
    return rows.select(names)
