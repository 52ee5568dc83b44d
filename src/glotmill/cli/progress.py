"""Shows on stderr where a run is: a live panel on a terminal, else a plain line now and then."""

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
from glotmill.runner.run import Progress

EVERY = 10  # seconds between plain lines
SPAN = 30  # seconds over which tokens are counted
MOST_NAMED = 6  # languages in a plain line

Watch = Callable[[Progress], None]


@contextmanager
def watching(console: Console | None = None) -> Iterator[Watch]:
    """Yield what mill calls with each Progress; the panel is there as long as the context."""
    console = console or Console(stderr=True)
    pace = _Pace()
    if not console.is_terminal or console.is_dumb_terminal:
        yield _plain_lines(console, pace)
        return
    last: list[Progress] = []
    with Live(console=console, auto_refresh=False) as live:

        def show(progress: Progress) -> None:
            pace.add(progress)
            last[:] = [progress]
            live.update(_panel(progress, pace, console.height), refresh=True)

        try:
            yield show
        finally:
            for progress in last:  # what stays on the screen does nothing any more
                live.update(_panel(replace(progress, note=""), pace, console.height), refresh=True)


@dataclass
class _Pace:
    """How fast a run goes."""

    marks: deque[tuple[float, int]] = field(
        default_factory=deque
    )  # (seconds, tokens), of the last SPAN seconds
    first: tuple[float, dict[str, int]] | None = (
        None  # seconds, and the rows of each language when answers began
    )

    def add(self, progress: Progress) -> None:
        window = progress.window
        self.marks.append((progress.seconds, window.tokens if window else 0))
        while self.marks[-1][0] - self.marks[0][0] > SPAN and len(self.marks) > 2:
            self.marks.popleft()
        if self.first is None and window and window.answered:
            self.first = progress.seconds, {f.tag: f.yielded for f in progress.quotas}

    @property
    def tokens(self) -> float | None:
        """Tokens a second."""
        (began, before), (now, tokens) = self.marks[0], self.marks[-1]
        return (tokens - before) / (now - began) if now > began else None

    def left(self, quota: LanguageQuota) -> float | None:
        """Seconds until a language is full, if it goes on as it did."""
        if self.first is None:
            return None
        began, before = self.first
        rows = quota.yielded - before[quota.tag]
        seconds = self.marks[-1][0] - began
        return seconds * max(0, quota.needed - quota.yielded) / rows if rows > 0 and seconds > 0 else None

    def left_of(self, progress: Progress) -> float | None:
        """Seconds until every language is full; None while one is unknown."""
        times = [self.left(f) for f in progress.quotas if not f.over]
        known = [t for t in times if t is not None]
        return max(known) if known and len(known) == len(times) else None


def _panel(progress: Progress, pace: _Pace, height: int) -> Group:
    """The table of languages, unfinished ones first where not all fit, and a line of totals."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in ("language", ""):
        table.add_column(head, no_wrap=True)
    for head in ("kept", "acceptance", "left"):
        table.add_column(head, justify="right", no_wrap=True)
    room = max(3, height - 5)
    shown = progress.quotas
    if len(shown) > room:
        shown = sorted(shown, key=lambda f: f.over)[:room]
    for f in shown:
        kept = min(f.yielded, f.needed)
        table.add_row(
            Text(f"{f.tag} {f.plan.language.name}"),
            ProgressBar(f.needed, kept, width=20),
            f"{kept:,} of {f.needed:,}",
            _acceptance(f),
            Text(_state(f, pace)),
        )
    lines = [Text(_totals(progress, pace), style="dim")]
    if hidden := len(progress.quotas) - len(shown):
        lines.insert(0, Text(f"and {hidden} more languages", style="dim"))
    return Group(table, *lines)


def _state(quota: LanguageQuota, pace: _Pace) -> str:
    if quota.full:
        return "done"
    if quota.short:
        return "given up"
    return _clock(pace.left(quota))


def _acceptance(quota: LanguageQuota) -> str:
    return f"{quota.yielded / quota.asked:.0%}" if quota.asked else "-"


def _totals(progress: Progress, pace: _Pace) -> str:
    window = progress.window
    parts = [_clock(progress.seconds)]
    if window and window.answered:
        parts.append(f"{window.answered:,} repl{'y' if window.answered == 1 else 'ies'}")
    if window and window.answered and pace.tokens:
        parts.append(f"{pace.tokens:,.0f} tokens/s")
    if (left := pace.left_of(progress)) is not None:
        parts.append(f"about {_clock(left)} left")
    if progress.note:
        parts.append(safe(progress.note))
    return " · ".join(parts)


def _plain_lines(console: Console, pace: _Pace) -> Watch:
    last, note = -EVERY + 2.0, ""  # a first line soon

    def show(progress: Progress) -> None:
        nonlocal last, note
        pace.add(progress)
        due = progress.seconds - last >= EVERY
        if due or (progress.note != note and progress.note):
            last = progress.seconds
            line = f"glotmill: {_totals(progress, pace)} · {_languages(progress)}"
            console.out(line, highlight=False)
        note = progress.note

    return show


def _languages(progress: Progress) -> str:
    """Every language's rows; where they are many, those of the whole and of the slowest."""
    quotas = progress.quotas
    text = ""
    if len(quotas) > MOST_NAMED:
        kept, needed = sum(min(f.yielded, f.needed) for f in quotas), sum(f.needed for f in quotas)
        full = sum(f.full for f in quotas)
        text = f"{kept:,} of {needed:,} rows, {full} of {len(quotas)} languages full"
        quotas = sorted((f for f in quotas if not f.full), key=lambda f: f.yielded / f.needed)[:3]
        text += "; least: " if quotas else ""
    return text + ", ".join(f"{f.tag} {min(f.yielded, f.needed):,}/{f.needed:,}" for f in quotas)


def _clock(seconds: float | None) -> str:
    return "-" if seconds is None else clock(seconds)
