"""Fills one language: shards are opened until enough rows are accepted, and settled in their order."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from glotmill import plugins
from glotmill.recipes.steps import Filter
from glotmill.runner.apply_filters import streaming_rule
from glotmill.runner.folder import Run
from glotmill.runner.shard import LanguagePlan

if TYPE_CHECKING:
    from glotmill.filters._similar.history import Seen

FLOOR_ROWS = 200  # a language is not given up before so many rows were judged
PRIOR_RATE = 0.7  # accepted rows a seed row, before anything is known; weighs as much as one shard
LEAST_RATE = 0.25  # as if at least so many were: a language that yields little is not asked for all at once
NO_SEED = (
    "no seed row is for this language: a row whose `language` names one is for that one alone; without "
    "that column (seeds: {dataset: ..., columns: [...]}) it is for every language"
)


@dataclass
class LanguageQuota:
    """How far a language has come. Rows count in (shard, row) order, so that timing decides nothing."""

    plan: LanguagePlan
    store: Run
    wanted: int
    shard_size: int
    accepted: int = 0
    opened: int = 0  # shards
    settled: int = 0  # shards, all before them settled too
    asked: int = 0  # seed rows of finished shards
    short: str = ""  # why it cannot be filled
    seeds_spent: bool = False
    reasons: Counter[str] = field(default_factory=Counter)
    needed: int = 0  # accepted rows, so that as many as are wanted are left; never fewer than are wanted
    left: int | None = None  # rows in the end, as soon as they are known
    rounds: list[tuple[int, int]] = field(default_factory=list)  # accepted rows, and those left of them
    _waiting: dict[int, Mapping[str, str]] = field(default_factory=dict)  # finished shards before their turn
    _recent: deque[tuple[int, int]] = field(default_factory=deque)  # (seed rows, accepted) of the last shards

    def __post_init__(self) -> None:
        self.needed = max(self.needed, self.wanted)

    @property
    def tag(self) -> str:
        """The language."""
        return self.plan.language.tag

    @property
    def full(self) -> bool:
        """Whether enough rows are accepted."""
        return self.accepted >= self.needed

    @property
    def over(self) -> bool:
        """Whether nothing more is to be asked for."""
        return self.full or bool(self.short)

    @property
    def yielded(self) -> int:
        """Accepted rows, with those of finished shards whose turn has not come."""
        return self.accepted + sum(int(about["kept"]) for about in self._waiting.values())

    @property
    def rate(self) -> float:
        """Accepted rows a seed row, as far as is known."""
        known = (self.yielded + PRIOR_RATE * self.shard_size) / (self.asked + self.shard_size)
        return max(known, LEAST_RATE)

    @property
    def expected(self) -> float:
        """Accepted rows, with those that open shards will likely yield."""
        open_rows = self.opened * self.shard_size - self.asked
        return self.yielded + max(0, open_rows) * self.rate

    @property
    def hungry(self) -> bool:
        """Whether one more shard should be opened."""
        return not self.over and not self.seeds_spent and self.expected < self.needed

    def name(self, number: int) -> str:
        """The name of a shard's files."""
        return f"{self.tag}-{number:05d}"

    def begin(self) -> None:
        """Read the earlier rows that finish compares with; that may take a while. Raises UsageError."""
        _ = self._streaming

    def finished(self, number: int, about: Mapping[str, str], rows: pl.DataFrame | None = None) -> None:
        """Take a shard that went through all steps; settle every shard whose turn has come.

        about: `seeds` and `kept` count its rows. rows: none if they are in the run's folder already.
        """
        if self.over:
            return
        self.asked += int(about["seeds"])
        self._waiting[number] = about
        if rows is not None and number != self.settled:
            self.store.write_rows(self.name(number), rows, dict(about))
            rows = None
        while self.settled in self._waiting and not self.over:
            self._settle(self._waiting.pop(self.settled), rows)
            rows = None

    def end(self) -> None:
        """No shard is open any more: say why the language is not full."""
        if self.over or not self.seeds_spent:
            return
        passes = self.plan.recipe.passes
        self.short = f"the seeds are spent after {passes} pass{'es' if passes > 1 else ''}{self._most()}"
        if not self.opened:
            self.short = NO_SEED

    def go_on(self, needed: int) -> None:
        """Accept more rows. Shards that were stopped are opened again; their replies are kept."""
        self.needed = needed
        self.asked -= sum(int(about["seeds"]) for about in self._waiting.values())
        self._waiting.clear()
        self.opened = self.settled
        self.seeds_spent = False

    def _settle(self, about: Mapping[str, str], rows: pl.DataFrame | None) -> None:
        before = self._state()
        name = self.name(self.settled)
        rows = self.store.read_rows(name) if rows is None else rows
        finish = self.plan.recipe.finish
        made = [name for name in map(_first, finish) if name in rows.columns]
        rows = self._finish(undone(rows, [_at(judge) for judge in finish], made))
        if about.get("before") != before:  # also when an earlier shard has changed since
            self.store.write_rows(name, rows, {**about, "before": before})
        kept = rows.filter(verdict="kept").height
        self.settled += 1
        self.accepted += kept
        self.reasons.update(rows["reason"].drop_nulls())
        self._give_up(int(about["seeds"]), kept)

    def _finish(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Judge rows by the rows before them.

        rows: the recipe's columns, verdict -> verdict, reason, reason_at changed where rows are dropped, and
        `<column>_<filter>_first`, the id of the row that such a row is like, where there is one.
        """
        for judge, seen in self._streaming:
            alive = rows["verdict"] == "kept"
            if not alive.any():  # such a shard may lack columns that later steps make
                break
            place = pl.select(pl.when(alive).then(alive.cum_sum() - 1)).to_series()
            found = seen.judge(rows.filter(alive), id="id").select(pl.all().gather(place))
            rows = dropped(rows, found["reason"], _at(judge))
            if seen.rule.limit == 1:
                name = _first(judge)
                before = pl.col(name) if name in rows.columns else pl.lit(None, pl.String)
                rows = rows.with_columns(pl.coalesce(found["first"], before).alias(name))
        return rows

    @cached_property
    def _streaming(self) -> list[tuple[Filter, "Seen"]]:
        """The filters of finish that judge a row by the rows before it, and what they saw so far."""
        from glotmill.filters._similar.history import Seen

        rules = [(judge, streaming_rule(judge)) for judge in self.plan.recipe.finish if not judge.skip]
        pairs = [(judge, Seen(found)) for judge, found in rules if found is not None]
        for _, seen in pairs:
            seen.begin(self.tag)
        return pairs

    def _state(self) -> str:
        """What decides about the next shard in finish."""
        states = [
            f"{plugins.digest(plugins.find('filters', j.filter))}:{s.state}" for j, s in self._streaming
        ]
        return ",".join(states) or "-"

    def _give_up(self, asked: int, kept: int) -> None:
        self._recent.append((asked, kept))
        while sum(a for a, _ in self._recent) - self._recent[0][0] >= max(FLOOR_ROWS, 4 * self.shard_size):
            self._recent.popleft()
        asked, kept = sum(a for a, _ in self._recent), sum(k for _, k in self._recent)
        floor = self.plan.recipe.floor
        if not self.full and asked >= FLOOR_ROWS and kept < floor * asked:
            share = f"{kept} of the last {asked} seed rows were accepted, under the floor of {floor:.0%}"
            self.short = f"{share}{self._most()}"

    def _most(self) -> str:
        if not self.reasons:
            return ""
        return "; most were lost to " + ", ".join(
            f"{reason} ({n})" for reason, n in self.reasons.most_common(3)
        )


def _at(judge: Filter) -> str:
    return f"finish.{judge.of}.{judge.filter}"


def _first(judge: Filter) -> str:
    return f"{judge.of.replace('.', '_')}_{judge.filter.rpartition(':')[2]}_first"


def dropped(rows: pl.DataFrame, reason: pl.Series, place: str | pl.Expr) -> pl.DataFrame:
    """Return rows of which those with a reason are dropped; place: `reason_at`, or an expression for it."""
    lost = reason.is_not_null()
    at = pl.lit(place) if isinstance(place, str) else place
    return rows.with_columns(
        verdict=pl.when(lost).then(pl.lit("dropped")).otherwise("verdict"),
        reason=pl.coalesce(reason, "reason"),
        reason_at=pl.when(lost).then(at).otherwise("reason_at"),
    )


def undone(rows: pl.DataFrame, places: Sequence[str], made: Sequence[str] = ()) -> pl.DataFrame:
    """Return rows as they were before some filters of finish; made: columns of theirs."""
    late = pl.col("reason_at").is_in(places).fill_null(False)
    nothing = pl.lit(None, pl.String)
    return rows.with_columns(
        verdict=pl.when(late).then(pl.lit("kept")).otherwise("verdict"),
        **{name: pl.when(late).then(nothing).otherwise(name) for name in ("reason", "reason_at", *made)},
    )
