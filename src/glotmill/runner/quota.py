"""How far one language is: rows accepted, rows expected, and whether to open a shard, stop or give up.

A quota only counts. schedule.py asks it whether to open a shard; finish_filters.py decides which rows are
accepted, and settles shards in the order of their numbers, so that timing decides nothing.

The first shards are small, and the next one is opened when they have shown that the language can be filled:
8, 8, 16, 32 ... seed rows, so that each look at a doubtful language doubles what it has cost so far.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import exp, inf, log, log1p

from glotmill.runner.run_folder import ShardInfo
from glotmill.runner.shard import LanguagePlan, Shard

RECENT_ROWS = 200  # seed rows over which a language that began well is judged again
CONFIDENCE = 0.95  # that a language which is given up yields less than the floor
PRIOR_RATE = 0.7  # assumed accepted rows per seed row; weighs as much as the first shard
MIN_RATE = 0.25  # lower bound of the rate, so that a language that yields little does not open all at once
_ALTERNATIVES = ((0.0, 0.7), (1 / 3, 0.2), (2 / 3, 0.1))  # shares, as parts of the floor, and their weights
NO_SEED = (
    "no seed row is for this language: a row whose `language` names one is for that one alone; without "
    "that column (seeds: {dataset: ..., columns: [...]}) it is for every language"
)


@dataclass
class Paid:
    """What finished shards took and gave; not those of earlier versions, which did not count requests.

    kept: accepted rows, or those that `finish:` has yet to decide about.
    """

    requests: int = 0
    seeds: int = 0
    kept: int = 0


@dataclass
class LanguageQuota:
    """The counts of one language.

    A shard is *opened*, *finished* when all its rows went through all steps, and *settled* when all shards
    before it are settled too and `finish:` has decided about its rows.
    """

    plan: LanguagePlan
    target: int  # accepted rows that the user asks for
    shard_size: int  # seed rows of a shard, at most
    first_shard: int = 0  # seed rows of the first shard; 0: all have `shard_size`, as in runs of before
    needed: int = 0  # accepted rows it takes until `target` rows remain at the end; at least `target`
    opened: int = 0  # shards
    opened_rows: int = 0  # their seed rows
    settled: int = 0  # shards
    seed_rows: int = 0  # of finished shards
    accepted: int = 0  # rows of settled shards
    reasons: Counter[str] = field(default_factory=Counter)  # why the other rows of settled shards were lost
    seeds_spent: bool = False
    shortfall: str = ""  # why the language cannot be filled
    given_up: tuple[int, int] | None = None  # so many seed rows, and those that led to an accepted row
    remaining: int | None = None  # rows at the end, once known
    rounds: list[tuple[int, int]] = field(
        default_factory=list
    )  # accepted rows, and how many of them remained
    open_shards: dict[int, Shard] = field(default_factory=dict)
    paid: Paid = field(default_factory=Paid)
    _unsettled: dict[int, ShardInfo] = field(default_factory=dict)  # finished shards before their turn
    # (seed rows, those of them that led to an accepted row) of all settled shards, and of the last ones
    _yield: tuple[int, int] = (0, 0)
    _recent: deque[tuple[int, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.needed = max(self.needed, self.target)
        self.first_shard = min(self.first_shard, self.shard_size) or self.shard_size

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
        accepted = self.accepted_so_far + PRIOR_RATE * self.first_shard
        return max(accepted / (self.seed_rows + self.first_shard), MIN_RATE)

    @property
    def open_rows(self) -> int:
        """Seed rows of open shards."""
        return max(0, self.opened_rows - self.seed_rows)

    @property
    def expected(self) -> float:
        """Accepted rows, including those that the open shards will likely yield."""
        return self.accepted_so_far + self.open_rows * self.rate

    @property
    def needs_shard(self) -> bool:
        """Whether one more shard should be opened."""
        if self.is_finished or self.seeds_spent or self.expected >= self.needed:
            return False
        if self.is_promising or not self.open_rows:
            return True
        start, stop = self.next_seeds
        return RECENT_ROWS <= self.seed_rows >= self.open_rows + stop - start

    @property
    def is_promising(self) -> bool:
        """Whether finished shards yield clearly more than the floor.

        Until then, one shard is opened after the other; after RECENT_ROWS, as many seed rows as are finished.
        """
        floor = self.plan.recipe.floor
        enough = min(2 * floor, (1 + floor) / 2) * self.seed_rows
        return floor == 0 or self.accepted_so_far >= max(2, enough)

    @property
    def ready(self) -> ShardInfo | None:
        """The next finished shard to settle."""
        return None if self.is_finished else self._unsettled.get(self.settled)

    def shard_name(self, number: int) -> str:
        """Name a shard's files."""
        return f"{self.tag}-{number:05d}"

    @property
    def requests(self) -> int:
        """Requests that were answered, for finished and open shards."""
        return self.paid.requests + sum(shard.requests for shard in self.open_shards.values())

    @property
    def acceptance(self) -> float | None:
        """Accepted rows per seed row of the finished shards; None if there are none."""
        return self.accepted_so_far / self.seed_rows if self.seed_rows else None

    def shard_start(self, number: int) -> int:
        """Return how many seed rows the shards before a shard have.

        It depends on the number and on what run.json records only: journals are named by shard.
        """
        start, size = 0, self.first_shard
        while number and size < self.shard_size:
            start, number = start + size, number - 1
            size = min(start, self.shard_size)
        return start + number * self.shard_size

    @property
    def next_seeds(self) -> tuple[int, int]:
        """The seed rows of the shard to open next, from and to."""
        return self.shard_start(self.opened), self.shard_start(self.opened + 1)

    def count_opened(self, seeds: int) -> None:
        """Count a shard that was opened, or, if it has no seed rows, that there are none."""
        start, stop = self.next_seeds
        self.seeds_spent = seeds < stop - start
        if seeds:
            self.opened += 1
            self.opened_rows += seeds

    def count_finished(self, number: int, info: ShardInfo) -> None:
        """Count a shard that went through all steps."""
        self.seed_rows += info.seeds
        self._unsettled[number] = info
        if info.requests:
            self.paid.requests += info.requests
            self.paid.seeds += info.seeds
            self.paid.kept += info.kept

    def count_settled(self, accepted: int, yielding: int, reasons: Iterable[str]) -> None:
        """Count the shard that was `ready`; give the language up if too few of its seed rows yield anything.

        yielding: seed rows that led to an accepted row. reasons: of the rows that were not accepted.
        """
        info = self._unsettled.pop(self.settled)
        self.settled += 1
        self.accepted += accepted
        self.reasons.update(reasons)
        if info.requests:
            self.paid.kept += accepted - info.kept
        # A request that a server lost, and may answer later, tells nothing about the language.
        judged = max(yielding, info.seeds - info.transient)
        seeds_before, yielding_before = self._yield
        self._yield = seeds_before + judged, yielding_before + yielding
        self._recent.append((judged, yielding))
        while sum(seeds for seeds, _ in self._recent) - self._recent[0][0] >= self._recent_rows:
            self._recent.popleft()
        if not self.is_full:
            self._give_up_if_hopeless()

    @property
    def _recent_rows(self) -> int:
        return max(RECENT_ROWS, 4 * self.shard_size)

    def _give_up_if_hopeless(self) -> None:
        """Give the language up if `yields_less` says so of all its seed rows, or of the latest.

        A run looks at the latest rows once for each shard: a language exactly at a floor of 10 % is given up
        by mistake at one look in 700, one at 15 % at one in 2,000,000.
        """
        floor = self.plan.recipe.floor
        (seeds, yielding), which = self._yield, "first"
        if not yields_less(floor, seeds, yielding):
            seeds, yielding = (sum(counts) for counts in zip(*self._recent, strict=True))
            which = "last"
            if seeds < RECENT_ROWS or not yields_less(floor, seeds, yielding):
                return
        self.given_up = seeds, yielding
        self.shortfall = (
            f"{yielding} of the {which} {seeds} seed rows led to an accepted row, under the limit of "
            f"{100 * floor:.3g}% (--give-up){self._top_reasons()}"
        )

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
        self.seed_rows -= sum(info.seeds for info in self._unsettled.values())
        self._unsettled.clear()
        self.opened, self.opened_rows = self.settled, self.seed_rows
        self.seeds_spent = False

    def _top_reasons(self) -> str:
        if not self.reasons:
            return ""
        top = ", ".join(f"{reason} ({rows})" for reason, rows in self.reasons.most_common(3))
        return f"; most were lost to {top}"


def yields_less(floor: float, seeds: int, yielding: int) -> bool:
    """Return whether a language whose `yielding` of `seeds` seed rows led to accepted rows is below `floor`.

    A sequential test that may look after every row: a language that yields `floor` or more is ever called
    lower with a probability of at most 1 - CONFIDENCE (Ville's inequality for the mixture of likelihood
    ratios of shares below the floor against the floor; Wald, Sequential Tests of Statistical Hypotheses,
    1945; Robbins, Ann. Math. Stat. 41, 1970). At 10 %, no accepted row of 31 is enough, 1 of 80, 2 of 97.
    """
    if floor <= 0:
        return False
    if floor >= 1:
        return yielding < seeds
    ratio = 0.0
    for part, weight in _ALTERNATIVES:
        share = part * floor
        gain = (yielding * log(part) if part else -inf) if yielding else 0.0
        gain += (seeds - yielding) * (log1p(-share) - log1p(-floor))
        ratio += weight * exp(min(gain, 700))
    return ratio >= 1 / (1 - CONFIDENCE)
