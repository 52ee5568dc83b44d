"""Conversations, as `conversations` of {from, value}: LLaMA-Factory, axolotl; with the settings for both."""

import json
from collections.abc import Sequence

import polars as pl

from glotmill.errors import UsageError
from glotmill.export.formats import LLAMA_FACTORY, Exported, named
from glotmill.export.formats._shared.chats import chats

SUFFIX = "json"
SCHEMA = {"conversations": pl.List(pl.Struct({"from": pl.String(), "value": pl.String()}))}
RESERVED = LLAMA_FACTORY - {*SCHEMA}
_WAYS = ("inline", "drop")  # no trainer of this form reads a field of its own
_NAMES = {"system": "system", "user": "human", "assistant": "gpt"}
_ALTERNATING = r"\A(system )?user assistant( user assistant)*\z"


def sharegpt(rows: pl.DataFrame, *, columns: Sequence[str] = (), reasoning: str = "inline") -> pl.DataFrame:
    """Return one conversation a row: human and gpt by turns, behind a system message or none.

    rows: messages -> conversations, id, language, columns. reasoning: inline or drop.
    Source: LLaMA-Factory, data/README, which leaves out conversations that do not alternate.
    """
    said = chats(rows, "sharegpt", reasoning, _WAYS)
    roles = said.list.eval(pl.element().struct.field("role")).list.join(" ")
    alternating = roles.str.contains(_ALTERNATING)
    if not alternating.all():
        raise UsageError(
            f"sharegpt: row {rows['id'].filter(~alternating)[0]}: column 'messages' holds "
            f"{roles.filter(~alternating)[0]:.200}; user and assistant must take turns, the assistant last "
            "(the filter `turns` keeps such dialogues)"
        )
    role, content = (pl.element().struct.field(part) for part in ("role", "content"))
    turns = said.list.eval(pl.struct(role.replace_strict(_NAMES).alias("from"), content.alias("value")))
    return turns.alias("conversations").to_frame().hstack(named(rows, columns, "sharegpt"))


def beside(exported: Exported) -> dict[str, str]:
    """Return LLaMA-Factory's `dataset_info.json` (a dataset a language and split), and `axolotl.yaml`.

    axolotl.yaml names the files of the first split, by their paths in the exported folder.
    """
    files = {
        f"{language}_{split}": paths[0]
        for language, by_split in exported.files.items()
        for split, paths in by_split.items()
    }
    entry = {"formatting": "sharegpt", "columns": {"messages": "conversations"}}
    info = {name: {"file_name": path, **entry} for name, path in files.items()}
    lines = ["# To be run in this folder; elsewhere, write its place before each path.", "datasets:"]
    first = next(split for by_split in exported.rows.values() for split in by_split)
    for path in (by_split[first][0] for by_split in exported.files.values() if first in by_split):
        lines += [f"- path: {path}", "  ds_type: json", "  type: chat_template"]
        lines += [
            "  field_messages: conversations",
            "  message_property_mappings: {role: from, content: value}",
        ]
    return {"dataset_info.json": json.dumps(info, indent=2) + "\n", "axolotl.yaml": "\n".join([*lines, ""])}
