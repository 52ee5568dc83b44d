"""An engine for tests, named `spy:spy`: it notes what it is asked and says what the test wants said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from glotmill.messages import Engine, Reply, Request

Said = str | Reply | Exception


def user(request: Request) -> str:
    """Return what the user said."""
    return next(m.content for m in request.messages if m.role == "user")


class State:
    """What the engine was asked, and what it is to say."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.opened = self.closed = 0
        self.says: Callable[[Request], Said] = user
        self.opening: Exception | None = None
        self.delay: Callable[[Request], float] | None = None

    def answer(self, says: Callable[[Request], Said]) -> None:
        """Set what is said from now on."""
        self.says = says


state = State()


@asynccontextmanager
async def spy(
    model: str, *, revision: str | None = None, api_key: Any = None, more: Any = None
) -> AsyncIterator[Engine]:
    state.opened += 1
    opened_by = asyncio.current_task()
    if state.opening:
        raise state.opening

    async def generate(request: Request) -> Reply:
        state.asked.append(request)
        said = state.says(request)
        await asyncio.sleep(state.delay(request) if state.delay else 0)
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Reply) else Reply(said, completion_tokens=len(said.split()))

    yield generate
    assert asyncio.current_task() is opened_by
    state.closed += 1


def write(folder: Path, recipe: str, **templates: str) -> Path:
    """Write a recipe's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    for name, text in templates.items():
        (folder / f"{name}.j2").write_text(text, encoding="utf-8")
    return folder
