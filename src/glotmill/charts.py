"""Small charts as SVG. Every number in them is also written beside them, in a table."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 120, 26  # of a chart in a cell of a table
POINTS = 40  # of a line


def bar(parts: Sequence[tuple[str, int]], total: int, label: str) -> str:
    """Return parts of a whole side by side. parts: the class that colours it, and how many."""
    x, drawn = 0.0, []
    for name, count in parts:
        width = WIDTH * count / total if total else 0.0
        if width:
            drawn.append(f'<rect class="{name}" x="{x:.1f}" width="{width:.1f}" height="10"/>')
        x += width
    return _svg("".join(drawn), 10, label)


def line(shares: Sequence[float], label: str) -> str:
    """Return shares from 0 to 1 as a line, the first on the left. The top of the chart is 1."""
    if len(shares) == 1:
        shares = [shares[0]] * 2
    step = WIDTH / max(1, len(shares) - 1)
    points = " ".join(f"{n * step:.0f},{1 + (HEIGHT - 2) * (1 - y):.1f}" for n, y in enumerate(shares))
    return _svg(f'<polyline points="{points}"/>', HEIGHT, label)


def histogram(counts: Sequence[int], label: str) -> str:
    """Return a column for each count, the highest as high as the chart."""
    top, width = max(counts, default=0) or 1, WIDTH // max(1, len(counts))
    path = "".join(
        f"M{n * width} {HEIGHT}v-{max(1.0, (HEIGHT - 1) * count / top):.1f}h{width - 1}V{HEIGHT}z"
        for n, count in enumerate(counts)
        if count
    )
    return _svg(f'<path d="{path}"/>', HEIGHT, label)


def thinned(shards: Sequence[tuple[int, int]]) -> list[float]:
    """Return the share kept of shards (rows, kept); neighbours are taken together where there are many."""
    each = -(-len(shards) // POINTS) or 1
    groups = (shards[n : n + each] for n in range(0, len(shards), each))
    return [sum(kept for _, kept in g) / max(1, sum(rows for rows, _ in g)) for g in groups]


def _svg(inside: str, height: int, label: str) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img"'
    return f'{head} aria-label="{escape(label)}">{inside}</svg>'
