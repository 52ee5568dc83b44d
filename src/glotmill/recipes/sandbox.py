"""Jinja's immutable sandbox, with limits on what a template can make of a short text."""

import re
from collections.abc import Iterable
from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.filters import do_format, do_indent
from jinja2.sandbox import ImmutableSandboxedEnvironment

from glotmill.columns import PROMPT_TOO_LONG
from glotmill.errors import RequestFailed

MAX_CHARS = 2_000_000  # in all messages of one request

_PADDING = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs", "format", "format_map"})
_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\d{4}|\*)")  # %5000d, %*d: pads to a width of thousands, or to any


class Sandbox(ImmutableSandboxedEnvironment):
    """Fails on undefined names and on null; refuses operations by which a few characters fill the memory."""

    intercepted_binops = frozenset(["*", "**", "%", "+"])

    def __init__(self, **options: Any) -> None:
        super().__init__(undefined=StrictUndefined, finalize=_refuse_null, **options)
        del self.globals["lipsum"]
        self.filters["format"] = _format
        self.filters["indent"] = _indent
        for name in ("center", "batch", "slice"):
            del self.filters[name]

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Allow arithmetic on numbers, `+` on texts and lists up to a length, and `%` on texts."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "%" and isinstance(left, str):
            return _format(left, *(right if isinstance(right, tuple) else (right,)))
        if operator == "**" or not (numbers or operator == "+"):
            raise SecurityError(
                f"templates may not compute {type(left).__name__} {operator} {type(right).__name__}"
            )
        if operator == "+" and not numbers and len(left) + len(right) > MAX_CHARS:
            raise SecurityError(f"a template rendered over {MAX_CHARS:,} characters")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """Leave `str.format` to `is_safe_attribute`: jinja2's wrapper of it pads to any width."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse the methods that pad a text to any width."""
        return not (isinstance(obj, str) and attr in _PADDING) and super().is_safe_attribute(obj, attr, value)


def join_bounded(parts: Iterable[str], limit: int) -> str:
    """Join texts. Raises RequestFailed as soon as they exceed `limit` characters."""
    texts: list[str] = []
    length = 0
    for part in parts:
        length += len(part)
        if length > limit:
            raise RequestFailed(PROMPT_TOO_LONG, f"a template rendered over {MAX_CHARS:,} characters")
        texts.append(part)
    return "".join(texts)


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise UndefinedError("a value that the template prints is null; test it with {% if %}, or provide it")
    return value


def _format(text: str, *values: Any, **named: Any) -> str:
    if _WIDE.search(text):
        raise SecurityError(f"templates may not pad to the width in {text[:40]!r}")
    return do_format(text, *values, **named)


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    if (isinstance(width, int) and width > 100) or (isinstance(width, str) and len(width) > 100):
        raise SecurityError("templates may indent by 100 at most")
    return do_indent(text, width, first, blank)
