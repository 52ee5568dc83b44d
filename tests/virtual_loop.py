"""An event loop whose clock jumps to the next event: a run of an hour takes a second."""

import asyncio
from collections.abc import Callable
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps at once, by its own clock; work for other threads is done in this one."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def jump(timeout: float | None = None) -> Any:
            self._seconds += timeout or 0.0
            return select(timeout and 0)

        selector.select = jump

    def time(self) -> float:
        return self._seconds

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = self.create_future()
        future.set_result(func(*args))
        return future
