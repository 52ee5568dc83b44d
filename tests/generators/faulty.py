"""A small server that answers what a test wants."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, TypeAlias

KEY = "sk-marker-4711"

Answer: TypeAlias = tuple[int, Any] | tuple[int, Any, dict[str, str]]
"""Status, body, headers."""


def said(text: Any = "ndiyo", message: dict[str, Any] | None = None, **choice: Any) -> Answer:
    """A reply. message: further fields of the message; choice: of the choice."""
    said = {"role": "assistant", "content": text, **(message or {})}
    choices = [{"index": 0, "message": said, "finish_reason": "stop", **choice}]
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return 200, {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": choices,
        "usage": usage,
    }


def wrong(status: int, message: str = "no", code: str = "", **headers: str) -> Answer:
    return status, {"error": {"message": message, "code": code}}, headers


class Server:
    """Gives the answers one by one, the last again and again; keeps what it was asked."""

    def __init__(self, *answers: Answer, models: Answer = (404, {})) -> None:
        self.answers, self.models = list(answers), models
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.judge: Callable[[dict[str, Any]], Answer | None] = lambda body: None  # comes before the answers
        self.keys: list[str | None] = []
        self.out = self.most = 0
        self.root = "/"  # nothing is found outside of it
        self.lock = Lock()
        self.work: Callable[[], None] = lambda: None

    def next(self, body: dict[str, Any], key: str | None) -> Answer:
        with self.lock:
            self.asked.append(body)
            self.keys.append(key)
            if judged := self.judge(body):
                return judged
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            with server.lock:
                server.out += 1
                server.most = max(server.most, server.out)
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.paths.append(self.path)
            answer = server.next(body, self.headers["authorization"])
            if not self.path.startswith(server.root):
                answer = wrong(404, "Not Found")
            server.work()
            with server.lock:
                server.out -= 1
            self.reply(*answer)

        def do_GET(self) -> None:
            found = self.path.startswith(server.root)
            self.reply(*(server.models if found else wrong(404, "Not Found")))

        def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            if status == 0:  # the connection breaks
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-type", "application/json")
            for name, value in (headers or {}).items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


@contextmanager
def served(server: Server) -> Iterator[str]:
    """The address of a server, without a path, while the block runs."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(server))
    http.daemon_threads = True
    Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        http.server_close()


def listed(*models: str, owner: str = "us") -> Answer:
    """The answer to the question which models there are."""
    return 200, {
        "object": "list",
        "data": [{"id": name, "object": "model", "owned_by": owner} for name in models],
    }
