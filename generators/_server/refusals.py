"""What a server means by an answer that is no reply: servers word the same trouble in many ways."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from math import isnan
from typing import Any, NamedTuple, TypeAlias

_LONGEST_WAIT_S = 120.0  # even if the server asks for more
_MOST_WORDS = 2_000  # characters of a message that are looked at

_CREDIT_CODES = ("insufficient_quota", "billing_hard_limit_reached", "insufficient_balance", "arrearage")
_CREDIT = re.compile(
    r"insufficient[ _](balance|quota|credit|fund)"
    r"|(credit|balance)s? (is|are|has been) (too low|exhausted|spent)|out of credit"
    r"|no (credits?|balance) (left|remaining)|not enough (credit|balance|funds)"
    r"|exceeded your monthly|negative (credit )?balance|payment required|requires more credits"
    r"|never purchased credits|in arrears|arrearage|余额不足|欠费|额度不足",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"(api[ _-]?key|credential|access token|authoriz|authenticat)\w*.{0,40}"
    r"(not valid|invalid|incorrect|expired|missing|required|revoked|fail|wrong|disabled|not found)"
    r"|(invalid|incorrect|expired|missing|no|wrong|bad|revoked) (.{0,20}api[ _-]?)?(key|credential|authoriz)"
    r"|unauthori[sz]ed|unauthenticated|permission|not have access|access denied"
    r"|(country|region|territory).{0,40}not supported|account.{0,30}(deactivated|disabled|suspended)",
    re.IGNORECASE,
)
_CONTENT = re.compile(
    r"moderat|flagged|content[ _](management )?(policy|filter)|content_?filter|safety|responsible_?ai"
    r"|data_?inspection|inappropriate content|(usage|content|acceptable use) polic|harmful"
    r"|sensitive (content|words?)|敏感",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context[ _-]?(length|size|window|limit)|maximum context|max_model_len|too long|string_above_max_length"
    r"|(prompt|input|request|message)s? (is|are|was) too large|too many (input |prompt )?tokens"
    r"|(prompt|input|messages?)( tokens?)?( length| count)?\b.{0,40}\bexceed"
    r"|exceeds?\b.{0,60}\b(context|input|prompt)|reduce the (length|size|number) of"
    r"|max(imum|\.)? (allowed )?(prompt|input|sequence|token)",
    re.IGNORECASE,
)
_OUTPUT_TOKENS = re.compile(r"max_(completion_|output_|new_)?tokens", re.IGNORECASE)
_INPUT = re.compile(r"context|prompt|input|messages", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"model.{0,120}(not found|not exist|no such|unknown|not (be )?(available|loaded|deployed|served)|invalid)"
    r"|(no such|unknown|invalid|unsupported) model|n[o']t have .{0,20}model|model_not_found|pull the model",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"rate.?limit|too many requests|per[ -](minute|second|day)|quota|throttl|slow down", re.IGNORECASE
)
_BUSY = re.compile(r"overload|capacity|busy|unavailable|try again", re.IGNORECASE)


class Meaning(Enum):
    """What a refusal is about, and so what can be done."""

    TROUBLE = auto()  # may pass: the request is sent again
    OVERLOAD = auto()  # as well, more slowly
    CREDIT = auto()  # the account is empty
    KEY = auto()  # the key is not accepted
    MODEL = auto()  # the server does not have the model
    PLACE = auto()  # nothing answers to this path
    TOO_LONG = auto()  # the prompt has too many tokens
    CONTENT = auto()  # the prompt was flagged
    FORBIDDEN = auto()  # for a reason that is not known
    REQUEST = auto()  # something in this request


class Answer(NamedTuple):
    """What came back over HTTP. value: the JSON, or the text where it is none."""

    status: int
    headers: Mapping[str, str]
    value: Any


@dataclass(frozen=True)
class Refusal:
    """An error of a server in its own words."""

    status: int
    code: str
    words: str
    names: tuple[str, ...]  # of parameters, as the server's fields name them
    about_model: bool = False  # the words hold the model's name

    @property
    def text(self) -> str:
        """Return the code and the words."""
        return f"{self.code} {self.words}"

    @property
    def meaning(self) -> Meaning:
        """Return what it is about."""
        return next((meaning for meaning, fits in _MEANINGS if fits(self)), Meaning.REQUEST)


def _is_too_long(refusal: Refusal) -> bool:
    text = refusal.text
    if refusal.status == 413:
        return not _RATE.search(text)
    about_output = _OUTPUT_TOKENS.search(text) and not _INPUT.search(text)
    return refusal.status in (400, 422, 500) and bool(_TOO_LONG.search(text)) and not about_output


def _is_no_model(refusal: Refusal) -> bool:
    if refusal.code == "model_not_found":
        return True
    if refusal.status in (404, 405, 410):
        return refusal.about_model or bool(_NO_MODEL.search(refusal.text))
    return refusal.status in (400, 422) and refusal.about_model and bool(_NO_MODEL.search(refusal.text))


_Test: TypeAlias = Callable[[Refusal], Any]

# The first that fits counts.
_MEANINGS: tuple[tuple[Meaning, _Test], ...] = (
    (Meaning.CREDIT, lambda r: r.status == 402 or r.code.lower() in _CREDIT_CODES),
    (Meaning.CREDIT, lambda r: r.status < 500 and _CREDIT.search(r.text)),
    (Meaning.KEY, lambda r: r.status == 401),
    (Meaning.TOO_LONG, _is_too_long),
    (Meaning.CONTENT, lambda r: r.status == 403 and _CONTENT.search(r.text)),
    (Meaning.KEY, lambda r: r.status == 403 and _KEY.search(r.text)),
    (Meaning.FORBIDDEN, lambda r: r.status == 403),
    (Meaning.MODEL, _is_no_model),
    (Meaning.PLACE, lambda r: r.status in (404, 405, 410)),
    (Meaning.OVERLOAD, lambda r: r.status in (413, 429, 503, 529)),
    (Meaning.TROUBLE, lambda r: r.status in (408, 409, 425) or r.status >= 500),
    (Meaning.KEY, lambda r: _KEY.search(r.text)),
    (Meaning.CONTENT, lambda r: _CONTENT.search(r.text)),
)


def refusal_of(answer: Answer, model: str) -> Refusal | None:
    """Return the error that an answer is, also one inside of status 200; None if it is none."""
    status, value = answer.status, answer.value
    error = value.get("error") if isinstance(value, dict) else None
    if 200 <= status < 300:
        if not error or (isinstance(value, dict) and value.get("choices")):
            return None
        status = 0
    found = error if isinstance(error, dict) else value if isinstance(value, dict) else {}
    code = next(
        (str(c) for name in ("code", "type", "status") if (c := found.get(name)) not in (None, "")), ""
    )
    words = _words(error if error else value)
    if not status:
        status = _status(found.get("code"), f"{code} {words}")
    return Refusal(status, code[:100], words, tuple(_names(value, found)), _holds(words, model))


def _holds(words: str, model: str) -> bool:
    return bool(model and re.search(rf"(?<!\w){re.escape(model)}(?!\w)", words))


def _status(code: Any, text: str) -> int:
    """Return the status that an error inside of status 200 stands for."""
    if str(code).isdecimal() and 400 <= int(str(code)[:9]) < 600:
        return int(code)
    if _RATE.search(text):
        return 429
    return 503 if _BUSY.search(text) else 500


def _words(value: Any) -> str:
    """Return the message of an error, on one line."""
    for _ in range(4):
        if isinstance(value, dict):
            named = [value[n] for n in ("message", "error", "detail", "msg", "errors") if value.get(n)]
            value = named[0] if named else ""
        elif isinstance(value, list):
            value = value[0] if value else ""
    text = value if isinstance(value, str) else ""
    if text.lstrip()[:1] == "<":  # a page for people
        title = re.search(r"<title>([^<]{0,200})", text[:_MOST_WORDS], re.IGNORECASE)
        text = title[1] if title else ""
    return " ".join(text[:_MOST_WORDS].split())


def _names(value: Any, error: Mapping[str, Any]) -> Iterator[str]:
    """Yield the parameters that an error names in fields of its own."""
    for name in ("param", "parameter"):
        if isinstance(error.get(name), str):
            yield from re.split(r"[.\[\]]+", error[name][:200])
    details = value.get("detail") if isinstance(value, dict) else None
    for item in details[:20] if isinstance(details, list) else []:
        if isinstance(item, dict) and isinstance(item.get("loc"), list):
            yield from (part for part in item["loc"][:10] if isinstance(part, str) and part != "body")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header, given as a number or a date, at most two minutes."""
    value = headers.get("retry-after", "")
    try:
        milliseconds = headers.get("retry-after-ms")
        seconds = float(milliseconds) / 1000 if milliseconds else float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return None if isnan(seconds) else min(max(seconds, 0.0), _LONGEST_WAIT_S)
