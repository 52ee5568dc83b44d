"""How many requests are in flight at once: a fixed number, or as many as make replies come faster.

A window that adapts holds its size until as many requests as it holds began and ended at that size, all of
them with others waiting. If these came faster than at the last size, in tokens per second, the size doubles;
if not, it returns, and a higher one is tried again much later.
"""

FIRST_SIZE = 512
MAX_SIZE = 65_536  # open shards, and so the memory, grow with the window
GAIN = 1.2  # how much faster twice the size must be
HOLD = 16  # sizes that are judged before a higher one is tried again


class Window:
    """The number of requests in flight. fixed: None adapts it, from FIRST_SIZE up to MAX_SIZE."""

    def __init__(self, fixed: int | None = None) -> None:
        self.size = fixed or FIRST_SIZE
        self._adapts = fixed is None
        self._before: tuple[int, float] | None = None  # size, and speed at that size, to return to
        self._hold = 0  # judgements until a higher size is tried
        self._since: float | None = None  # when the present size took effect
        self._replies = self._tokens = 0  # of requests that began and ended since

    def count(self, began: float, ended: float, tokens: int, is_full: bool) -> None:
        """Count a reply. began, ended: of its request, by one clock. is_full: whether other requests wait."""
        if not self._adapts:
            return
        since = self._since
        if since is None or not is_full:
            since = self._restart(ended if since is not None else began)
        if began < since:
            return
        self._replies += 1
        self._tokens += max(1, tokens)
        if self._replies >= self.size:
            self._judge(self._tokens / max(ended - since, 1e-9))
            self._restart(ended)

    def _judge(self, speed: float) -> None:
        if self._hold:
            self._hold -= 1
        elif self._before is None or speed >= GAIN * self._before[1]:
            self._before = self.size, speed
            self.size = min(2 * self.size, MAX_SIZE)
        else:
            self.size, self._before, self._hold = self._before[0], None, HOLD

    def _restart(self, now: float) -> float:
        """Forget the replies so far: those of requests that began before `now` do not count."""
        self._since = now
        self._replies = self._tokens = 0
        return now
