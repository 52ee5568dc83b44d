"""The progress of a run on stderr: a live panel on a terminal, else a plain line every few seconds."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from glotmill.io.terminal import clock, safe
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.schedule import Progress

LINE_INTERVAL = 10  # seconds between plain lines
FIRST_LINE = 2.0  # seconds until the first of them
RATE_SPAN = 30  # seconds over which the token rate is measured
MAX_LANGUAGES = 6  # in a plain line

Watch = Callable[[Progress], None]


@contextmanager
def watching(console: Console | None = None) -> Iterator[Watch]:
    """Yield the function that the runner calls with each Progress. The panel closes with the context."""
    console = console or Console(stderr=True)
    rate = _Rate()
    if not console.is_terminal or console.is_dumb_terminal:
        yield _plain_lines(console, rate)
        return
    latest: Progress | None = None
    with Live(console=console, auto_refresh=False) as live:

        def show(progress: Progress) -> None:
            nonlocal latest
            rate.add(progress)
            latest = progress
            live.update(_panel(progress, rate, console.height), refresh=True)

        try:
            yield show
        finally:
            if latest is not None:  # the panel stays on the screen: its note no longer holds
                live.update(_panel(replace(latest, note=""), rate, console.height), refresh=True)


@dataclass
class _Rate:
    """The pace of a run: tokens per second, and the time until its languages are full."""

    # (seconds, tokens) over the last RATE_SPAN seconds
    samples: deque[tuple[float, int]] = field(default_factory=deque)
    # when the first replies came: seconds, and the rows of each language by then
    start: tuple[float, dict[str, int]] | None = None

    def add(self, progress: Progress) -> None:
        queue = progress.request_queue
        self.samples.append((progress.seconds, queue.tokens if queue else 0))
        while self.samples[-1][0] - self.samples[0][0] > RATE_SPAN and len(self.samples) > 2:
            self.samples.popleft()
        if self.start is None and queue and queue.answered:
            self.start = progress.seconds, {quota.tag: quota.accepted_so_far for quota in progress.quotas}

    @property
    def tokens(self) -> float | None:
        """Tokens per second."""
        (start, tokens_before), (now, tokens) = self.samples[0], self.samples[-1]
        return (tokens - tokens_before) / (now - start) if now > start else None

    def seconds_left(self, quota: LanguageQuota) -> float | None:
        """Seconds until a language is full at its average rate so far; None if it has no rows yet."""
        if self.start is None:
            return None
        start, rows_before = self.start
        rows = quota.accepted_so_far - rows_before[quota.tag]
        seconds = self.samples[-1][0] - start
        if rows <= 0 or seconds <= 0:
            return None
        return seconds * max(0, quota.needed - quota.accepted_so_far) / rows

    def total_seconds_left(self, progress: Progress) -> float | None:
        """Seconds until the last language is full; None while that of one is unknown."""
        times = [self.seconds_left(quota) for quota in progress.quotas if not quota.is_finished]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None


def _panel(progress: Progress, rate: _Rate, height: int) -> Group:
    """A table of languages, unfinished ones first if not all fit, and a line of totals."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("language", ""):
        table.add_column(title, no_wrap=True)
    for title in ("kept", "acceptance", "left"):
        table.add_column(title, justify="right", no_wrap=True)
    limit = max(3, height - 5)
    quotas = progress.quotas
    if len(quotas) > limit:
        quotas = sorted(quotas, key=lambda quota: quota.is_finished)[:limit]
    for quota in quotas:
        kept = min(quota.accepted_so_far, quota.needed)
        table.add_row(
            Text(f"{quota.tag} {quota.plan.language.name}"),
            ProgressBar(quota.needed, kept, width=20),
            f"{kept:,} of {quota.needed:,}",
            f"{quota.accepted_so_far / quota.seed_rows:.0%}" if quota.seed_rows else "-",
            Text(_state(quota, rate)),
        )
    lines = [Text(_totals(progress, rate), style="dim")]
    if hidden := len(progress.quotas) - len(quotas):
        lines.insert(0, Text(f"and {hidden} more languages", style="dim"))
    return Group(table, *lines)


def _state(quota: LanguageQuota, rate: _Rate) -> str:
    if quota.is_full:
        return "done"
    if quota.shortfall:
        return "given up"
    return _clock(rate.seconds_left(quota))


def _totals(progress: Progress, rate: _Rate) -> str:
    queue = progress.request_queue
    parts = [_clock(progress.seconds)]
    if queue and queue.answered:
        parts.append(f"{queue.answered:,} {'reply' if queue.answered == 1 else 'replies'}")
        if rate.tokens:
            parts.append(f"{rate.tokens:,.0f} tokens/s")
    if (seconds := rate.total_seconds_left(progress)) is not None:
        parts.append(f"about {_clock(seconds)} left")
    if progress.note:
        parts.append(safe(progress.note))
    return " · ".join(parts)


def _plain_lines(console: Console, rate: _Rate) -> Watch:
    last_time, last_note = FIRST_LINE - LINE_INTERVAL, ""

    def show(progress: Progress) -> None:
        nonlocal last_time, last_note
        rate.add(progress)
        is_due = progress.seconds - last_time >= LINE_INTERVAL
        if is_due or (progress.note and progress.note != last_note):
            last_time = progress.seconds
            line = f"glotmill: {_totals(progress, rate)} · {_languages(progress)}"
            console.out(line, highlight=False)
        last_note = progress.note

    return show


def _languages(progress: Progress) -> str:
    """The rows of each language; of many languages, the total and the slowest."""
    quotas = progress.quotas
    text = ""
    if len(quotas) > MAX_LANGUAGES:
        kept = sum(min(q.accepted_so_far, q.needed) for q in quotas)
        total = sum(quota.needed for quota in quotas)
        full = sum(quota.is_full for quota in quotas)
        text = f"{kept:,} of {total:,} rows, {full} of {len(quotas)} languages full"
        unfinished = [quota for quota in quotas if not quota.is_full]
        quotas = sorted(unfinished, key=lambda quota: quota.accepted_so_far / quota.needed)[:3]
        text += "; slowest: " if quotas else ""
    return text + ", ".join(f"{q.tag} {min(q.accepted_so_far, q.needed):,}/{q.needed:,}" for q in quotas)


def _clock(seconds: float | None) -> str:
    return "-" if seconds is None else clock(seconds)
