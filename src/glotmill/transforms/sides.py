"""Turns a conversation of two into two chats: one with each speaker as the assistant."""

from collections.abc import Sequence
from typing import Any

import polars as pl

_MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))


def sides(rows: pl.DataFrame, *, of: str = "dialogue", system: Sequence[str] = ()) -> pl.DataFrame:
    """Turn each row into two: in one the second speaker is the assistant, in the other the first.

    A chat begins with the user and ends with the assistant; turns before or after are left out.
    system: two columns with the personas (lines, or a text) of the first and the second speaker; the
    assistant's is the system message.
    rows: <of> (turns) -> + messages, speaker (the assistant's label), <of>_text, reason; ids end in -0, -1.
    A side without turns of both speakers gets the reason too_few_turns.
    """
    if len(system) not in (0, 2):
        raise ValueError(
            f"system: {len(system)} columns; give that of the first and that of the second speaker"
        )
    if not isinstance(rows.schema[of], pl.List):
        raise TypeError(f"{of} is {rows.schema[of]}, not turns; make it by `as: turns`")
    columns = [rows[name].to_list() for name in system]
    sides = []
    for row, turns in enumerate(rows[of].to_list()):
        speakers = list(dict.fromkeys(turn["speaker"] for turn in turns))
        for number, speaker in enumerate(reversed(speakers[:2])):
            persona = columns[1 - number][row] if columns else None
            chat = _chat(turns, speaker, persona)
            sides.append({f"{of}_text": chat.pop("_text"), **chat, "_row": row, "_side": number})
    texts = pl.String()
    schema = {"messages": _MESSAGES, "speaker": texts, f"{of}_text": texts, "reason": texts}
    new = pl.DataFrame(sides, schema={**schema, "_row": pl.UInt32(), "_side": pl.Int64()})
    joined = (
        rows.drop(list(schema), strict=False)
        .with_row_index("_row")
        .join(new, on="_row", how="left", maintain_order="left")
    )
    missing = pl.col("_side").is_null()
    return joined.with_columns(
        id=pl.when(missing).then("id").otherwise(pl.format("{}-{}", "id", "_side")),
        reason=pl.when(missing).then(pl.lit("too_few_turns")).otherwise("reason"),
    ).drop("_row", "_side")


def _chat(
    turns: Sequence[dict[str, str]], assistant: str, persona: str | Sequence[str] | None
) -> dict[str, Any]:
    messages = [
        {"role": "assistant" if t["speaker"] == assistant else "user", "content": t["text"]} for t in turns
    ]
    while messages and messages[0]["role"] == "assistant":
        messages.pop(0)
    while messages and messages[-1]["role"] == "user":
        messages.pop()
    described = persona if isinstance(persona, str) or not persona else " ".join(persona)
    system = [{"role": "system", "content": described}] if described else []
    text = "\n".join(f"{'+' if m['role'] == 'assistant' else '-'} {m['content']}" for m in messages)
    # the assistant's name makes the two sides differ for filters that compare words, not signs
    return {
        "messages": system + messages,
        "speaker": assistant,
        "_text": f"{assistant}\n{text}",
        "reason": None if messages else "too_few_turns",
    }
