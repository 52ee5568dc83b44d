"""What came out of `glotmill filter`, and the line on a terminal that shows where it is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.filtering.pipeline import FilterJob, FilterProgress, Watch
from glotmill.io import terminal


@contextmanager
def watching() -> Iterator[Watch]:
    """Yield what the work calls with its progress: one line on stderr, nothing if it is not a terminal."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield lambda progress: None
        return
    with Live(Text("reading the input", style="dim"), console=console, auto_refresh=False) as live:
        live.refresh()
        yield lambda progress: live.update(Text(line(progress), style="dim"), refresh=True)


def line(progress: FilterProgress) -> str:
    """Return where the work is, in one line."""
    rows = (
        f"{progress.rows:,} rows"
        if progress.total is None
        else f"{progress.rows:,} of {progress.total:,} rows"
    )
    parts = [terminal.clock(progress.seconds), rows]
    if progress.rows:
        parts.append(f"{progress.kept / progress.rows:.1%} kept")
    if progress.judged and progress.seconds:
        pace = progress.judged / progress.seconds
        parts.append(f"{pace:,.0f} rows/s")
        if progress.total is not None:
            parts.append(f"about {terminal.clock(max(0, progress.total - progress.rows) / pace)} left")
    return " · ".join(parts)


def result(folder: Path, job: FilterJob, funnel: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what came out, as `--json` prints it."""
    return {
        "folder": str(folder),
        "kept": str(folder / "kept"),
        "rejects": str(folder / "rejects"),
        "filters": [f"{each.of}.{each.filter}".lstrip(".") for each in (*job.judges, *job.across)],
        "rows": sum(each["rows"] for each in funnel),
        "languages": list(funnel),
        "note": "\n".join(filter(None, (_unasked(job), _note(funnel), _undetermined(folder, job)))) or None,
    }


def text(found: dict[str, Any]) -> str:
    """Return what came out for a person."""
    languages = found["languages"]
    kept = sum(each["kept"] for each in languages)
    heads = ("language", "rows", "dropped", "kept", "", "lost to")
    rows: list[Sequence[object]] = [heads]
    for each in languages:
        counts = [f"{n:,}" for n in (each["rows"], each["rows"] - each["kept"], each["kept"])]
        share = f"{each['kept'] / each['rows']:.1%}"
        rows.append((each["language"] or "all", *counts, share, terminal.reasons(each["dropped"])))
    table = terminal.columns(rows, right=range(1, 5)) if languages else "no rows"
    note = f"\n\n{found['note']}" if found["note"] else ""
    return (
        f"{table}\n\nAsked: {terminal.safe(', '.join(found['filters']))}\n"
        f"Kept: {terminal.safe(found['kept'])} ({kept:,} rows)\n"
        f"Every other row, with its reason: {terminal.safe(found['rejects'])}{note}"
    )


def _unasked(job: FilterJob) -> str | None:
    """A column of languages that has another name would go unnoticed."""
    if job.asked:
        return None
    return "No language is named (--language, --language-column): no text was judged by its language."


def _undetermined(folder: Path, job: FilterJob) -> str | None:
    """How many rows have too few letters for their language to be told: they are kept unjudged."""
    columns = dict.fromkeys((n for n in job.measured if n.endswith("_language_detected")), pl.String)
    files = sorted(folder.glob("*/part-*.parquet"))
    if not columns or not files:
        return None
    rows = pl.scan_parquet(files, schema=columns, extra_columns="ignore")
    count = rows.select(pl.any_horizontal(pl.all() == "und").sum()).collect().item()
    return f"{count:,} rows say too little for their language to be told (`und`)." if count else None


def _note(funnel: Sequence[dict[str, Any]]) -> str | None:
    """What may be a surprise: a language lost as a whole, because nothing here can judge it."""
    unjudged = [each["language"] for each in funnel if "no_detector" in each["dropped"]]
    if not unjudged:
        return None
    return (
        f"No detector knows {', '.join(unjudged)}: these rows were not judged, and are not kept. "
        "To keep them by their script alone: --set language.unjudged=keep"
    )
