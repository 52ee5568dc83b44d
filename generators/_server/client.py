"""One request, from the queue to its reply: the choice of a server, retries, and what ends a run."""

import asyncio
import errno
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import random
from typing import Any, NoReturn

from glotmill.errors import EngineError, RequestFailed, one_line
from glotmill.generators._server import answers
from glotmill.generators._server.address import Address, AnswerTooLarge, choose
from glotmill.generators._server.adjustments import Adjustment, adjustment_for
from glotmill.generators._server.bodies import Call, call_for, context_call
from glotmill.generators._server.refusals import Answer, Meaning, Refusal, refusal_of, retry_after
from glotmill.generators._shared.stopping import unsent
from glotmill.io.redact import hide_secrets
from glotmill.messages import CHAT, COMPLETION, EMBED, LIKELIHOOD, NO_THINKING, Reply, Request

_logger = logging.getLogger("glotmill")

_ADJUSTMENTS = 12  # of one request
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)


class _Retry(Exception):
    """The request is sent again.

    wait_s: None leaves the pause to the client. rate_limited: whether it does not count as a try.
    """

    def __init__(
        self, problem: str, words: str = "", wait_s: float | None = None, *, rate_limited: bool = False
    ) -> None:
        self.problem, self.words, self.wait_s, self.rate_limited = problem, words, wait_s, rate_limited


