"""Chat templates that refuse or lose the role `system`."""

from typing import Any

_PROBE = "zq9system"
_KNOWN: dict[str, bool] = {}  # chat template -> whether it takes the role


def takes_system_role(tokenizer: Any) -> bool:
    """Return whether a chat template writes what a system message says.

    True where that cannot be found out, because the template refuses any chat.
    """
    template = getattr(tokenizer, "chat_template", None)
    if not isinstance(template, str):  # none, several, or a tokenizer that writes chats its own way
        return True
    if template not in _KNOWN:
        _KNOWN[template] = _probe(tokenizer)
    return _KNOWN[template]


def _probe(tokenizer: Any) -> bool:
    user = {"role": "user", "content": "Hello"}

    def written(chat: list[dict[str, str]]) -> str | None:
        try:
            return str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
        except Exception:  # noqa: BLE001 templates come with models and may raise anything
            return None

    said = written([{"role": "system", "content": _PROBE}, user])
    return (said is not None and _PROBE in said) or written([user]) is None


def without_system_role(chat: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return a chat in which the text of the system message stands before that of the first user message."""
    if len(chat) < 2 or chat[0]["role"] != "system" or chat[1]["role"] != "user":
        return chat
    system, user, *others = chat
    return [{"role": "user", "content": f"{system['content']}\n\n{user['content']}"}, *others]
