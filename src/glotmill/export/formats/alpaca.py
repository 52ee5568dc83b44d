"""One question and one answer, as `instruction`, `input`, `output`: LLaMA-Factory, axolotl."""

import json
from collections.abc import Sequence

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import LLAMA_FACTORY, Exported, named
from glotmill.export.formats._shared.chats import chats

SUFFIX = "json"
SCHEMA = {name: pl.String() for name in ("instruction", "input", "output", "system")}
RESERVED = LLAMA_FACTORY - {*SCHEMA}
_WAYS = ("inline", "drop")  # no trainer of this form reads a field of its own


def alpaca(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "inline") -> pl.DataFrame:
    """Return one question and its answer a row.

    rows: messages (a system message or none, one of the user, one of the assistant) -> instruction, input
    (empty), output, system (empty where there is none), id, language, columns. reasoning: inline or drop.
    Source: Stanford Alpaca; LLaMA-Factory, data/README.
    """
    said = chats(rows, "alpaca", reasoning, _WAYS)
    roles = said.list.eval(pl.element().struct.field("role"))
    single = roles.list.join(" ").is_in(["user assistant", "system user assistant"])
    if not single.all():
        there = ", ".join(roles.filter(~single)[0].to_list())
        raise UsageError(
            f"alpaca: row {rows['id'].filter(~single)[0]}: column 'messages' holds {there:.200}; one user "
            "and one assistant fit; use sharegpt for conversations"
        )
    texts = said.list.eval(pl.element().struct.field("content"))
    first = pl.when(texts.list.len() == 3).then(texts.list.first()).otherwise(pl.lit(""))
    made = pl.select(instruction=texts.list.get(-2), input=pl.lit(""), output=texts.list.last(), system=first)
    return made.hstack(named(rows, columns, "alpaca"))


def beside(exported: Exported) -> dict[str, str]:
    """Return LLaMA-Factory's `dataset_info.json`: a dataset a language and split, as eng_Latn_train."""
    columns = {"prompt": "instruction", "query": "input", "response": "output", "system": "system"}
    info = {
        f"{language}_{split}": {"file_name": paths[0], "columns": columns}
        for language, by_split in exported.files.items()
        for split, paths in by_split.items()
    }
    return {"dataset_info.json": json.dumps(info, indent=2) + "\n"}
