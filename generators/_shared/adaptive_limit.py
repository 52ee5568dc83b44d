"""How many concurrent requests a server is sent."""

import asyncio
import time
from collections import deque

_FIRST = 16  # requests at first
_PAYS = (
    0.2  # a higher limit must bring this share of the speed that it would bring if nothing else limited it
)
_LONGEST_HOLD = 16  # levels are judged this often before a higher one is tried again


class AdaptiveLimit:
    """A limit on concurrent requests that follows what the server can do.

    The limit stays at a level until enough requests that began there have replied. Their speed is the tokens
    a second of one request, times the limit. While more requests bring more speed, the limit doubles; once
    they do not, it returns to a quarter above the level before, and from then on higher levels are tried in
    small steps, more and more rarely. 429 and 503 halve it. Only times at which the limit is used in full
    count.
    """

    def __init__(self, max_concurrency: int) -> None:
        self.max_concurrency = max_concurrency
        self.limit = float(min(_FIRST, max_concurrency))
        self.doubling = True  # until the first sign of overload
        self.in_flight = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.halved_at = self.paused_until = self.level_began = 0.0
        self.replies, self.tokens, self.seconds = 0, 0, 0.0  # of requests that began at this level
        self.base: tuple[float, float] | None = (
            None  # the level that this one is compared with, and its speed
        )
        self.hold = self.holding = (
            1  # how often a level is judged before a higher one is tried; how often still
        )

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
            self.doubling, self.base = False, None
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
        """Go to a higher level, or back."""
        if self.base is None:
            self.base = (self.limit, speed)
        level, base_speed = self.base
        if self.limit <= level:  # held
            self.base, self.holding = (self.limit, speed), self.holding - 1
            self._set_level(self._higher() if self.holding <= 0 else self.limit)
        elif speed >= base_speed * (1 + _PAYS * (self.limit / level - 1)):
            self.base, self.hold = (self.limit, speed), 1
            self._set_level(self._higher())
        else:
            self.holding, self.hold = self.hold, min(_LONGEST_HOLD, 2 * self.hold)
            self._set_level(min(self.limit, 1.25 * level) if self.doubling else level)
            self.base, self.doubling = (self.limit, base_speed), False

    def _higher(self) -> float:
        step = self.limit if self.doubling else max(1.0, self.limit / 8)
        return min(float(self.max_concurrency), self.limit + step)

    def _set_level(self, limit: float) -> None:
        self.limit, self.level_began = limit, time.monotonic()
        self.replies, self.tokens, self.seconds = 0, 0, 0.0
