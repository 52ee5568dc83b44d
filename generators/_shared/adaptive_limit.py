"""How many concurrent requests a server is sent."""

import asyncio
import time
from collections import deque


class AdaptiveLimit:
    """A limit on concurrent requests that adapts to what the server takes without refusing or slowing down.

    Additive increase, multiplicative decrease, as in TCP: the limit doubles per round until the first sign of
    overload, then grows by one per round; 429 and 503 halve it. Every window of replies, throughput is
    compared with the best seen at a lower limit: if more requests only made replies slower, the limit falls.
    """

    def __init__(self, max_concurrency: int) -> None:
        self.max_concurrency = max_concurrency
        self.limit = float(min(16, max_concurrency))
        self.doubling = True  # until the first sign of overload
        self.in_flight = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.halved_at = self.paused_until = self.window_started = 0.0
        self.window = 32  # replies between two comparisons of speed
        self.replies, self.tokens, self.seconds = 0, 0, 0.0  # of this window
        # limit, tokens/s and s/token when a higher limit last brought more tokens/s
        self.best: tuple[float, float, float] | None = None

    async def acquire(self) -> float:
        """Wait for a free slot. Reslot the time at which the request starts."""
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
        try:
            await asyncio.sleep(self.paused_until - time.monotonic())
        except asyncio.CancelledError:
            self.release()
            raise
        return time.monotonic()

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
            self.limit = max(1.0, self.limit / 2)
            self.doubling = False

    def succeeded(self, started: float, tokens: int) -> None:
        """Raise the limit if it was in use; lower it if more requests only made replies slower."""
        now = time.monotonic()
        if self.in_flight >= int(self.limit):
            self.limit = min(self.max_concurrency, self.limit + (1 if self.doubling else 1 / self.limit))
        if not self.replies:
            self.window_started = started
        self.replies, self.tokens, self.seconds = (
            self.replies + 1,
            self.tokens + tokens,
            self.seconds + now - started,
        )
        if self.replies < self.window:
            return
        self._compare_speed(
            self.tokens / max(now - self.window_started, 1e-6), self.seconds / max(self.tokens, 1)
        )
        self.window = max(32, 2 * int(self.limit))
        self.replies, self.tokens, self.seconds = 0, 0, 0.0

    def _compare_speed(self, tokens_per_second: float, seconds_per_token: float) -> None:
        limit, best_tokens_per_second, best_seconds_per_token = self.best or (self.max_concurrency, 0.0, 0.0)
        if (
            self.limit > limit
            and seconds_per_token > 1.5 * best_seconds_per_token
            and tokens_per_second < 1.1 * best_tokens_per_second
        ):
            self.limit = max(1.0, 0.9 * limit)
            self.doubling = False
        elif self.limit <= limit or tokens_per_second >= 1.1 * best_tokens_per_second:
            self.best = (self.limit, tokens_per_second, seconds_per_token)
