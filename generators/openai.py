"""Any server that speaks OpenAI's chat completions: vllm serve, Ollama, hosted ones."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import parsedate_to_datetime
from math import isnan
from random import random
from typing import Any, NoReturn
from urllib.parse import urlsplit

from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.generators._shared.opening import chat_of, not_installed
from glotmill.generators._shared.pace import Pace
from glotmill.messages import Engine, Reply, Request

_OPENAI = "https://api.openai.com/v1"
_LONGEST_WAIT_S = 120.0  # however long a server asks to wait
_LONGEST_REPLY = 2_000_000  # characters
_LEAST_LOGPROB = -9999.0  # JSON has no infinity
_VLLM_ONLY = ("top_k", "min_p", "repetition_penalty", "min_tokens")
_TOO_LONG = ("context_length", "context length", "maximum context", "max_model_len", "too long")


@asynccontextmanager
async def openai(
    model: str,
    *,
    revision: str | None = None,
    base_url: str | None = None,
    timeout_s: float = 600.0,
    max_concurrency: int = 256,
    max_retries: int = 6,
) -> AsyncIterator[Engine]:
    """Replies from the server at `base_url`, else OPENAI_BASE_URL, else OpenAI's; the key is OPENAI_API_KEY.

    How many requests are out at once adapts, `max_concurrency` at most: it doubles while all goes well, then
    rises by one a round, is halved by 429 and 503, and falls when replies slow down without more of them
    coming. Refusals for a time, errors of the server and of the network, and replies that take longer than
    `timeout_s` are tried again `max_retries` times, after what Retry-After asks for (two minutes at most) or
    ever longer pauses. A revision is the server's own business.

    Raises:
        UsageError: OpenAI's own server without a key, or a limit below its least.
        EngineError: the package is missing, the key is refused or has no credit, or there is no such model.
        RequestFailed: `prompt_too_long`, `refused_by_server`, `content_filter`, `empty_reply`, `bad_reply`,
            `reply_too_long`, `server_unavailable`.
    """
    if timeout_s <= 0 or max_concurrency < 1 or max_retries < 0:
        limits = f"timeout_s={timeout_s}, max_concurrency={max_concurrency}, max_retries={max_retries}"
        raise UsageError(f"engine openai: {limits}: at least above 0, 1 and 0")
    url = base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
    key = os.environ.get("OPENAI_API_KEY", "")
    if not key and url == _OPENAI:
        raise UsageError(
            "engine openai: set OPENAI_API_KEY, or name another server: --engine-arg base_url=http://..."
        )
    try:
        from openai import AsyncOpenAI
    except ImportError as error:
        raise not_installed("openai", "'glotmill[openai]'", error) from error
    async with AsyncOpenAI(base_url=url, api_key=key or "EMPTY", max_retries=0, timeout=timeout_s) as client:
        server = _Server(client, model, url, key)
        server.timeout_s, server.tries, server.pace = timeout_s, max_retries + 1, Pace(max_concurrency)
        yield server.generate


class _Server:
    """One server, and what was learnt of it."""

    timeout_s: float
    tries: int
    pace: Pace

    def __init__(self, client: Any, model: str, url: str, key: str) -> None:
        self.client, self.model, self.key = client, model, key
        self.place = urlsplit(url).netloc.rpartition("@")[2]
        self.over: str = ""  # why no request can succeed any more

    async def generate(self, request: Request) -> Reply:
        arguments = _arguments(request, self.model, hosted=self.place.endswith("api.openai.com"))
        problem = ""
        for attempt in range(self.tries):
            started = await self.pace.start()
            try:
                if self.over:
                    raise EngineError(self.over)
                async with asyncio.timeout(self.timeout_s):
                    completion = await self.client.chat.completions.create(**arguments)
                reply = _reply(completion)
                self.pace.went_well(started, reply.completion_tokens)
                return replace(reply, tries=attempt + 1)
            except (EngineError, RequestFailed):
                raise
            except Exception as error:  # noqa: BLE001 the client's and the network's: `_judged` raises what is final
                problem, wait_s = await self._judged(error, attempt, started)
            finally:
                self.pace.end()
            await asyncio.sleep(wait_s)
        raise RequestFailed("server_unavailable", f"{problem}, {self.tries} times", transient=True)

    async def _judged(self, error: Exception, attempt: int, started: float) -> tuple[str, float]:
        """What is wrong and how long to wait before asking again; raises when that is of no use."""
        import openai

        wait_s = min(60.0, 0.5 * 2**attempt) * (0.5 + random() / 2)  # noqa: S311 no secret
        if isinstance(error, (TimeoutError, openai.APITimeoutError)):
            return f"{self.place}: no reply in {self.timeout_s:g} s", wait_s
        if isinstance(error, openai.APIStatusError):
            status = error.status_code
            if status in (401, 403) or error.code == "insufficient_quota":
                self._give_up(f"{self.place} refuses the key ({status}): see OPENAI_API_KEY and its account")
            if status == 404:
                self._give_up(f"{self.place} has no model {self.model} (404){await self._offers()}")
            if status in (429, 503):
                self.pace.too_much(started)
                asked_s = _retry_after(error.response.headers)
                if asked_s is not None:
                    wait_s = asked_s + wait_s / 2
                    self.pace.rest(asked_s)
            if status < 500 and status not in (408, 409, 425, 429):
                self._refuse(error)
            return f"{self.place}: HTTP {status}", wait_s
        if isinstance(error, openai.APIConnectionError):
            return f"{self.place}: no connection", wait_s
        raise RequestFailed("bad_reply", f"{self.place}: {type(error).__name__}", transient=True) from error

    def _give_up(self, why: str) -> NoReturn:
        self.over = f"engine openai: {why}"
        raise EngineError(self.over)

    def _refuse(self, error: Any) -> NoReturn:
        said = " ".join(str(error.message).split())
        too_long = any(sign in f"{error.code} {said}".lower() for sign in _TOO_LONG)
        detail = said.replace(self.key, "***") if self.key else said
        reason = "prompt_too_long" if too_long else "refused_by_server"
        raise RequestFailed(reason, f"HTTP {error.status_code}: {detail[:400]}")

    async def _offers(self) -> str:
        """What the server has instead, if it tells."""
        try:
            listed = await asyncio.wait_for(self.client.models.list(), 10)
            names = [str(each.id)[:80] for each in listed.data[:10]]
        except Exception:  # noqa: BLE001 it was only asked to be helpful
            return ""
        return f": it has {', '.join(names)}" if names else ""


def _arguments(request: Request, model: str, *, hosted: bool) -> dict[str, Any]:
    given = dict(request.sampling.given())
    extra = {name: given.pop(name) for name in _VLLM_ONLY if name in given}
    logprobs = given.pop("logprobs", None)
    if logprobs is not None:
        given["logprobs"] = True
        if logprobs:
            given["top_logprobs"] = logprobs
    if "stop" in given:
        given["stop"] = list(given["stop"])
    if hosted and "max_tokens" in given:  # its newer models know only the new name, others only the old one
        given["max_completion_tokens"] = given.pop("max_tokens")
    if request.schema:
        schema = {"name": "reply", "schema": json.loads(request.schema)}
        given["response_format"] = {"type": "json_schema", "json_schema": schema}
    if extra:
        given["extra_body"] = extra
    return {"model": model, "messages": chat_of(request), "seed": request.seed, **given}


def _reply(completion: Any) -> Reply:
    """A server's answer, which may be anything, as a Reply."""
    try:
        choice = completion.choices[0]
        text, finish = choice.message.content, choice.finish_reason or "stop"
        usage = completion.usage
        spent = (int(usage.prompt_tokens or 0), int(usage.completion_tokens or 0)) if usage else (0, 0)
        told = choice.logprobs and choice.logprobs.content
        logprobs = tuple(max(_LEAST_LOGPROB, float(each.logprob)) for each in told) if told else None
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        raise RequestFailed(
            "empty_reply", f"no choice in it: {type(error).__name__}", transient=True
        ) from error
    if finish == "content_filter":
        raise RequestFailed("content_filter", "the server's filter held the reply back")
    if not isinstance(text, str) or finish not in ("stop", "length"):
        raise RequestFailed("empty_reply", f"no text in it; it ended with {str(finish)[:40]}", transient=True)
    if len(text) > _LONGEST_REPLY:
        raise RequestFailed("reply_too_long", f"{len(text)} characters; {_LONGEST_REPLY} are taken")
    return Reply(text, finish, *spent, logprobs)


def _retry_after(headers: Any) -> float | None:
    """Seconds, however the server wrote them."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return None if isnan(seconds) else min(max(seconds, 0.0), _LONGEST_WAIT_S)
