"""Small charts as SVG, for cells of tables. What they show also stands in the other cells, in numbers."""

from collections.abc import Sequence

WIDTH, HEIGHT = 120, 26  # of a chart, in pixels
POINTS = 24  # of a line


def bar(parts: Sequence[tuple[str, int]], total: int) -> str:
    """Return parts of a whole side by side. parts: the class that colours it, and how many."""
    x, drawn = 0.0, []
    for name, count in parts:
        width = WIDTH * count / total if total else 0.0
        if width:
            drawn.append(f'<rect class={name} x="{x:.4g}" width="{width:.4g}" height="10"/>')
        x += width
    return f"<svg class=bar aria-hidden=true>{''.join(drawn)}</svg>"


def line(shares: Sequence[float]) -> str:
    """Return shares from 0 to 1 as a line, the first on the left. The top of the chart is 1."""
    heights = [f"{1 + (HEIGHT - 2) * (1 - share):.3g}" for share in shares]
    if len({*heights}) == 1:
        heights = heights[:1] * 2
    step = WIDTH / max(1, len(heights) - 1)
    points = " ".join(f"{n * step:.0f} {y}" for n, y in enumerate(heights))
    return f'<svg aria-hidden=true><polyline points="{points}"/></svg>'


def histogram(counts: Sequence[int]) -> str:
    """Return a column for each count, the highest as high as the chart."""
    top, width = max(counts, default=0) or 1, WIDTH // max(1, len(counts))
    heights = [min(HEIGHT - 1, round(HEIGHT * (1 - count / top))) if count else HEIGHT for count in counts]
    steps = "".join(f"V{y}h{width}" for y in heights).replace(
        f"V{HEIGHT}h{width}" * 2, f"V{HEIGHT}h{2 * width}"
    )
    return f'<svg aria-hidden=true><path d="M0 {HEIGHT}{steps}V{HEIGHT}"/></svg>'


def thinned(shards: Sequence[tuple[int, int]]) -> list[float]:
    """Return the share kept of shards (rows, kept); neighbours are taken together where there are many."""
    each = -(-len(shards) // POINTS) or 1
    groups = (shards[n : n + each] for n in range(0, len(shards), each))
    return [sum(kept for _, kept in g) / max(1, sum(rows for rows, _ in g)) for g in groups]
