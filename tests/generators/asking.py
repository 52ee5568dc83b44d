"""How tests ask an engine: it stays open for many of them, because some start slowly."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeAlias

from glotmill.messages import Engine, Message, Reply, Request, Sampling

Ask: TypeAlias = Callable[..., list[Any]]
"""Asks all requests at once; a request that fails gives its exception in place of a reply."""


@contextmanager
def opened(engine: AbstractAsyncContextManager[Engine]) -> Iterator[Ask]:
    """The engine in an event loop of its own, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(awaitable: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(awaitable, loop).result(120)

    async def all_at_once(requests: tuple[Request, ...]) -> list[Reply | BaseException]:
        return await asyncio.gather(*map(generate, requests), return_exceptions=True)

    try:
        generate = wait(engine.__aenter__())
        try:
            yield lambda *requests: wait(all_at_once(requests))
        finally:
            wait(engine.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def chat(text: str, **given: Any) -> Request:
    """A request of one user message, of at most 24 tokens unless told otherwise.

    given: further fields of the request, and sampling parameters.
    """
    own = {name: given.pop(name) for name in Request.__dataclass_fields__ if name in given}
    named = {name: given.pop(name) for name in Sampling.__dataclass_fields__ if name in given}
    limits = Sampling(**{"max_tokens": 24, **named}, others=json.dumps(given) if given else "")
    return Request((Message("user", text),), "nano", sampling=limits, **own)
