"""One question and one answer, as `instruction`, `input`, `output`: LLaMA-Factory, axolotl."""

import json
from collections.abc import Sequence

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import LLAMA_FACTORY, Exported, select_columns
from glotmill.export.formats._shared.chats import read_chats

SUFFIX = "json"
SCHEMA = {name: pl.String() for name in ("instruction", "input", "output", "system")}
RESERVED = LLAMA_FACTORY - {*SCHEMA}
_REASONING = ("inline", "drop")  # no trainer of this format reads a separate field


def alpaca(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "inline") -> pl.DataFrame:
    """Return one question and its answer per row.

    rows: messages (an optional system message, one user and one assistant message) -> instruction, input
    (empty), output, system (empty if there is none), id, language, columns. reasoning: inline or drop.
    Source: Stanford Alpaca; LLaMA-Factory, data/README.
    """
    chats = read_chats(rows, "alpaca", reasoning, _REASONING)
    roles = chats.list.eval(pl.element().struct.field("role"))
    single = roles.list.join(" ").is_in(["user assistant", "system user assistant"])
    if not single.all():
        roles_text = ", ".join(roles.filter(~single)[0].to_list())
        raise UsageError(
            f"alpaca: row {rows['id'].filter(~single)[0]}: column 'messages' holds {roles_text:.200}; "
            "it must be one user and one assistant message; use sharegpt for conversations"
        )
    texts = chats.list.eval(pl.element().struct.field("content"))
    first = pl.when(texts.list.len() == 3).then(texts.list.first()).otherwise(pl.lit(""))
    table = pl.select(
        instruction=texts.list.get(-2), input=pl.lit(""), output=texts.list.last(), system=first
    )
    return table.hstack(select_columns(rows, columns, "alpaca"))


def beside(exported: Exported) -> dict[str, str]:
    """Return LLaMA-Factory's `dataset_info.json`: one dataset, such as eng_Latn_train, per file."""
    columns = {"prompt": "instruction", "query": "input", "response": "output", "system": "system"}
    info = {
        f"{language}_{split}": {"file_name": paths[0], "columns": columns}
        for language, by_split in exported.files.items()
        for split, paths in by_split.items()
    }
    return {"dataset_info.json": json.dumps(info, indent=2) + "\n"}
