"""Replies that come in pieces (server-sent events)."""

import json
from typing import Any


def completion_of(raw: bytes | bytearray) -> dict[str, Any]:
    """Return the chat completion that a stream's pieces make. Raises ValueError if one is not JSON."""
    texts: dict[str, list[str]] = {"content": [], "reasoning": []}
    finish: Any = None
    whole: dict[str, Any] = {}
    for line in raw.split(b"\n"):
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or data in (b"", b"[DONE]"):
            continue
        piece = json.loads(data)
        if not isinstance(piece, dict):
            continue
        whole |= {name: piece[name] for name in ("usage", "error") if piece.get(name)}
        choices = piece.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            continue
        finish = choice.get("finish_reason") or finish
        delta = choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        for name, kind in (
            ("content", "content"),
            ("reasoning", "reasoning"),
            ("reasoning_content", "reasoning"),
        ):
            if isinstance(delta.get(name), str):
                texts[kind].append(delta[name])
    if "error" in whole:
        return whole
    message = {name: "".join(parts) for name, parts in texts.items()}
    return {**whole, "choices": [{"finish_reason": finish, "message": message}]}
