"""How values look on a terminal: aligned, right-to-left safe, without the controls that texts bring."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MAX_CHARS = 1_200  # of one text
MAX_REASONS = 4  # of one language, in the table

# Controls but for tab and newline, separators, what turns or hides text, lone surrogates, invisible tags.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def safe(text: object) -> str:
    """Return a text that can do nothing to a terminal: what is not to be seen stands there as `\\x1b`."""
    return _UNSAFE.sub(lambda c: c[0].encode("unicode_escape").decode(), str(text)).replace("\t", "    ")


def json_text(value: Any) -> str:
    """Return a value as JSON for people and programs: letters as they are, unsafe characters escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=1, default=str)
    return _UNSAFE.sub(lambda c: json.dumps(c[0])[1:-1], text)


def columns(rows: Iterable[Sequence[object]], right: Iterable[int] = ()) -> str:
    """Return rows as lines whose cells are aligned, by the width that they take on a terminal."""
    from rich.cells import cell_len

    table = [[safe(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[place]) for row in table) for place in range(len(table[0]))] if table else []
    to_right = set(right)

    def pad(place: int, cell: str) -> str:
        space = " " * (widths[place] - cell_len(cell))
        return space + cell if place in to_right else cell + space

    return "\n".join("  ".join(pad(n, cell) for n, cell in enumerate(row)).rstrip() for row in table)


def labelled(pairs: Iterable[tuple[str, Any]], width: int | None = None, indent: int = 2) -> str:
    """Return names and values under each other, each line of a value right of its name.

    width: cells that a line may take; none: lines are left as they are.
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
    """Return what a row of a dataset says, a chat by its roles."""
    pairs = [(m["role"], m["content"]) for m in row.get("messages") or ()]
    return pairs + [
        (name, value) for name, value in row.items() if name not in ("id", "language", "messages")
    ]


def shown(value: Any) -> str:
    """Return a column's value as text: lines and turns as such, other structures as JSON."""
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


def reasons(dropped: Mapping[str, int]) -> str:
    """Return how many rows were lost to which reason, most first; many reasons are not all named."""
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
    """Return a time as one reads it: `8 s`, `2 min 05 s`, `1 h 12 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _lines(text: str, width: int | None) -> list[str]:
    more = len(text) - MAX_CHARS
    text = safe(text[:MAX_CHARS]) + (f" … ({more:,} characters more)" if more > 0 else "")
    lines = text.split("\n")
    if width is None:
        return lines
    from rich.console import Console
    from rich.text import Text

    console = Console(width=width)
    return [part.plain.rstrip() for line in lines for part in (Text(line).wrap(console, width) or [Text()])]


def _isolated(line: str) -> str:
    """Text from right to left must not carry its surroundings with it (first strong isolate .. pop)."""
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in line):
        return f"\u2068{line}\u2069"
    return line
