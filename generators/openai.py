"""Any server with OpenAI's chat completions API: vllm serve, Ollama, hosted models."""

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
from glotmill.generators._shared.adaptive_limit import AdaptiveLimit
from glotmill.generators._shared.loading import chat_of, not_installed
from glotmill.messages import Engine, Reply, Request

_OPENAI = "https://api.openai.com/v1"
_LONGEST_WAIT_S = 120.0  # even if the server asks for more
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
    """Generate with a server: `base_url`, else OPENAI_BASE_URL, else OpenAI. The key is OPENAI_API_KEY.

    The number of concurrent requests adapts to the server, up to `max_concurrency`: it doubles while all goes
    well, then grows by one per round, is halved by the status 429 or 503, and falls when replies get slower
    without throughput rising. Rate limits, errors of the server or the network, and replies that take
    longer than `timeout_s` seconds are retried `max_retries` times, after the time that Retry-After names
    (two minutes at most) or after growing pauses. `revision` is ignored: the server chooses.

    Raises:
        UsageError: OpenAI's own server without a key, or a limit out of range.
        EngineError: the package is missing, the key is refused or out of credit, or the model does not exist.
        RequestFailed: `prompt_too_long`, `refused_by_server`, `content_filter`, `empty_reply`, `bad_reply`,
            `reply_too_long`, `server_unavailable`.
    """
    for name, value, fits, limit in (
        ("timeout_s", timeout_s, timeout_s > 0, "above 0"),
        ("max_concurrency", max_concurrency, max_concurrency >= 1, "at least 1"),
        ("max_retries", max_retries, max_retries >= 0, "at least 0"),
    ):
        if not fits:
            raise UsageError(f"engine openai: {name} is {value}; it must be {limit}")
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
        server.timeout_s, server.tries, server.limit = (
            timeout_s,
            max_retries + 1,
            AdaptiveLimit(max_concurrency),
        )
        yield server.generate


class _Server:
    """A server, and what its answers have shown about it."""

    timeout_s: float
    tries: int
    limit: AdaptiveLimit

    def __init__(self, client: Any, model: str, url: str, key: str) -> None:
        self.client, self.model, self.key = client, model, key
        self.host = urlsplit(url).netloc.rpartition("@")[2]
        self.stopped_because: str = ""  # why no further request can succeed

    async def generate(self, request: Request) -> Reply:
        arguments = _arguments(request, self.model, hosted=self.host.endswith("api.openai.com"))
        problem = ""
        for attempt in range(self.tries):
            started = await self.limit.acquire()
            try:
                if self.stopped_because:
                    raise EngineError(self.stopped_because)
                async with asyncio.timeout(self.timeout_s):
                    completion = await self.client.chat.completions.create(**arguments)
                reply = _reply(completion)
                self.limit.succeeded(started, reply.completion_tokens)
                return replace(reply, tries=attempt + 1)
            except (EngineError, RequestFailed):
                raise
            except Exception as error:  # noqa: BLE001 `_retry_or_raise` raises what is final
                problem, wait_s = await self._retry_or_raise(error, attempt, started)
            finally:
                self.limit.release()
            await asyncio.sleep(wait_s)
        raise RequestFailed("server_unavailable", f"{problem}, {self.tries} times", transient=True)

    async def _retry_or_raise(self, error: Exception, attempt: int, started: float) -> tuple[str, float]:
        """Return the problem and the seconds to wait before a retry; raise if a retry cannot help."""
        import openai

        wait_s = min(60.0, 0.5 * 2**attempt) * (0.5 + random() / 2)  # noqa: S311 no secret
        if isinstance(error, (TimeoutError, openai.APITimeoutError)):
            return f"{self.host}: no reply in {self.timeout_s:g} s", wait_s
        if isinstance(error, openai.APIStatusError):
            status = error.status_code
            if status in (401, 403) or error.code == "insufficient_quota":
                self._stop_all(f"{self.host} refuses the key ({status}): see OPENAI_API_KEY and its account")
            if status == 404:
                self._stop_all(f"{self.host} has no model {self.model} (404){await self._list_models()}")
            if status in (429, 503):
                self.limit.overloaded(started)
                retry_after_s = _retry_after(error.response.headers)
                if retry_after_s is not None:
                    wait_s = retry_after_s + wait_s / 2
                    self.limit.pause(retry_after_s)
            if status < 500 and status not in (408, 409, 425, 429):
                self._reject(error)
            return f"{self.host}: HTTP {status}", wait_s
        if isinstance(error, openai.APIConnectionError):
            return f"{self.host}: no connection", wait_s
        raise RequestFailed("bad_reply", f"{self.host}: {type(error).__name__}", transient=True) from error

    def _stop_all(self, reason: str) -> NoReturn:
        self.stopped_because = f"engine openai: {reason}"
        raise EngineError(self.stopped_because)

    def _reject(self, error: Any) -> NoReturn:
        message = " ".join(str(error.message).split())
        too_long = any(sign in f"{error.code} {message}".lower() for sign in _TOO_LONG)
        detail = message.replace(self.key, "***") if self.key else message
        reason = "prompt_too_long" if too_long else "refused_by_server"
        raise RequestFailed(reason, f"HTTP {error.status_code}: {detail[:400]}")

    async def _list_models(self) -> str:
        """Return the names of the models that the server has, if it says."""
        try:
            models = await asyncio.wait_for(self.client.models.list(), 10)
            names = [str(item.id)[:80] for item in models.data[:10]]
        except Exception:  # noqa: BLE001 only a hint for the error message
            return ""
        return f": it has {', '.join(names)}" if names else ""


