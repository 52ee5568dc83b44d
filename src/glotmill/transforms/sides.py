"""Turns a conversation of two into chats: once with either speaker as the assistant."""

from collections.abc import Sequence
from typing import Any

import polars as pl

_MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))


def sides(rows: pl.DataFrame, *, of: str = "dialogue", system: Sequence[str] = ()) -> pl.DataFrame:
    """Make two rows of each: the second speaker is the assistant in one, the first in the other.

    A chat begins with the user and ends with the assistant; a turn that does not fit at an end is left out. system:
    two columns with the personas (lines) of the first and the second speaker; the assistant's is the system message.
    rows: <of> (turns) -> + messages, speaker (the assistant's label), <of>_text, reason; ids end in -0 and -1.
    A side without a turn of both gets the reason too_few_turns.
    """
    columns = [rows[name].to_list() for name in system]
    made = []
    for place, turns in enumerate(rows[of].to_list()):
        speakers = list(dict.fromkeys(turn["speaker"] for turn in turns))
        for number, speaker in enumerate(reversed(speakers[:2])):
            persona = columns[1 - number][place] if columns else None
            made.append(
                {**_chat(turns, speaker, persona), "_place": place, "_side": number, "speaker": speaker}
            )
    schema = {"messages": _MESSAGES, "speaker": pl.String, f"{of}_text": pl.String, "reason": pl.String}
    made = [{**row, f"{of}_text": row["_text"]} for row in made]
    new = pl.DataFrame(made, schema={**schema, "_place": pl.UInt32, "_side": pl.Int64})
    joined = rows.with_row_index("_place").join(new, on="_place", how="left", maintain_order="left")
    missing = pl.col("_side").is_null()
    return joined.with_columns(
        id=pl.when(missing).then("id").otherwise(pl.format("{}-{}", "id", "_side")),
        reason=pl.when(missing).then(pl.lit("too_few_turns")).otherwise("reason"),
    ).drop("_place", "_side")


def _chat(turns: Sequence[dict[str, str]], assistant: str, persona: Sequence[str] | None) -> dict[str, Any]:
    said = [
        {"role": "assistant" if t["speaker"] == assistant else "user", "content": t["text"]} for t in turns
    ]
    while said and said[0]["role"] == "assistant":
        said.pop(0)
    while said and said[-1]["role"] == "user":
        said.pop()
    system = [{"role": "system", "content": " ".join(persona)}] if persona else []
    text = "\n".join(f"{'+' if m['role'] == 'assistant' else '-'} {m['content']}" for m in said)
    # which side it is stands in words: signs alone do not make texts different
    return {
        "messages": system + said,
        "_text": f"{assistant}\n{text}",
        "reason": None if said else "too_few_turns",
    }
