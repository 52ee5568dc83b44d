"""How many concurrent requests a server is sent."""

import asyncio
import time
from collections import deque

_FIRST = 16  # requests at first
# What more requests must bring, as a share of what they bring where nothing else limits the speed.
_PAYS = 0.2
_COSTS = 0.1  # and the same share for what fewer requests may cost
_CROWDED = 2.0  # lower levels are tried where a request takes this many times as long as it ever did
_LONGEST_HOLD = 16  # levels are judged this often before another one is tried


class AdaptiveLimit:
    """A limit on concurrent requests that follows what the server can do.

    The limit stays at a level until enough requests that began there have replied. Their speed is the tokens
    a second of one request, times the limit. While more requests bring more speed, the limit doubles; once
    they do not, it returns to a quarter above the level before. From then on higher and lower levels are
    tried in turns, in small steps and more and more rarely: a higher one must pay; a lower one, tried where
    requests wait for each other, must cost next to nothing. 429 and 503 halve the limit. Only times at which
    it is used in full count.
    """

    def __init__(self, max_concurrency: int) -> None:
        self.max_concurrency = max_concurrency
        self.limit = float(min(_FIRST, max_concurrency))
        self.doubling = True  # until the first sign of overload
        self.in_flight = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.halved_at = self.paused_until = self.level_began = 0.0
        self.replies, self.tokens, self.seconds = 0, 0, 0.0  # of requests that began at this level
        # The level that this one is compared with, and its speed.
        self.base: tuple[float, float] | None = None
        # How often a level is judged before another one is tried, and how often still.
        self.hold = self.holding = 1
        self.best_pace = float("inf")
        self.rising = True  # whether the next level to be tried is a higher one

    async def acquire(self) -> float:
        """Wait for a free slot. Return the time at which the request starts."""
        if self.in_flight >= int(self.limit) or self.waiting:
            slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(slot)
            try:
                await slot  # `release` has counted it
            except asyncio.CancelledError:
                if slot.done() and not slot.cancelled():
                    self.release()
                raise
        else:
            self.in_flight += 1
        now = time.monotonic()
        if self.paused_until > now:
            try:
                await asyncio.sleep(self.paused_until - now)
            except asyncio.CancelledError:
                self.release()
                raise
            now = time.monotonic()
        return now

    def release(self) -> None:
        """Free a slot and pass it to the next waiting request."""
        self.in_flight -= 1
        while self.waiting and self.in_flight < int(self.limit):
            slot = self.waiting.popleft()
            if not slot.done():
                self.in_flight += 1
                slot.set_result(None)

    def pause(self, seconds: float) -> None:
        """Start no request for so many seconds."""
        self.paused_until = max(self.paused_until, time.monotonic() + seconds)

    def overloaded(self, started: float) -> None:
        """Halve the limit, once for all requests that were in flight together."""
        if started >= self.halved_at:
            self.halved_at = time.monotonic()
            self.doubling, self.base, self.rising = False, None, True
            self._set_level(max(1.0, self.limit / 2))

    def succeeded(self, started: float, tokens: int) -> None:
        """Note a reply, before its slot is released."""
        if started < self.level_began or self.in_flight < int(self.limit):
            return
        self.replies, self.tokens = self.replies + 1, self.tokens + tokens
        self.seconds += time.monotonic() - started
        if self.replies >= (max(16, self.limit / 4) if self.doubling else max(32, 2 * self.limit)):
            self._judge(self.limit * self.tokens / max(self.seconds, 1e-6))

    def _judge(self, speed: float) -> None:
        """Try another level, or return to the last one."""
        level, base_speed = self.base or (self.limit, speed)
        pace = self.limit / speed  # seconds a token of one request
        self.best_pace = min(self.best_pace, pace)
        self.rising = self.rising or pace < _CROWDED * self.best_pace
        if self.limit == level:  # held
            self.base, self.holding = (level, speed), self.holding - 1
            self._set_level(self._next() if self.doubling or self.holding <= 0 else level)
        elif speed >= base_speed * (1 + (_PAYS if self.limit > level else _COSTS) * (self.limit / level - 1)):
            self.base, self.hold = (self.limit, speed), 1
            self._set_level(self._next())
        else:
            self.holding, self.hold = self.hold, min(_LONGEST_HOLD, 2 * self.hold)
            self._set_level(min(self.limit, 1.25 * level) if self.doubling else level)
            self.base, self.doubling, self.rising = (self.limit, base_speed), False, not self.rising

    def _next(self) -> float:
        if self.rising:
            step = self.limit if self.doubling else max(1.0, self.limit / 8)
            return min(float(self.max_concurrency), self.limit + step)
        return max(1.0, 0.8 * self.limit)

    def _set_level(self, limit: float) -> None:
        self.limit, self.level_began = limit, time.monotonic()
        self.replies, self.tokens, self.seconds = 0, 0, 0.0
