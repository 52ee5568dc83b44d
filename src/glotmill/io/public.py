"""What of a value that a user gave may leave with a run: no place on a machine, and nothing like a secret."""

import re
from typing import Any

HIDDEN = "(not kept)"  # as run.json says it

SECRET = re.compile(
    r"\b(hf_|sk-|gsk_|ghp_|gho_|github_pat_|glpat-|nvapi-|xox[bp]-|AKIA|AIza)[A-Za-z0-9_-]{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
)

_PLACE = re.compile(r"(file://)?(~[\w.-]*|/[^/\n]+|[A-Za-z]:)[\\/][^\n]*|\\\\[^\n]+")


def public(value: Any) -> Any:
    """Return a JSON value in which a path of some machine is its last part, and no secret stands."""
    if isinstance(value, dict):
        return {key: public(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [public(item) for item in value]
    if not isinstance(value, str):
        return value
    if is_place(value):
        return re.split(r"[\\/]", value.rstrip("\\/"))[-1]
    return SECRET.sub(HIDDEN, value)


def is_place(value: str) -> bool:
    """Whether a text is a path from the root of some machine, or from somebody's home."""
    return _PLACE.fullmatch(value) is not None
