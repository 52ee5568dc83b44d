"""Fills one language: shards are opened until enough rows are accepted, and settled in their order."""

from collections import Counter, deque
from dataclasses import dataclass, field

import polars as pl

from glotmill.filters.duplicates import fingerprint
from glotmill.plan import Plan
from glotmill.store import Run

FLOOR_ROWS = 200  # a language is not given up before so many rows were judged
PRIOR_RATE = 0.7  # accepted rows a seed row, before anything is known; weighs as much as one shard


@dataclass
class Filling:
    """How far a language has come. Rows count in (shard, row) order, so that timing decides nothing."""

    plan: Plan
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
    _held: dict[int, tuple[pl.DataFrame, dict[str, str]]] = field(default_factory=dict)
    _recent: deque[tuple[int, int]] = field(default_factory=deque)  # (seed rows, accepted) of the last shards
    _seen: list[set[int]] = field(default_factory=list)  # fingerprints, a set for each filter of finish

    @property
    def tag(self) -> str:
        """The language."""
        return self.plan.language.tag

    @property
    def full(self) -> bool:
        """Whether enough rows are accepted."""
        return self.accepted >= self.wanted

    @property
    def over(self) -> bool:
        """Whether nothing more is to be asked for."""
        return self.full or bool(self.short)

    @property
    def yielded(self) -> int:
        """Accepted rows, with those of finished shards whose turn has not come."""
        return self.accepted + sum(rows.filter(verdict="kept").height for rows, _ in self._held.values())

    @property
    def rate(self) -> float:
        """Accepted rows a seed row, as far as is known."""
        return (self.yielded + PRIOR_RATE * self.shard_size) / (self.asked + self.shard_size)

    @property
    def expected(self) -> float:
        """Accepted rows, with those that open shards will likely yield."""
        open_rows = self.opened * self.shard_size - self.asked
        return self.yielded + max(0, open_rows) * self.rate

    @property
    def hungry(self) -> bool:
        """Whether one more shard should be opened."""
        return not self.over and not self.seeds_spent and self.expected < self.wanted

    def name(self, number: int) -> str:
        """The name of a shard's files."""
        return f"{self.tag}-{number:05d}"

    def finished(self, number: int, rows: pl.DataFrame, about: dict[str, str]) -> None:
        """Take a shard that went through all steps; settle every shard whose turn has come."""
        self.asked += int(about["seeds"])
        self._held[number] = rows, about
        while self.settled in self._held and not self.over:
            self._settle(*self._held.pop(self.settled))

    def end(self) -> None:
        """No shard is open any more: say why the language is not full."""
        if not self.over and self.seeds_spent:
            passes = self.plan.recipe.passes
            self.short = f"the seeds are spent after {passes} pass{'es' if passes > 1 else ''}{self._most()}"

    def _settle(self, rows: pl.DataFrame, about: dict[str, str]) -> None:
        before = self._state()
        name = self.name(self.settled)
        if about.get("before") != before:  # also when an earlier shard has changed since
            rows = self._finish(_undo(rows))
            self.store.write_rows(name, rows, {**about, "before": before})
        else:
            self._remember(rows.filter(verdict="kept"))
        kept = rows.filter(verdict="kept").height
        self.settled += 1
        self.accepted += kept
        self.reasons.update(rows["reason"].drop_nulls())
        self._give_up(int(about["seeds"]), kept)

    def _finish(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Drop what an earlier row of the run said already.

        rows: the recipe's columns, verdict -> verdict, reason, reason_at changed for duplicates.
        """
        for judge, marks, seen in self._marks(rows):
            fresh: list[bool] = []
            for kept, mark in zip(rows["verdict"] == "kept", marks, strict=True):
                known = mark is not None
                fresh.append(not (kept and known and mark in seen))
                if kept and known:
                    seen.add(mark)
            lost = ~pl.Series(fresh)
            rows = rows.with_columns(
                verdict=pl.when(lost).then(pl.lit("dropped")).otherwise("verdict"),
                reason=pl.when(lost).then(pl.lit("duplicate")).otherwise("reason"),
                reason_at=pl.when(lost).then(pl.lit(f"finish.{judge}")).otherwise("reason_at"),
            )
        return rows

    def _remember(self, kept: pl.DataFrame) -> None:
        for _, marks, seen in self._marks(kept):
            seen.update(mark for mark in marks if mark is not None)

    def _marks(self, rows: pl.DataFrame) -> list[tuple[str, list[int | None], set[int]]]:
        judges = [judge for judge in self.plan.recipe.finish if not judge.skip]
        while len(self._seen) < len(judges):
            self._seen.append(set())
        return [
            (
                f"{j.of}.{j.filter}",
                rows.select(fingerprint(pl.col(j.of), also=j.options.get("also", ()))).to_series().to_list(),
                seen,
            )
            for j, seen in zip(judges, self._seen, strict=True)
        ]

    def _state(self) -> str:
        """What decides about the next shard's duplicates."""
        return ",".join(f"{len(seen)}:{sum(seen) % 2**64:x}" for seen in self._seen) or "-"

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


def _undo(rows: pl.DataFrame) -> pl.DataFrame:
    """Take back what an earlier finish decided."""
    late = pl.col("reason_at").str.starts_with("finish.").fill_null(False)
    return rows.with_columns(
        verdict=pl.when(late).then(pl.lit("kept")).otherwise("verdict"),
        reason=pl.when(late).then(None).otherwise("reason"),
        reason_at=pl.when(late).then(None).otherwise("reason_at"),
    )
