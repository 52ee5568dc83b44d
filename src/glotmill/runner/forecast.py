"""What languages still take, at the rates of their finished shards: requests and seconds."""

from collections.abc import Sequence
from math import ceil, floor, log10

from glotmill.recipes.steps import Generate
from glotmill.runner.quota import LanguageQuota

_SLOW = 0.99  # the share of replies that are faster than the slowest of a shard


def requests_left(quota: LanguageQuota) -> float | None:
    """Return how many more requests a language takes; None while none of its rows is kept."""
    if quota.is_finished:
        return 0.0
    if not quota.paid.kept:
        return None
    answered = sum(quota.open_shards[number].requests for number in _needed_shards(quota))
    return max(0.0, _missing_seeds(quota) * quota.paid.requests / quota.paid.seeds - answered)


def seconds_left(
    quotas: Sequence[LanguageQuota], replies_per_second: float, durations: Sequence[float]
) -> float | None:
    """Return the seconds until the last language is full; None if all are, or `requests_left` is unknown.

    Requests at the pace of now, and then the steps of the last shard, each of which waits for its slowest
    reply. durations: of the latest replies, in seconds.
    """
    quotas = [quota for quota in quotas if not quota.is_finished]
    known = [left for quota in quotas if (left := requests_left(quota)) is not None]
    if not known or len(known) < len(quotas) or not replies_per_second or not durations:
        return None
    slowest = sorted(durations)[floor(_SLOW * len(durations))]
    wait = slowest - sum(durations) / len(durations)
    steps = max(_steps_left(quota) for quota in quotas)
    return sum(known) / replies_per_second + steps * wait


def cost_of_the_rest(quota: LanguageQuota) -> str:
    """Say what the rows that a language lacks would cost; empty if its shards do not tell."""
    missing, paid = quota.needed - quota.accepted_so_far, quota.paid
    if not paid.requests or missing <= 0:
        return ""
    seeds, yielding = quota.given_up or (paid.seeds, paid.kept)  # the rate at the end, if it was another
    requests = rounded(missing * paid.requests / paid.seeds * seeds / max(1, yielding))
    rows = "row" if missing == 1 else f"{missing:,} rows"
    return f"the missing {rows} would take {'about' if yielding else 'over'} {requests:,} more requests"


def rounded(number: float) -> int:
    """Return a number to two digits, as an estimate is shown."""
    digits = max(0, floor(log10(number)) - 1) if number >= 1 else 0
    return int(round(number / 10**digits) * 10**digits)


def _missing_seeds(quota: LanguageQuota) -> float:
    """Seed rows that it takes to fill a language."""
    return (quota.needed - quota.accepted_so_far) * quota.paid.seeds / max(1, quota.paid.kept)


def _needed_shards(quota: LanguageQuota) -> list[int]:
    """Return the open shards that will likely fill a language, in order."""
    numbers = sorted(quota.open_shards)
    missing = _missing_seeds(quota)
    return [n for n in numbers if quota.shard_start(n) - quota.shard_start(numbers[0]) < missing]


def _steps_left(quota: LanguageQuota) -> int:
    """Return how many generate steps the last shard of a language still has before it."""
    steps = sum(isinstance(step, Generate) for step in quota.plan.recipe.live_steps)
    needed = _needed_shards(quota)
    if not needed:
        return steps
    last, end = needed[-1], quota.shard_start(needed[-1] + 1)
    if end - quota.shard_start(needed[0]) < _missing_seeds(quota):  # it is not open yet
        return steps
    requests = (end - quota.shard_start(last)) * quota.paid.requests / quota.paid.seeds
    return max(1, ceil(steps * (1 - quota.open_shards[last].requests / requests)))
