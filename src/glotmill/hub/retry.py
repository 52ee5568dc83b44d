"""Errors on the way to the Hub: which are temporary, what they say, and how long to wait.

It works with every HTTP library that versions of huggingface_hub use.
"""

import contextlib
import email.utils
import errno
import re
import sys
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from glotmill.errors import one_line
from glotmill.io.redact import hide_secrets

LOST_RACE = 412  # HTTP status: someone else committed first
MAX_TOTAL_WAIT_S = 900.0  # for all waits of one call; rate limits of the Hub cover 5 minutes
MAX_SILENCE_S = 300.0  # without a byte, after which a connection counts as lost

_TEMPORARY = (408, 429, 500, 502, 503, 504)
_LIMITS = ("connect", "read", "write", "pool")  # timeouts of a request, as httpx names them
_CLIENTS = ("httpx2", "httpx", "requests")  # HTTP libraries of huggingface_hub
_MALFORMED = (LookupError, TypeError, AttributeError)  # raised by an answer that is not in the Hub's format


class LongWait(OSError):
    """The Hub asks to wait longer than MAX_TOTAL_WAIT_S."""

    def __init__(self, response: Any) -> None:
        super().__init__("busy for long")
        self.response = response


def client_errors() -> tuple[type[BaseException], ...]:
    """Return the exception types that the client may raise."""
    return (OSError, ValueError, RuntimeError, *_MALFORMED, *_loaded_types("HTTPError", "RequestException"))


def is_temporary(error: BaseException) -> bool:
    """Return whether the Hub is busy or out of reach, so that the same call may succeed later."""
    code = status_code(error)
    return code in _TEMPORARY or (code is None and _is_network_error(error))


def status_code(error: BaseException) -> int | None:
    """Return the HTTP status of the answer, or None if there was no answer."""
    for cause in _chain(error):
        response = getattr(cause, "response", None)
        if response is not None:
            return int(response.status_code)
    return None


def describe(error: BaseException, token: str | None) -> str:
    """Return the message of an error in one line, without the token."""
    chain = list(_chain(error))
    text = next((m for e in chain if (m := getattr(e, "server_message", None))), None) or str(chain[-1])
    line = one_line(text or type(chain[-1]).__name__)
    if isinstance(error, _MALFORMED):
        line = f"unexpected answer from the Hub ({type(error).__name__}: {line})"
    code = status_code(error)
    return hide_secrets(f"{code} {line}" if code else line, token)


def is_disk_full(error: BaseException) -> bool:
    """Return whether the disk is full; `datasets` raises its own error for it."""
    chain = list(_chain(error))
    return any(getattr(e, "errno", None) == errno.ENOSPC or "enough disk space" in str(e) for e in chain)


def seconds_to_wait(error: BaseException, number: int) -> float:
    """Return the seconds until the next try: as the Hub asks, else 1, 2, 4 ... 60."""
    for cause in _chain(error):
        if (
            seconds := _retry_after(getattr(getattr(cause, "response", None), "headers", None) or {})
        ) is not None:
            return seconds
    return float(min(60, 2 ** (number - 1)))


def limit_waits() -> None:
    """Limit the waits of the client to MAX_TOTAL_WAIT_S and MAX_SILENCE_S.

    By default it sleeps for as long as a server asks, and has no timeout for some answers, such as those to a
    commit. Called before each call, since the client may replace its session at any time.
    """
    utils: Any = import_module("huggingface_hub.utils")  # not typed
    session = utils.get_session()
    hooks = getattr(session, "event_hooks", None)
    if (
        isinstance(hooks, dict) and _refuse_long_wait not in hooks["response"]
    ):  # older clients do not wait on their own
        hooks["request"].append(_limit_silence)
        hooks["response"].append(_refuse_long_wait)


def _limit_silence(request: Any) -> None:
    limits = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {name: limits.get(name) or MAX_SILENCE_S for name in _LIMITS}


def _refuse_long_wait(response: Any) -> None:
    if response.status_code in _TEMPORARY and (_retry_after(response.headers) or 0) > MAX_TOTAL_WAIT_S:
        raise LongWait(response)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    with contextlib.suppress(ValueError, OverflowError):
        if text and (date := email.utils.parsedate_tz(text)):
            return max(0.0, email.utils.mktime_tz(date) - time.time())
    seconds_left = re.search(r"\bt=(\d+)", headers.get("RateLimit", ""), re.ASCII)
    return float(seconds_left[1]) if seconds_left else None


def _is_network_error(error: BaseException) -> bool:
    """Return whether the connection failed; the Xet client raises RuntimeError for that."""
    lost: tuple[type[BaseException], ...] = (
        ConnectionError,
        TimeoutError,
        *_loaded_types("TransportError", "RequestException"),
    )
    return any(isinstance(cause, lost) or type(cause) is RuntimeError for cause in _chain(error))


def _loaded_types(*names: str) -> list[type[BaseException]]:
    loaded = [module for name in _CLIENTS if (module := sys.modules.get(name))]
    return [kind for module in loaded for name in names if (kind := getattr(module, name, None))]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
