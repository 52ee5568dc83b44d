"""What goes wrong on the way to the Hub, in whatever version the client speaks through, and what may pass."""

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

LOST_RACE = 412  # somebody else committed
PATIENCE = 900.0  # seconds that all waits for one call may take; the Hub counts requests by 5 minutes
SILENCE = 300.0  # seconds without a byte, after which a connection is lost

_AGAIN = (408, 429, 500, 502, 503, 504)
_LIMITS = ("connect", "read", "write", "pool")  # of a request, as the client names them
_CLIENTS = ("httpx2", "httpx", "requests")  # what versions of huggingface_hub speak through
_ODD = (LookupError, TypeError, AttributeError)  # from an answer that has not the form of the Hub's


class LongWait(OSError):
    """The Hub asks to wait for longer than anybody would."""

    def __init__(self, response: Any) -> None:
        super().__init__("busy for long")
        self.response = response


def kinds() -> tuple[type[BaseException], ...]:
    """Return what the client raises."""
    return (OSError, ValueError, RuntimeError, *_ODD, *_named("HTTPError", "RequestException"))


def passing(error: BaseException) -> bool:
    """Whether the Hub is busy or out of reach, so that the same call may do later."""
    code = status(error)
    return code in _AGAIN or (code is None and _of_network(error))


def status(error: BaseException) -> int | None:
    """Return what the Hub answered; None if it did not."""
    for each in _chain(error):
        response = getattr(each, "response", None)
        if response is not None:
            return int(response.status_code)
    return None


def said(error: BaseException, token: str | None) -> str:
    """Return what an error says, in a line, without the token."""
    chain = list(_chain(error))
    text = next((m for e in chain if (m := getattr(e, "server_message", None))), None) or str(chain[-1])
    line = one_line(text or type(chain[-1]).__name__)
    if isinstance(error, _ODD):
        line = f"the answer is not the Hub's ({type(error).__name__}: {line})"
    code = status(error)
    return hide_secrets(f"{code} {line}" if code else line, token)


def full(error: BaseException) -> bool:
    """Whether the disk is full; `datasets` says so in words."""
    chain = list(_chain(error))
    return any(getattr(e, "errno", None) == errno.ENOSPC or "enough disk space" in str(e) for e in chain)


def wait(error: BaseException, number: int) -> float:
    """Return the seconds until the next try: what the Hub says, else 1, 2, 4 ... 60."""
    for each in _chain(error):
        if (asked := _asked(getattr(getattr(each, "response", None), "headers", None) or {})) is not None:
            return asked
    return float(min(60, 2 ** (number - 1)))


def bound() -> None:
    """Let the client wait no longer than PATIENCE and SILENCE say.

    By itself it sleeps for as long as any server tells it to, and waits for ever for some answers: to a
    commit, for a list of files. It may make its session anew at any time, so this is called before each call.
    """
    utils: Any = import_module("huggingface_hub.utils")  # it does not say what it exports
    session = utils.get_session()
    hooks = getattr(session, "event_hooks", None)
    if isinstance(hooks, dict) and _refuse_long_wait not in hooks["response"]:  # older ones never wait so
        hooks["request"].append(_limit_silence)
        hooks["response"].append(_refuse_long_wait)


def _limit_silence(request: Any) -> None:
    limits = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {name: limits.get(name) or SILENCE for name in _LIMITS}


def _refuse_long_wait(response: Any) -> None:
    if response.status_code in _AGAIN and (_asked(response.headers) or 0) > PATIENCE:
        raise LongWait(response)


def _asked(headers: Mapping[str, str]) -> float | None:
    """How many seconds an answer asks to wait."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    with contextlib.suppress(ValueError, OverflowError):
        if text and (date := email.utils.parsedate_tz(text)):
            return max(0.0, email.utils.mktime_tz(date) - time.time())
    left = re.search(r"\bt=(\d+)", headers.get("RateLimit", ""), re.ASCII)
    return float(left[1]) if left else None


def _of_network(error: BaseException) -> bool:
    """Whether the connection failed, not the request; of that Xet's client says RuntimeError."""
    lost: tuple[type[BaseException], ...] = (
        ConnectionError,
        TimeoutError,
        *_named("TransportError", "RequestException"),
    )
    return any(isinstance(each, lost) or type(each) is RuntimeError for each in _chain(error))


def _named(*names: str) -> list[type[BaseException]]:
    loaded = [module for name in _CLIENTS if (module := sys.modules.get(name))]
    return [kind for module in loaded for name in names if (kind := getattr(module, name, None))]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it came from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__
