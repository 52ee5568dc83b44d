"""Renders the Markdown of a card, with every value escaped.

`card.j2` and `run_section.j2` are Markdown as the Hub shows it. Values that no filter below has made safe are
escaped, so neither a recipe nor a model can put Markdown, HTML or a marker into a card.
"""

import html
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from glotmill.io.terminal import safe

FEW = 20  # languages; longer tables are folded

_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])|^[-+#=]")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")  # starts a list
_TICKS = re.compile("`+")
_BAR = re.compile(r"\\*\|")
_URL = re.compile(r"https?://[^\s<>\"'()|\\`]+")


class Safe(str):
    """A text that is not escaped."""


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template of this folder, rendered with values."""
    return _environment().get_template(template).render(values)


def escaped(value: object) -> Safe:
    """Return a text in one line, with Markdown and HTML escaped."""
    if isinstance(value, Safe):
        return value
    text = _SPECIAL.sub(r"\\\g<0>", html.escape(_line(value), quote=False))
    return Safe(_NUMBERED.sub(r"\1\\\2", text))


def code(value: object) -> Safe:
    """Return a text in one line, as code."""
    text = _line(value) or " "
    ticks = "`" * (1 + max(map(len, _TICKS.findall(text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return Safe(f"{ticks}{space}{text}{space}{ticks}")


def cell(value: object) -> Safe:
    """Return a text as code in a table, where a bar ends a cell, but for one with a single \\ before it."""
    return Safe(_BAR.sub(r"\\|", code(value)))


def fence(text: str, kind: str = "text") -> Safe:
    """Return lines as a code block that none of them can end. kind: the language of the code."""
    ticks = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    return Safe(f"{ticks}{kind}\n{text}\n{ticks}")


def plain(value: object) -> Safe:
    """Return a text in one line, for use inside code."""
    return Safe(_line(value).replace("`", "'"))


def url(value: object) -> Safe:
    """Return a URL as a link, anything else as code."""
    text = _line(value)
    return Safe(f"<{text}>") if _URL.fullmatch(text) else code(text)


def count(value: object) -> str:
    """Return a number with separators; – if it is unknown."""
    return "–" if value is None else f"{value:,}"


def tags(value: Iterable[str], of: int = -1) -> Safe:
    """Return language tags, or `all` if they are as many as `of`."""
    names = list(value)
    return Safe("all" if len(names) == of > 1 else ", ".join(map(code, names)))


def fold(summary: str, many: bool = True) -> Safe:
    """Return the start of a folded section, if there is much in it."""
    return Safe(f"<details>\n<summary>{html.escape(_line(summary))}</summary>\n\n" if many else "")


def unfold(many: bool) -> Safe:
    """Return the end of a folded section."""
    return Safe("\n</details>\n\n" if many else "\n")


def _line(value: object) -> str:
    return " ".join(safe(str(value).replace("\n", " ")).split())


@cache
def _environment() -> Environment:
    environment = Environment(  # noqa: S701 `finalize` escapes HTML and Markdown
        loader=FileSystemLoader(Path(__file__).parent),
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    filters = {f.__name__: f for f in (code, cell, fence, plain, url, count, tags, fold, unfold)}
    environment.filters.update(filters, whole=Safe)
    return environment
