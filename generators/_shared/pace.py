"""How many requests a server is asked at once."""

import asyncio
import time
from collections import deque


class Pace:
    """How many requests may be out: as many as the server takes without refusing or slowing down."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(min(16, most))
        self.doubling = True  # until the first sign that it is enough
        self.out = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.cut_at = self.resume_at = self.window_at = 0.0
        self.window = 32  # replies between two looks at the speed
        self.replies, self.tokens, self.seconds = 0, 0, 0.0  # of this window
        self.best: tuple[float, float, float] | None = (
            None  # limit, tokens/s, s/token when more last brought more
        )

    async def start(self) -> float:
        """Waits for a turn; the time at which it came."""
        if self.out >= int(self.limit) or self.waiting:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            try:
                await turn  # `end` has counted it
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.end()
                raise
        else:
            self.out += 1
        try:
            await asyncio.sleep(self.resume_at - time.monotonic())
        except asyncio.CancelledError:
            self.end()
            raise
        return time.monotonic()

    def end(self) -> None:
        """Gives the turn on."""
        self.out -= 1
        while self.waiting and self.out < int(self.limit):
            turn = self.waiting.popleft()
            if not turn.done():
                self.out += 1
                turn.set_result(None)

    def rest(self, seconds: float) -> None:
        """Nobody starts for so long."""
        self.resume_at = max(self.resume_at, time.monotonic() + seconds)

    def too_much(self, started: float) -> None:
        """Half as many; once for all that were out together."""
        if started >= self.cut_at:
            self.cut_at = time.monotonic()
            self.limit = max(1.0, self.limit / 2)
            self.doubling = False

    def went_well(self, started: float, tokens: int) -> None:
        """A little more, if the limit was in use; less, if more brought only slower replies."""
        now = time.monotonic()
        if self.out >= int(self.limit):
            self.limit = min(self.most, self.limit + (1 if self.doubling else 1 / self.limit))
        if not self.replies:
            self.window_at = started
        self.replies, self.tokens, self.seconds = (
            self.replies + 1,
            self.tokens + tokens,
            self.seconds + now - started,
        )
        if self.replies < self.window:
            return
        self._look(self.tokens / max(now - self.window_at, 1e-6), self.seconds / max(self.tokens, 1))
        self.window = max(32, 2 * int(self.limit))
        self.replies, self.tokens, self.seconds = 0, 0, 0.0

    def _look(self, speed: float, slowness: float) -> None:
        limit, best_speed, best_slowness = self.best or (self.most, 0.0, 0.0)
        if self.limit > limit and slowness > 1.5 * best_slowness and speed < 1.1 * best_speed:
            self.limit = max(1.0, 0.9 * limit)
            self.doubling = False
        elif self.limit <= limit or speed >= 1.1 * best_speed:
            self.best = (self.limit, speed, slowness)
