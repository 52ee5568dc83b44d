"""How far one language is: rows accepted, rows expected, and whether to ask for more, stop or give up.

A quota only counts. schedule.py asks it whether to open a shard; finish.py decides which rows are accepted,
and settles shards in the order of their numbers, so that timing decides nothing.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from glotmill.runner.run_folder import ShardInfo
from glotmill.runner.shard import LanguagePlan

FLOOR_ROWS = 200  # seed rows before a language can be given up
PRIOR_RATE = 0.7  # assumed accepted rows per seed row; weighs as much as one shard
MIN_RATE = 0.25  # lower bound of the rate, so that a language that yields little does not open all at once
NO_SEED = (
    "no seed row is for this language: a row whose `language` names one is for that one alone; without "
    "that column (seeds: {dataset: ..., columns: [...]}) it is for every language"
)


@dataclass
class LanguageQuota:
    """The counts of one language.

    A shard is *opened*, *finished* when all its rows went through all steps, and *settled* when all shards
    before it are settled too and `finish:` has decided about its rows.
    """

    plan: LanguagePlan
    target: int  # accepted rows that the user asks for
    shard_size: int  # seed rows
    needed: int = 0  # accepted rows it takes until `target` rows remain at the end; at least `target`
    opened: int = 0  # shards
    settled: int = 0  # shards
    asked: int = 0  # seed rows of finished shards
    accepted: int = 0  # rows of settled shards
    reasons: Counter[str] = field(default_factory=Counter)  # why the other rows of settled shards were lost
    seeds_spent: bool = False
    shortfall: str = ""  # why the language cannot be filled
    remaining: int | None = None  # rows at the end, once known
    rounds: list[tuple[int, int]] = field(
        default_factory=list
    )  # accepted rows, and how many of them remained
    _unsettled: dict[int, ShardInfo] = field(default_factory=dict)  # finished shards before their turn
    _recent: deque[tuple[int, int]] = field(default_factory=deque)  # (seed rows, accepted) of the last shards

    def __post_init__(self) -> None:
        self.needed = max(self.needed, self.target)

    @property
    def tag(self) -> str:
        """The language."""
        return self.plan.language.tag

    @property
    def is_full(self) -> bool:
        """Whether enough rows are accepted."""
        return self.accepted >= self.needed

    @property
    def is_finished(self) -> bool:
        """Whether the language is full or given up."""
        return self.is_full or bool(self.shortfall)

    @property
    def accepted_so_far(self) -> int:
        """Accepted rows, including those of finished shards that are not settled yet."""
        return self.accepted + sum(info.kept for info in self._unsettled.values())

    @property
    def rate(self) -> float:
        """Estimated accepted rows per seed row."""
        accepted = self.accepted_so_far + PRIOR_RATE * self.shard_size
        return max(accepted / (self.asked + self.shard_size), MIN_RATE)

    @property
    def expected(self) -> float:
        """Accepted rows, including those that the open shards will likely yield."""
        open_rows = self.opened * self.shard_size - self.asked
        return self.accepted_so_far + max(0, open_rows) * self.rate

    @property
    def needs_shard(self) -> bool:
        """Whether one more shard should be opened."""
        return not self.is_finished and not self.seeds_spent and self.expected < self.needed

    @property
    def ready(self) -> ShardInfo | None:
        """The next finished shard to settle."""
        return None if self.is_finished else self._unsettled.get(self.settled)

    def shard_name(self, number: int) -> str:
        """Name a shard's files."""
        return f"{self.tag}-{number:05d}"

    def count_finished(self, number: int, info: ShardInfo) -> None:
        """Count a shard that went through all steps."""
        self.asked += info.seeds
        self._unsettled[number] = info

    def count_settled(self, accepted: int, reasons: Iterable[str]) -> None:
        """Count the shard that was `ready`; give the language up if too few of its latest rows are accepted.

        reasons: of the rows that were not accepted.
        """
        info = self._unsettled.pop(self.settled)
        self.settled += 1
        self.accepted += accepted
        self.reasons.update(reasons)
        self._recent.append((info.seeds, accepted))
        window = max(FLOOR_ROWS, 4 * self.shard_size)
        while sum(seeds for seeds, _ in self._recent) - self._recent[0][0] >= window:
            self._recent.popleft()
        asked = sum(seeds for seeds, _ in self._recent)
        accepted = sum(rows for _, rows in self._recent)
        floor = self.plan.recipe.floor
        if not self.is_full and asked >= FLOOR_ROWS and accepted < floor * asked:
            share = f"{accepted} of the last {asked} seed rows were accepted, under the floor of {floor:.0%}"
            self.shortfall = f"{share}{self._top_reasons()}"

    def close(self) -> None:
        """Say why the language is not full, now that no shard is open any more."""
        if self.is_finished or not self.seeds_spent:
            return
        if not self.opened:
            self.shortfall = NO_SEED
            return
        passes = self.plan.recipe.passes
        spent = f"the seeds are spent after {passes} pass{'' if passes == 1 else 'es'}"
        self.shortfall = f"{spent}{self._top_reasons()}"

    def reopen(self, needed: int) -> None:
        """Raise the number of rows to accept. Stopped shards open again; their replies are kept."""
        self.needed = needed
        self.asked -= sum(info.seeds for info in self._unsettled.values())
        self._unsettled.clear()
        self.opened = self.settled
        self.seeds_spent = False

    def _top_reasons(self) -> str:
        if not self.reasons:
            return ""
        top = ", ".join(f"{reason} ({rows})" for reason, rows in self.reasons.most_common(3))
        return f"; most were lost to {top}"