def _arguments(request: Request, model: str, *, hosted: bool) -> dict[str, Any]:
    arguments = dict(request.sampling.given())
    extra = {name: arguments.pop(name) for name in _VLLM_ONLY if name in arguments}
    logprobs = arguments.pop("logprobs", None)
    if logprobs is not None:
        arguments["logprobs"] = True
        if logprobs:
            arguments["top_logprobs"] = logprobs
    if "stop" in arguments:
        arguments["stop"] = list(arguments["stop"])
    if (
        hosted and "max_tokens" in arguments
    ):  # newer OpenAI models accept only the new name, other servers only the old one
        arguments["max_completion_tokens"] = arguments.pop("max_tokens")
    if request.schema:
        schema = {"name": "reply", "schema": json.loads(request.schema)}
        arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
    if extra:
        arguments["extra_body"] = extra
    return {"model": model, "messages": chat_of(request), "seed": request.seed, **arguments}


def _reply(completion: Any) -> Reply:
    """Return the completion of a server, which may hold anything, as a Reply."""
    try:
        choice = completion.choices[0]
        text, finish = choice.message.content, choice.finish_reason or "stop"
        usage = completion.usage
        tokens = (int(usage.prompt_tokens or 0), int(usage.completion_tokens or 0)) if usage else (0, 0)
        token_logprobs = choice.logprobs and choice.logprobs.content
        logprobs = (
            tuple(max(_LEAST_LOGPROB, float(item.logprob)) for item in token_logprobs)
            if token_logprobs
            else None
        )
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        raise RequestFailed(
            "empty_reply", f"no choice in the answer: {type(error).__name__}", transient=True
        ) from error
    if finish == "content_filter":
        raise RequestFailed("content_filter", "the server's content filter withheld the reply")
    if not isinstance(text, str) or finish not in ("stop", "length"):
        raise RequestFailed(
            "empty_reply", f"no text in the answer; finish_reason is {str(finish)[:40]}", transient=True
        )
    if len(text) > _LONGEST_REPLY:
        raise RequestFailed("reply_too_long", f"{len(text)} characters; the limit is {_LONGEST_REPLY}")
    return Reply(text, finish, *tokens, logprobs)


def _retry_after(headers: Any) -> float | None:
    """Return the seconds of a Retry-After header, given as a number or a date."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return None if isnan(seconds) else min(max(seconds, 0.0), _LONGEST_WAIT_S)
