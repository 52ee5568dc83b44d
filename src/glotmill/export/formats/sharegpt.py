"""Conversations, as `conversations` of {from, value}, with config files: LLaMA-Factory, axolotl."""

import json
from collections.abc import Sequence

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import LLAMA_FACTORY, Exported, select_columns
from glotmill.export.formats._shared.chats import read_chats

SUFFIX = "json"
SCHEMA = {"conversations": pl.List(pl.Struct({"from": pl.String(), "value": pl.String()}))}
RESERVED = LLAMA_FACTORY - {*SCHEMA}
_REASONING = ("inline", "drop")  # no trainer of this format reads a separate field
_NAMES = {"system": "system", "user": "human", "assistant": "gpt"}
_ALTERNATING = r"\A(system )?user assistant( user assistant)*\z"


def sharegpt(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "inline") -> pl.DataFrame:
    """Return one conversation per row: an optional system message, then human and gpt in turns.

    rows: messages -> conversations, id, language, columns. reasoning: inline or drop.
    Source: LLaMA-Factory, data/README, which skips conversations that do not alternate.
    """
    chats = read_chats(rows, "sharegpt", reasoning, _REASONING)
    roles = chats.list.eval(pl.element().struct.field("role")).list.join(" ")
    alternating = roles.str.contains(_ALTERNATING)
    if not alternating.all():
        raise UsageError(
            f"sharegpt: row {rows['id'].filter(~alternating)[0]}: column 'messages' holds "
            f"{roles.filter(~alternating)[0]:.200}; user and assistant must take turns, the assistant last "
            "(the filter `turns` keeps such dialogues)"
        )
    role, content = (pl.element().struct.field(part) for part in ("role", "content"))
    turns = chats.list.eval(pl.struct(role.replace_strict(_NAMES).alias("from"), content.alias("value")))
    return turns.alias("conversations").to_frame().hstack(select_columns(rows, columns, "sharegpt"))


def beside(exported: Exported) -> dict[str, str]:
    """Return LLaMA-Factory's `dataset_info.json` (one dataset per language and split), and `axolotl.yaml`.

    axolotl.yaml names the files of the first split, relative to the exported folder.
    """
    files = {
        f"{language}_{split}": paths[0]
        for language, by_split in exported.files.items()
        for split, paths in by_split.items()
    }
    entry = {"formatting": "sharegpt", "columns": {"messages": "conversations"}}
    info = {name: {"file_name": path, **entry} for name, path in files.items()}
    lines = ["# Run axolotl in this folder, or put the folder before each path.", "datasets:"]
    first = next(split for by_split in exported.rows.values() for split in by_split)
    for path in (by_split[first][0] for by_split in exported.files.values() if first in by_split):
        lines += [f"- path: {path}", "  ds_type: json", "  type: chat_template"]
        lines += [
            "  field_messages: conversations",
            "  message_property_mappings: {role: from, content: value}",
        ]
    return {"dataset_info.json": json.dumps(info, indent=2) + "\n", "axolotl.yaml": "\n".join([*lines, ""])}
