"""Tables for people: where the rows of a run went, and how wide a line may be."""

import shutil
import sys
from collections.abc import Sequence

from glotmill.io.terminal import columns, reasons
from glotmill.runner.funnel import Funnel


def funnel_table(funnels: Sequence[Funnel]) -> str:
    """Return a table with one line for each language: its counts from asked to accepted, and its losses."""
    head = ("language", "asked", "answered", "parsed", "dropped", "kept", "accepted", "lost to")
    rows: list[Sequence[object]] = [head]
    for funnel in funnels:
        rows.append(
            (
                funnel.language,
                f"{funnel.asked:,}",
                f"{funnel.answered:,}",
                f"{funnel.parsed:,}",
                f"{funnel.parsed - funnel.kept:,}",
                f"{funnel.kept:,}",
                f"{funnel.accepted:,} of {funnel.wanted:,}",
                reasons(funnel.dropped),
            )
        )
    return columns(rows, right=range(1, 7))


def line_width() -> int | None:
    """Return the width of the terminal in cells; None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