@dataclass
class Client:
    """The engine: some servers that have one model."""

    addresses: Sequence[Address]
    timeout_s: float
    tries: int
    secrets: Sequence[str] = field(repr=False)  # never in a message
    stopped_because: str = ""  # why no further request can succeed
    warned: set[str] = field(default_factory=set)

    async def generate(self, request: Request) -> Reply:
        """Return the reply to a request. Raises RequestFailed, or EngineError if none can succeed."""
        problem = _Retry("")
        adjusted: list[Adjustment] = []  # for this request
        failed: set[Address] = set()  # servers that failed it since the last pause
        attempt = sent = 0
        while attempt < self.tries:
            address = choose(self.addresses, request, failed)
            with unsent():
                started = await address.limit.acquire()
            try:
                if self.stopped_because:
                    raise EngineError(self.stopped_because)
                if address.is_closed(time.monotonic()) and len(self.addresses) > len(failed) + 1:
                    failed.add(address)  # it died while this request waited
                    continue
                sent += 1
                reply = await self._ask(address, request, adjusted, started)
                return replace(reply, tries=sent) if sent > 1 else reply
            except _Retry as retry:
                problem = retry
            finally:
                address.limit.release()
            attempt += not problem.rate_limited
            failed.add(address)
            if attempt < self.tries:
                await self._pause(problem, sent, failed)
        times = f", {self.tries} times" if self.tries > 1 else ""
        words = f": {problem.words}" if problem.words else ""
        self.warn(
            f"requests are given up, the first after this: {problem.problem}{times}{words}", key="given up"
        )
        raise RequestFailed("server_unavailable", f"{problem.problem}{times}{words}", transient=True)

    async def _pause(self, problem: _Retry, sent: int, failed: set[Address]) -> None:
        """Wait before the next try, unless another server can be asked at once."""
        now = time.monotonic()
        others = any(address.is_open(now) for address in self.addresses if address not in failed)
        if others:
            return
        failed.clear()
        wait_s = min(60.0, 0.25 * 2 ** min(sent, 10)) * (0.5 + random() / 2)  # noqa: S311 no secret
        with unsent():
            await asyncio.sleep(wait_s if problem.wait_s is None else problem.wait_s + wait_s / 2)

    async def _ask(
        self, address: Address, request: Request, adjusted: list[Adjustment], started: float
    ) -> Reply:
        """Ask one server. Parameters that it refuses are left out at once."""
        call = call_for(request, address.facts)
        self._warn_of_limits(address, request)
        while True:
            answer = await self._send(address, call, adjusted, started)
            refusal = refusal_of(answer, address.facts.model)
            if refusal is None:
                break
            body = _adjusted(call.body, address, adjusted)
            meaning = refusal.meaning
            may_adjust = meaning in (Meaning.REQUEST, Meaning.CONTENT, Meaning.PLACE)
            change = adjustment_for(refusal, body, adjusted) if may_adjust else None
            if change is None or change in adjusted or len(adjusted) >= _ADJUSTMENTS:
                if meaning is Meaning.PLACE and request.task not in address.answered:
                    self._no_place(address, call, refusal)
                self._refused(address, refusal, meaning, answer, started)
            adjusted.append(change)
        try:
            reply = await self._reply(address, request, answer, started)
        except RequestFailed as error:
            raise RequestFailed(error.reason, self.hide(error.detail), transient=error.transient) from None
        if adjusted:
            address.adjustments.keep(adjusted)
        address.slowdowns = 0
        address.limit.succeeded(started, reply.completion_tokens or 1)
        return reply

    async def _send(
        self, address: Address, call: Call, adjusted: Sequence[Adjustment], started: float
    ) -> Answer:
        """Send a call, without what the server does not take. Raises _Retry where there is no answer."""
        import aiohttp

        body = _adjusted(call.body, address, adjusted)
        try:
            answer = await address.post(call.path, body, call.from_root)
        except TimeoutError:
            address.failed(for_sure=False)
            address.limit.overloaded(started)
            raise _Retry(f"{address.host}: no reply in {self.timeout_s:g} s") from None
        except AnswerTooLarge:
            raise RequestFailed("reply_too_long", f"{address.host}: the answer does not end") from None
        except aiohttp.ClientConnectorError as error:
            if getattr(error, "errno", None) in _OUT_OF_FILES:
                address.limit.overloaded(started)
                raise _Retry(f"{address.host}: too many open files here; see `ulimit -n`") from None
            address.failed(for_sure=True)
            raise _Retry(f"{address.host}: no connection", one_line(self.hide(str(error)), 200)) from None
        except (aiohttp.ClientConnectionError, ConnectionError):
            address.failed(for_sure=False)
            raise _Retry(f"{address.host}: the connection broke") from None
        except (aiohttp.ClientError, ValueError) as error:
            address.failed(for_sure=False)
            raise _Retry(f"{address.host}: the answer broke off ({type(error).__name__})") from None
        if answer.status < 500:
            address.worked()
        return answer

    async def _reply(self, address: Address, request: Request, answer: Answer, started: float) -> Reply:
        """Return the reply in an answer."""
        value, facts = answer.value, address.facts
        if answer.status >= 300 or not isinstance(value, dict):
            detail = f"{address.host}: HTTP {answer.status} and no JSON object"
            raise RequestFailed("bad_reply", detail, transient=True)
        address.answered.add(request.task)
        if request.task == CHAT:
            reply = answers.chat_reply(value, facts.family)
            if reply.reasoning and request.thinking == NO_THINKING:
                self._note_thoughts(address)
            return _without_prefill(reply, request) if not facts.is_vllm else reply
        if request.task == COMPLETION:
            return answers.completion_reply(value)
        if request.task == EMBED:
            return answers.vector_reply(value)
        if request.task != LIKELIHOOD:
            return answers.score_reply(value)
        if len(request.messages) == 1:
            return answers.echoed_reply(value)
        context = await self._send(address, context_call(request, facts), (), started)
        tokens = context.value.get("tokens") if isinstance(context.value, dict) else None
        if not isinstance(tokens, list):
            raise RequestFailed("bad_reply", f"{address.host}: /tokenize gave no tokens", transient=True)
        return answers.prompt_reply(value, tokens)

    def _refused(
        self, address: Address, refusal: Refusal, meaning: Meaning, answer: Answer, started: float
    ) -> NoReturn:
        """Raise what an error means: for this request, for now, or for the run."""
        words = one_line(self.hide(refusal.words), 400) if refusal.words else ""
        said = f": {words}" if words else ""
        host, status = address.host, refusal.status
        if meaning in (Meaning.TROUBLE, Meaning.OVERLOAD, Meaning.PLACE):
            wait_s = retry_after(answer.headers)
            rate_limited = answer.status == 429
            if meaning is Meaning.OVERLOAD:
                address.limit.overloaded(started)
                address.limit.pause(wait_s or 0.0)
            if rate_limited:
                if wait_s is None:
                    address.slow_down(started)
                self.warn(f"{host} limits the rate{said or ' (429)'}; waiting as long as it does", key=host)
            if status in (502, 503, 504, 529):
                address.failed(for_sure=False)
            raise _Retry(f"{host}: HTTP {status}", words, wait_s, rate_limited=rate_limited)
        if meaning is Meaning.CREDIT:
            self.stop(
                f"{host}: the credit is spent ({status}){said}; run the same command again after paying"
            )
        if meaning is Meaning.KEY:
            self.stop(f"{host} refuses the key ({status}): see OPENAI_API_KEY and its account{said}")
        if meaning is Meaning.MODEL:
            self.stop(
                f"{host} has no model {address.facts.model} ({status}){_listed(address.models) or said}"
            )
        if 300 <= status < 400:
            self._redirected(address, answer)
        reasons = {Meaning.TOO_LONG: "prompt_too_long", Meaning.CONTENT: "content_filter"}
        reason = reasons.get(meaning, "refused_by_server")
        self.warn(f"{host} refuses a request, the first with {reason}: HTTP {status}{said}", key=reason)
        # Only what depends on the request alone is kept: the rest may be mended on the server. So may a
        # filter that lets nothing through.
        for_good = meaning is Meaning.TOO_LONG or (meaning is Meaning.CONTENT and address.answered)
        raise RequestFailed(reason, f"{host}: HTTP {status}{said}", transient=not for_good)

    def _no_place(self, address: Address, call: Call, refusal: Refusal) -> NoReturn:
        """Stop since nothing answers to a path."""
        said = f": {one_line(self.hide(refusal.words), 400)}" if refusal.words else ""
        advice = "" if address.base.name == "v1" else "; should base_url end in /v1?"
        if address.models and address.facts.model not in address.models:
            advice = f"; it lists no model {address.facts.model}, but {', '.join(address.models[:10])}"
        path = address.url(call.path, call.from_root).path
        self.stop(f"{address.host} answers {refusal.status} to requests at {path}{said}{advice}")

    def _redirected(self, address: Address, answer: Answer) -> NoReturn:
        target = one_line(self.hide(answer.headers.get("location", "another address")), 200)
        self.stop(
            f"{address.host} redirects to {target}; give that address as base_url if it is the right one"
        )

    def hide(self, text: str) -> str:
        """Return a text without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return hide_secrets(text)

    def stop(self, reason: str) -> NoReturn:
        """End it all: no further request can succeed."""
        self.stopped_because = self.stopped_because or f"engine openai: {reason}"
        raise EngineError(self.stopped_because)

    def _note_thoughts(self, address: Address) -> None:
        """Warn of a model that thinks though it should not; tell it so, where its family is not known."""
        facts = address.facts
        if facts.family is not None and facts.family.always:
            return
        advice = "its thoughts are kept apart"
        if facts.family is None and not facts.is_openai:
            facts.thinks_unasked = True
            advice += ", and requests now say chat_template_kwargs: {enable_thinking: false}"
        self.warn(f"{facts.model} thinks though `thinking` is off: {advice}", key="thinks")

    def _warn_of_limits(self, address: Address, request: Request) -> None:
        if request.allowed_scripts:
            self.warn("a server cannot rule out the letters of other scripts; filters judge the replies")
        if request.task == COMPLETION and "max_tokens" not in request.parameters:
            self.warn("servers end a completion after 16 tokens where the step has no max_tokens")
        if request.task == CHAT and request.messages[-1].role == "assistant" and not address.facts.is_vllm:
            self.warn(f"{address.host} may begin anew instead of going on from the assistant's words")

    def warn(self, text: str, key: str = "") -> None:
        """Tell the user something, once for each key; without one, once for each text."""
        if (key or text) not in self.warned:
            self.warned.add(key or text)
            _logger.warning("engine openai: %s", text)


def _adjusted(body: dict[str, Any], address: Address, adjusted: Sequence[Adjustment]) -> dict[str, Any]:
    """Return a body as the server takes it."""
    changes = [*address.adjustments.kept, *adjusted]
    if not changes:
        return body
    body = dict(body)
    for change in changes:
        change.apply(body)
    return body


def _without_prefill(reply: Reply, request: Request) -> Reply:
    """Return a reply without the assistant's words that it was to go on from: some servers repeat them."""
    last = request.messages[-1]
    if last.role == "assistant" and last.content and reply.text.startswith(last.content):
        return replace(reply, text=reply.text[len(last.content) :])
    return reply


def _listed(models: Sequence[str]) -> str:
    return f": it has {', '.join(models[:10])}" if models else ""
