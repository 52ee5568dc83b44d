"""One server: its address, its answers, how many requests it takes, and whether it lives."""

import json
import time
from base64 import b64encode
from collections.abc import Collection, Sequence
from random import random
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

from glotmill.errors import UsageError
from glotmill.generators._server.adjustments import Adjustments
from glotmill.generators._server.bodies import Facts
from glotmill.generators._server.refusals import Answer
from glotmill.generators._server.streams import completion_of
from glotmill.generators._shared.adaptive_limit import AdaptiveLimit
from glotmill.io.redact import hide_secrets
from glotmill.messages import Request

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from yarl import URL

_LARGEST_ANSWER = 16 * 2**20  # bytes
_LARGEST_WITH_NUMBERS = 64 * 2**20  # where it holds log-probabilities or vectors
_DEAD_AFTER = 3  # times in a row without an answer
_LONGEST_PAUSE_S = 60.0  # before a dead server is tried again
_PREFIX_CHARS = 200  # of the first message: those of one template share them

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class AnswerTooLarge(Exception):
    """An answer has more bytes than any reply."""


class Address:
    """A server, and what its answers have shown about it."""

    def __init__(self, session: "ClientSession", base_url: "URL", facts: Facts, max_concurrency: int) -> None:
        self.session, self.facts = session, facts
        self.host = base_url.authority.rpartition("@")[2]
        login = b64encode(f"{base_url.user}:{base_url.password or ''}".encode()).decode()
        self.headers = {"Authorization": f"Basic {login}"} if base_url.user else None
        self.limit = AdaptiveLimit(max_concurrency)
        self.adjustments = Adjustments(self.host)
        self.models: list[str] = []  # those it has, if it says
        self.answered: set[str] = set()  # tasks of requests that were taken
        self.proxy = None if proxy_bypass(self.host) else getproxies().get(base_url.scheme)
        self.set_base(base_url.with_user(None))
        self.slowdowns = 0  # in a row
        self._slowed_at = 0.0
        self._failures = 0  # in a row
        self._dead_until = 0.0

    def set_base(self, base_url: "URL") -> None:
        """Take another base URL on the same server."""
        self.base = base_url
        self.root = base_url.parent if base_url.name == "v1" else base_url
        self._urls: dict[tuple[str, bool], URL] = {}

    def url(self, path: str, from_root: bool = False) -> "URL":
        """Return the URL of a path."""
        found = self._urls.get((path, from_root))
        if found is None:
            base = self.root if from_root else self.base
            found = base.joinpath(*path.strip("/").split("/")).with_query(base.query)
            self._urls[path, from_root] = found
        return found

    async def post(self, path: str, body: dict[str, Any], from_root: bool = False) -> Answer:
        """Send a body and return the answer. Raises what aiohttp raises, and AnswerTooLarge."""
        data = _encode(body).encode("utf-8", "replace")
        url = self.url(path, from_root)
        async with self.session.post(
            url, data=data, headers=self.headers, proxy=self.proxy, allow_redirects=False
        ) as response:
            plain = path == "/chat/completions" and "logprobs" not in body and "prompt_logprobs" not in body
            return await _read(response, _LARGEST_ANSWER if plain else _LARGEST_WITH_NUMBERS)

    async def get(self, path: str) -> Answer:
        """Ask for a path and return the answer."""
        async with self.session.get(
            self.url(path), headers=self.headers, proxy=self.proxy, allow_redirects=False
        ) as response:
            return await _read(response, _LARGEST_ANSWER)

    # Whether it lives.

    def worked(self) -> None:
        """Note an answer."""
        self._failures, self._dead_until = 0, 0.0

    def failed(self, *, for_sure: bool) -> None:
        """Note that there was no answer; a server that gives none is left out, each time for longer.

        for_sure: nobody listens there.
        """
        self._failures = max(self._failures + 1, _DEAD_AFTER if for_sure else 0)
        if self._failures >= _DEAD_AFTER:
            pause_s = min(_LONGEST_PAUSE_S, 0.5 * 2 ** min(self._failures - _DEAD_AFTER, 10))
            self._dead_until = time.monotonic() + pause_s * (0.75 + random() / 2)  # noqa: S311 no secret

    def slow_down(self, started: float) -> None:
        """Start no request for a while, each time a longer one: the server limits the rate, and says no more.

        started: when the request began that was refused; those that were out together count once.
        """
        if started < self._slowed_at:
            return
        self._slowed_at, self.slowdowns = time.monotonic(), self.slowdowns + 1
        pause_s = min(_LONGEST_PAUSE_S, 0.25 * 2 ** min(self.slowdowns, 10))
        self.limit.pause(pause_s * (0.75 + random() / 2))  # noqa: S311 no secret

    def is_open(self, now: float) -> bool:
        """Whether requests should go here. A server that was dead is tried with one of them."""
        on_trial = self._failures >= _DEAD_AFTER and self.limit.in_flight > 0
        return not on_trial and not self.is_closed(now)

    def is_closed(self, now: float) -> bool:
        """Whether it is dead or wants to be left alone, for some time yet."""
        return now < self.closed_until

    @property
    def load(self) -> float:
        """Requests here, as a share of those that it takes."""
        return (self.limit.in_flight + len(self.limit.waiting)) / self.limit.limit

    @property
    def closed_until(self) -> float:
        """When it should be tried again."""
        return max(self._dead_until, self.limit.paused_until)


def choose(addresses: Sequence[Address], request: Request, failed: Collection[Address]) -> Address:
    """Return the server for a request: the least busy, among equally busy ones that of its prefix.

    failed: servers to be avoided.

    Requests that start alike go to one server where they can, since it has computed that start already.
    """
    if len(addresses) == 1:
        return addresses[0]
    now = time.monotonic()
    candidates = [address for address in addresses if address not in failed and address.is_open(now)]
    if not candidates:
        return min(addresses, key=lambda address: address.closed_until)
    first = request.messages[0]
    preferred = addresses[hash((first.role, first.content[:_PREFIX_CHARS])) % len(addresses)]
    least = min(candidates, key=lambda address: address.load)
    return preferred if preferred in candidates and preferred.load <= least.load else least


async def _read(response: "ClientResponse", limit: int) -> Answer:
    """Return an answer, whose body has at most so many bytes."""
    size = response.content_length
    if size is not None and size <= limit and "Content-Encoding" not in response.headers:
        raw: bytes | bytearray = await response.read()
    else:
        raw = bytearray()
        async for chunk in response.content.iter_any():
            raw += chunk
            if len(raw) > limit:
                raise AnswerTooLarge
    try:
        value = completion_of(raw) if raw[:5] == b"data:" else json.loads(raw)
    except (ValueError, RecursionError):
        value = raw[:10_000].decode("utf-8", "replace")
    return Answer(response.status, response.headers, value)


def base_urls(text: str | Sequence[str]) -> "list[URL]":
    """Return the addresses of servers, given as a list or with commas between them. Raises UsageError."""
    from yarl import URL

    items = text.split(",") if isinstance(text, str) else text
    urls = []
    for item in dict.fromkeys(part.strip().rstrip("/") for part in items):
        try:
            url = URL(item)
            valid = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
        except ValueError:
            valid = False
        if not valid:
            raise UsageError(
                f"engine openai: base_url holds {hide_secrets(item[:200])!r}, which is no address; "
                "give one such as http://localhost:8000/v1"
            )
        urls.append(url.with_fragment(None))
    return urls
