"""Tables for people: where the rows of a run went, and how wide a line may be."""

import shutil
import sys
from collections.abc import Sequence

from glotmill.io.terminal import columns, reasons
from glotmill.runner.funnel import Funnel


def funnel_table(funnels: Sequence[Funnel]) -> str:
    """Return a table with one line for each language: from requests to accepted rows, and its losses."""
    counts = ("requests", "seed rows", "rows", "answered", "parsed", "kept", "acceptance", "accepted")
    rows: list[Sequence[object]] = [("language", *counts, "lost to")]
    for funnel in funnels:
        rows.append(
            (
                funnel.language,
                f"{funnel.requests:,}",
                f"{funnel.seed_rows:,}",
                f"{funnel.rows:,}",
                f"{funnel.answered:,}",
                f"{funnel.parsed:,}",
                f"{funnel.kept:,}",
                f"{funnel.acceptance:.0%}" if funnel.acceptance is not None else "-",
                f"{funnel.accepted:,} of {funnel.wanted:,}",
                reasons(funnel.dropped),
            )
        )
    return columns(rows, right=range(1, 9))


def line_width() -> int | None:
    """Return the width of the terminal in cells; None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
