"""Any server with OpenAI's API: vllm serve, Ollama, hosted models."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from glotmill.errors import UsageError
from glotmill.generators._server.address import Address, AnswerTooLarge, base_urls
from glotmill.generators._server.bodies import Facts
from glotmill.generators._server.client import Client
from glotmill.generators._server.refusals import Answer, Meaning, refusal_of
from glotmill.generators._shared.loading import not_installed
from glotmill.generators._shared.thinking import family_of
from glotmill.messages import Engine

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from yarl import URL

_OPENAI = "https://api.openai.com/v1"
_CONNECT_S = 30.0
_PROBE_S = 10.0  # for the list of models
_MOST_CONNECTIONS = 4096  # to one server
_SPARE_FILES = 256  # that a run opens beside its connections


@asynccontextmanager
async def openai(
    model: str,
    *,
    revision: str | None = None,
    base_url: str | Sequence[str] | None = None,
    timeout_s: float = 600.0,
    max_retries: int = 6,
    extra_body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Engine]:
    """Generate with servers: `base_url`, else OPENAI_BASE_URL, else OpenAI. The key is OPENAI_API_KEY.

    `base_url` may hold several addresses of one model, in a list or with commas between them. A request goes
    to the least busy server; one that gives no answer is left out and tried again after a growing pause.

    The number of concurrent requests follows what each server can do: it doubles while that brings more
    tokens a second, and is halved by the status 429 or 503. Errors of the server or the network, and replies
    that take longer than `timeout_s` seconds, are retried `max_retries` times, after the time that
    Retry-After names (two minutes at most) or after growing pauses. A rate limit (429) is waited out, however
    long it lasts. A parameter that a server does not take is left out or renamed, with a warning.
    `extra_body` goes into the body of every request, `headers` beside it. `revision` is ignored: the server
    chooses.

    Raises:
        UsageError: OpenAI's own server without a key, an address or a header that is none, a limit out of
            range.
        EngineError: the package is missing, the key is refused or out of credit, the model does not exist, or
            the address is not that of such a server.
        RequestFailed: `prompt_too_long`, `refused_by_server`, `content_filter`, `empty_reply`, `bad_reply`,
            `reply_too_long`, `server_unavailable`.
    """
    if timeout_s <= 0:
        raise UsageError(f"engine openai: timeout_s is {timeout_s}; it must be above 0")
    if max_retries < 0:
        raise UsageError(f"engine openai: max_retries is {max_retries}; it must be at least 0")
    aiohttp = _aiohttp()
    urls = base_urls(base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI)
    sent, secrets = _headers(urls, headers or {})
    connections = _room_for_files(len(urls))
    facts = Facts(model, dict(extra_body or {}), family_of(model))
    async with _session(aiohttp, sent, timeout_s) as session:
        addresses = [
            Address(session, url, replace(facts, is_openai=_is_openai(url)), connections) for url in urls
        ]
        client = Client(addresses, timeout_s, max_retries + 1, secrets)
        await asyncio.gather(*(_look_at(client, address) for address in addresses))
        yield client.generate


def _aiohttp() -> Any:
    try:
        import aiohttp
    except ImportError as error:
        raise not_installed("openai", "'glotmill[openai]'", error) from error
    return aiohttp


def _session(aiohttp: Any, headers: Mapping[str, str], timeout_s: float) -> "ClientSession":
    session: ClientSession = aiohttp.ClientSession(
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(_CONNECT_S, timeout_s)),
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    return session


def _is_openai(url: "URL") -> bool:
    return (url.host or "").endswith("api.openai.com")


def _headers(urls: "Sequence[URL]", more: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the headers of every request, and the secrets in them. Raises UsageError."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key and any(map(_is_openai, urls)):
        raise UsageError(
            "engine openai: set OPENAI_API_KEY, or name another server: --engine-arg base_url=http://..."
        )
    usual = {"Content-Type": "application/json", "Authorization": f"Bearer {key or 'EMPTY'}"}
    given = {name.lower() for name in more}
    headers = {**{name: value for name, value in usual.items() if name.lower() not in given}, **more}
    for name, value in headers.items():
        if not (isinstance(value, str) and f"{name}{value}".isprintable() and f"{name}{value}".isascii()):
            source = f"the header {name!r}" if name in more else "OPENAI_API_KEY"
            raise UsageError(f"engine openai: {source} has characters that no header can carry")
    passwords = [url.password for url in urls if url.password]
    return headers, [secret for secret in (key, *more.values(), *passwords) if len(secret) >= 4]


def _room_for_files(servers: int) -> int:
    """Return how many connections each server may have, after raising the limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_CONNECTIONS * servers + _SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST_CONNECTIONS
    higher = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (higher, hard))
        soft = higher
    return max(1, min(_MOST_CONNECTIONS, (soft - _SPARE_FILES) // servers))


async def _look_at(client: Client, address: Address) -> None:
    """Ask a server which models it has, before it is asked for rows. Raises EngineError.

    A server that does not say, or not yet, is asked for rows all the same.
    """
    answer = await _models(address)
    if answer is not None and answer.status in (404, 405) and address.base.name != "v1":
        given = address.base
        address.set_base((given / "v1").with_query(given.query))
        other = await _models(address)
        if other is not None and _ids(other):
            client.warn(f"{address.host} speaks at {given.path.rstrip('/')}/v1: base_url should end in /v1")
            answer = other
        else:
            address.set_base(given)
    if answer is None:
        return
    refusal = refusal_of(answer, "")
    if refusal and answer.status == 401 and refusal.meaning is Meaning.KEY and "scope" not in refusal.words:
        client.stop(f"{address.host} refuses the key (401): see OPENAI_API_KEY and its account")
    address.models = _ids(answer)
    model = address.facts.model
    if any(item.get("owned_by") == "vllm" for item in _items(answer)):
        address.facts.is_vllm = True
        if model not in address.models:
            client.stop(f"{address.host} has no model {model}: it has {', '.join(address.models[:10])}")


async def _models(address: Address) -> Answer | None:
    import aiohttp

    try:
        return await asyncio.wait_for(address.get("/models"), _PROBE_S)
    except (TimeoutError, OSError, ValueError, aiohttp.ClientError, AnswerTooLarge):
        return None


def _items(answer: Answer) -> list[dict[str, Any]]:
    value = answer.value
    items = value.get("data") if isinstance(value, dict) and answer.status == 200 else None
    return [item for item in items[:1_000] if isinstance(item, dict)] if isinstance(items, list) else []


def _ids(answer: Answer) -> list[str]:
    return [item["id"][:80] for item in _items(answer) if isinstance(item.get("id"), str)]
