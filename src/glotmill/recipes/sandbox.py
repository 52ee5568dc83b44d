"""Jinja's immutable sandbox, with bounds on what a template can make of a short text."""

import re
from collections.abc import Iterable
from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.filters import do_format, do_indent
from jinja2.sandbox import ImmutableSandboxedEnvironment

from glotmill.errors import RequestFailed

MAX_CHARS = 2_000_000  # of the messages of one request

_PADDING = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs", "format", "format_map"})
_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\d{4}|\*)")


class Sandbox(ImmutableSandboxedEnvironment):
    """Fails on a name that nobody provides and on a null, and does not let a few signs fill the memory."""

    intercepted_binops = frozenset(["*", "**", "%", "+"])

    def __init__(self, **options: Any) -> None:
        super().__init__(undefined=StrictUndefined, finalize=_not_null, **options)
        del self.globals["lipsum"]
        self.filters["format"] = _format
        self.filters["indent"] = _indent
        for name in ("center", "batch", "slice"):
            del self.filters[name]

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute with numbers; put texts and lists together and fill in texts, if what is made is short."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "%" and isinstance(left, str):
            return _format(left, *(right if isinstance(right, tuple) else (right,)))
        if operator == "**" or not (numbers or operator == "+"):
            raise SecurityError(
                f"templates may not compute {type(left).__name__} {operator} {type(right).__name__}"
            )
        if operator == "+" and not numbers and len(left) + len(right) > MAX_CHARS:
            raise SecurityError(f"a template made over {MAX_CHARS:,} characters")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse what pads a text to any width."""
        return not (isinstance(obj, str) and attr in _PADDING) and super().is_safe_attribute(obj, attr, value)


def bounded(parts: Iterable[str], most: int) -> str:
    """Join texts. Raises RequestFailed as soon as they are longer than `most` characters."""
    kept: list[str] = []
    length = 0
    for part in parts:
        length += len(part)
        if length > most:
            raise RequestFailed("prompt_too_long", f"a template made over {MAX_CHARS:,} characters")
        kept.append(part)
    return "".join(kept)


def _not_null(value: Any) -> Any:
    if value is None:
        raise UndefinedError("a value that is said is null; test it with {% if %}, or give it")
    return value


def _format(text: str, *values: Any, **named: Any) -> str:
    if _WIDE.search(text):
        raise SecurityError(f"templates may not pad to the width in {text[:40]!r}")
    return do_format(text, *values, **named)


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    if (isinstance(width, int) and width > 100) or (isinstance(width, str) and len(width) > 100):
        raise SecurityError("templates may indent by 100 at most")
    return do_indent(text, width, first, blank)
