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
from glotmill.runner.forecast import cost_of_the_rest, requests_left, rounded, seconds_left
from glotmill.runner.quota import LanguageQuota
from glotmill.runner.schedule import Progress

LINE_INTERVAL = 10  # seconds between plain lines
FIRST_LINE = 2.0  # seconds until the first of them
RATE_SPAN = 30  # seconds over which the pace is measured, or a third of the run if that is longer
MAX_LANGUAGES = 6  # in a plain line
ENOUGH_ROWS = 32  # seed rows that tell what a language costs
LOW = 0.3  # acceptance at which a plain line says so

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
    """The pace of a run: tokens and replies per second, and the time until its languages are full."""

    samples: deque[tuple[float, int, int]] = field(default_factory=deque)  # seconds, tokens, replies

    def add(self, progress: Progress) -> None:
        queue = progress.request_queue
        self.samples.append((progress.seconds, *((queue.tokens, queue.answered) if queue else (0, 0))))
        span = max(RATE_SPAN, progress.seconds / 3)
        while len(self.samples) > 2 and self.samples[-1][0] - self.samples[1][0] >= span:
            self.samples.popleft()

    @property
    def tokens(self) -> float:
        """Tokens per second."""
        return self._per_second(1)

    @property
    def replies(self) -> float:
        """Replies per second."""
        return self._per_second(2)

    def _per_second(self, column: int) -> float:
        first, last = self.samples[0], self.samples[-1]
        return (last[column] - first[column]) / (last[0] - first[0]) if last[0] > first[0] else 0.0

    def seconds_left(self, progress: Progress) -> float | None:
        """Seconds until the last language is full; None while that cannot be known."""
        queue = progress.request_queue
        return seconds_left(progress.quotas, self.replies, queue.durations) if queue else None


def _panel(progress: Progress, rate: _Rate, height: int) -> Group:
    """A table of languages, unfinished ones first if not all fit, and a line of totals."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("language", ""):
        table.add_column(title, no_wrap=True)
    for title in ("kept", "acceptance", "requests", "left"):
        table.add_column(title, justify="right", no_wrap=True)
    limit = max(3, height - 5)
    quotas = progress.quotas
    if len(quotas) > limit:
        quotas = sorted(quotas, key=lambda quota: quota.is_finished)[:limit]
    for quota in quotas:
        kept = min(quota.accepted_so_far, quota.needed)
        left = requests_left(quota)
        # The bar moves with each reply; rows are counted shard by shard.
        done = quota.needed * quota.requests / (quota.requests + left) if left else kept
        table.add_row(
            Text(f"{quota.tag} {quota.plan.language.name}"),
            ProgressBar(quota.needed, done, width=20),
            f"{kept:,} of {quota.needed:,}",
            "-" if quota.acceptance is None else f"{quota.acceptance:.0%}",
            f"{quota.requests:,}",
            Text(_state(quota, left)),
        )
    lines = [Text(_totals(progress, rate), style="dim")]
    if hidden := len(progress.quotas) - len(quotas):
        lines.insert(0, Text(f"and {hidden} more languages", style="dim"))
    return Group(table, *lines)


def _state(quota: LanguageQuota, requests: float | None) -> str:
    if quota.is_full:
        return "full"
    if quota.shortfall:
        return "given up"
    return "-" if requests is None else f"{rounded(requests):,}"


def _totals(progress: Progress, rate: _Rate) -> str:
    queue = progress.request_queue
    parts = [clock(progress.seconds)]
    if queue and queue.answered:
        parts.append(f"{queue.answered:,} {'reply' if queue.answered == 1 else 'replies'}")
        if rate.tokens:
            parts.append(f"{rate.tokens:,.0f} tokens/s")
    if (seconds := rate.seconds_left(progress)) is not None:
        parts.append(f"about {clock(seconds)} left")
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
        shares = [quota.acceptance for quota in quotas if quota.is_full and quota.acceptance is not None]
        text += f" (at {min(shares):.0%} to {max(shares):.0%} accepted)" if shares else ""
        unfinished = [quota for quota in quotas if not quota.is_full]
        quotas = sorted(unfinished, key=lambda quota: quota.accepted_so_far / quota.needed)[:3]
        text += "; slowest: " if quotas else ""
    return text + ", ".join(_language(quota) for quota in quotas)


def _language(quota: LanguageQuota) -> str:
    """The rows of a language, and, where many of them are lost, what the rest will cost."""
    text = f"{quota.tag} {min(quota.accepted_so_far, quota.needed):,}/{quota.needed:,}"
    if quota.acceptance is None:
        return text
    notes = [f"{quota.acceptance:.0%} accepted"]
    if quota.shortfall:
        notes.append("given up")
    elif (
        not quota.is_full
        and quota.seed_rows >= ENOUGH_ROWS
        and quota.acceptance < LOW
        and (cost := cost_of_the_rest(quota))
    ):
        notes.append(cost)
    return f"{text} ({', '.join(notes)})"
