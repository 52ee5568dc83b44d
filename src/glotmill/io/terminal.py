"""Text for terminals: aligned, safe for right-to-left scripts, without control characters."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MAX_CHARS = 1_200  # of one text
MAX_REASONS = 4  # of one language, in the table

# Control characters except tab and newline, separators, bidi controls, lone surrogates, invisible tags.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def safe(text: object) -> str:
    """Return a text that cannot control a terminal: unsafe characters are escaped, as in `\\x1b`."""
    return _UNSAFE.sub(lambda c: c[0].encode("unicode_escape").decode(), str(text)).replace("\t", "    ")


def json_text(value: Any) -> str:
    """Return a value as JSON for people and programs: only unsafe characters are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=1, default=str)
    return _UNSAFE.sub(lambda c: json.dumps(c[0])[1:-1], text)


def columns(rows: Iterable[Sequence[object]], right: Iterable[int] = ()) -> str:
    """Return rows as lines whose cells are aligned, by the width that they take on a terminal."""
    from rich.cells import cell_len

    table = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)] if table else []
    to_right = set(right)

    def pad(number: int, cell: str) -> str:
        space = " " * (widths[number] - cell_len(cell))
        return space + cell if number in to_right else cell + space

    return "\n".join("  ".join(pad(n, cell) for n, cell in enumerate(row)).rstrip() for row in table)


def labelled(pairs: Iterable[tuple[str, Any]], width: int | None = None, indent: int = 2) -> str:
    """Return one name and value per paragraph, the lines of a value to the right of its name.

    width: cells per line; None: lines are not wrapped.
    """
    pairs = [(safe(name), value) for name, value in pairs]
    margin = indent + 2 + max((len(name) for name, _ in pairs), default=0)
    lines = []
    for name, value in pairs:
        label = " " * indent + name
        for line in _lines(shown(value), None if width is None else max(20, width - margin)):
            lines.append(label.ljust(margin) + _isolated(line))
            label = ""
    return "\n".join(lines)


def row_pairs(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the names and values of a dataset's row; of a chat, roles and contents."""
    pairs = [(m["role"], m["content"]) for m in row.get("messages") or ()]
    return pairs + [
        (name, value) for name, value in row.items() if name not in ("id", "language", "messages")
    ]


def shown(value: Any) -> str:
    """Return a value of a column as text: lists of lines and turns as lines, other structures as JSON."""
    if value is None:
        return "(nothing)"
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return "\n".join(value)
    if isinstance(value, list) and all(
        isinstance(v, dict) and v.keys() == {"speaker", "text"} for v in value
    ):
        return "\n".join(f"{turn['speaker']}: {turn['text']}" for turn in value)
    if isinstance(value, float):
        return f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def shorten(text: str, limit: int) -> str:
    """Return a text cut to so many characters, with a note on how many more there are."""
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]} … ({more:,} characters more)"


def reasons(dropped: Mapping[str, int]) -> str:
    """Return the number of rows by reason, the most frequent reasons by name."""
    items = list(dropped.items())
    text = ", ".join(f"{n:,} {reason}" for reason, n in items[:MAX_REASONS])
    rest = items[MAX_REASONS:]
    return text + (f", {sum(n for _, n in rest):,} other ({len(rest)} reasons)" if rest else "")


def size(count: int) -> str:
    """Return a number of bytes in the largest unit that fits: `812 B`, `1.4 kB`, `2.0 GB`."""
    if count < 1000:
        return f"{count} B"
    for power, unit in enumerate(("kB", "MB", "GB"), 1):
        if count < 1000 ** (power + 1) or unit == "GB":
            break
    return f"{count / 1000**power:,.1f} {unit}"


def clock(seconds: float) -> str:
    """Return a duration for people: `8 s`, `2 min 05 s`, `1 h 12 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _lines(text: str, width: int | None) -> list[str]:
    lines = safe(shorten(text, MAX_CHARS)).split("\n")
    if width is None:
        return lines
    from rich.console import Console
    from rich.text import Text

    console = Console(width=width)
    return [part.plain.rstrip() for line in lines for part in (Text(line).wrap(console, width) or [Text()])]


def _isolated(line: str) -> str:
    """Isolate right-to-left text, so that it does not reorder what surrounds it."""
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in line):
        return f"\u2068{line}\u2069"
    return line
