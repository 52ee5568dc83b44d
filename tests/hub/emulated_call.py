"""One request to the emulated Hub, and its answer."""

import contextlib
import json
import re
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, cast
from urllib.parse import parse_qs

from hub.emulated_store import Fault, Refused, Store, User


class Call(BaseHTTPRequestHandler):
    """A request. `route`, `store` and `base` are set by the emulator."""

    protocol_version = "HTTP/1.1"
    store: Store
    base: str  # the address of the Hub
    route: Callable[[], None]  # carries out the request

    def log_message(self, *about: Any) -> None:
        """Say nothing: all requests are kept in the store."""

    def plain(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    def user(self) -> User | None:
        """Who asks."""
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            return None
        if token not in self.store.tokens:
            raise Refused(401, "Invalid credentials in Authorization header")
        return self.store.tokens[token]

    def send(
        self, status: int, content: bytes, headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        """Answer; or not, where a fault says that the answer is lost."""
        about = {"method": self.command, "path": self.place, "bytes": len(self.body), "status": status}
        with self.store.lock:  # before the answer: who got it may look
            self.store.requests.append({**about, "range": cast("Any", self.headers).get("Range")})
        if self.lost:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def answer(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer with JSON."""
        content = json.dumps(value).encode()
        self.send(status, content, {"Content-Type": "application/json", **(headers or {})})

    def handle_any(self) -> None:
        """Take a request of any method."""
        self.place, _, query = self.path.partition("?")
        self.query = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
        self.lost, self.body = False, self._read()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client is gone
            self._carry_out()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

    def _carry_out(self) -> None:
        fault = self._fault()
        if fault:
            fault.hit.set()
            if fault.hold:
                fault.hold.wait(60)
            self.lost = fault.drop
            if not fault.after:
                self.answer({"error": "a fault"}, fault.status, fault.headers)
                return
        try:
            with self.store.lock:
                self.route()
        except Refused as refused:
            told = {"X-Error-Message": refused.message}
            told |= {"X-Error-Code": refused.code} if refused.code else {}
            self.answer({"error": refused.message, **refused.further}, refused.status, told)
        except Exception:  # noqa: BLE001 what is wrong here must not look as if the Hub were slow
            traceback.print_exc()
            self.answer({"error": "the emulator failed"}, 418)

    def _fault(self) -> Fault | None:
        with self.store.lock:
            for fault in self.store.faults:
                if fault.times > 0 and re.search(fault.pattern, f"{self.command} {self.place}"):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def _read(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(whole)
