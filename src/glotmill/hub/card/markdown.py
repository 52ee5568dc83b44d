"""Writes the text of a dataset's card. What is put into a template of it stays text, and does nothing else.

`card.j2` and `run_section.j2` are Markdown as the Hub shows it. A value that no filter below has made safe is
escaped, so that neither a recipe nor a model can write Markdown, HTML or a marker into a card.
"""

import html
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from glotmill.io.terminal import safe

FEW = 20  # languages up to which tables are not folded

_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])|^[-+#=]")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")  # begins a list
_TICKS = re.compile("`+")
_BAR = re.compile(r"\\*\|")
_URL = re.compile(r"https?://[^\s<>\"'()|\\`]+")


class Safe(str):
    """A text that stands in a card as it is."""


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template of this folder with its values."""
    return _environment().get_template(template).render(values)


def escaped(value: object) -> Safe:
    """Return a text in one line, in which nothing is Markdown or HTML."""
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
    """Return lines as code that no line of them can end. kind: what they are written in."""
    ticks = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    return Safe(f"{ticks}{kind}\n{text}\n{ticks}")


def plain(value: object) -> Safe:
    """Return a text in one line, for inside of code."""
    return Safe(_line(value).replace("`", "'"))


def url(value: object) -> Safe:
    """Return an address as a link; anything else as code."""
    text = _line(value)
    return Safe(f"<{text}>") if _URL.fullmatch(text) else code(text)


def count(value: object) -> str:
    """Return a number as it is read; – for one that is not known."""
    return "–" if value is None else f"{value:,}"


def tags(value: Iterable[str], of: int = -1) -> Safe:
    """Return tags of languages; `all` where they are all there are."""
    names = list(value)
    return Safe("all" if len(names) == of > 1 else ", ".join(map(code, names)))


def fold(what: str, many: bool = True) -> Safe:
    """Return what begins a part that is folded away, if there is much of it."""
    return Safe(f"<details>\n<summary>{html.escape(_line(what))}</summary>\n\n" if many else "")


def unfold(many: bool) -> Safe:
    """Return what ends it."""
    return Safe("\n</details>\n\n" if many else "\n")


def _line(value: object) -> str:
    return " ".join(safe(str(value).replace("\n", " ")).split())


@cache
def _environment() -> Environment:
    made = Environment(  # noqa: S701 `finalize` escapes, for Markdown too
        loader=FileSystemLoader(Path(__file__).parent),
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    filters = {f.__name__: f for f in (code, cell, fence, plain, url, count, tags, fold, unfold)}
    made.filters.update(filters, whole=Safe)
    return made
