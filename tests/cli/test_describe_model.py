"""`glotmill doctor --model`: what is known of a model, here or on a server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from glotmill.cli import main

SERVED = {"data": [{"id": "Qwen/Qwen3-8B", "max_model_len": 4096}, {"id": "other"}]}


@pytest.fixture
def server() -> Iterator[tuple[str, list[str | None]]]:
    """A server with two models, and the keys it was shown."""
    keys: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.append(self.headers["Authorization"])
            body = json.dumps(SERVED).encode() if self.path == "/v1/models" else b"[["
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}", keys
    http.shutdown()
    thread.join()
    http.server_close()


def test_a_model_of_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--model", "glotmill-nano"]) == 0
    text = capsys.readouterr().out
    assert "bfloat16" in text
    assert "chat template" in text
    assert main(["doctor", "--model", "Qwen/QwQ-32B", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["found"], facts["thinking"]) == (False, "always")


def test_a_model_of_a_server(
    server: tuple[str, list[str | None]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, keys = server
    monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecret")
    base = ["doctor", "--engine-arg", f"base_url={url}/v1"]
    assert main([*base, "--model", "Qwen/Qwen3-8B", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["found"], facts["context"], facts["family"]) == (True, 4096, "qwen3")
    assert facts["models"] == ["Qwen/Qwen3-8B", "other"]
    assert keys == ["Bearer sk-verysecret"]
    assert main([*base, "--model", "absent"]) == 0
    out = capsys.readouterr()
    assert "verysecret" not in out.out + out.err
    assert "other" in out.out


def test_what_is_no_server_is_said(
    server: tuple[str, list[str | None]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["doctor", "--engine-arg", f"base_url={server[0]}"]) == 4
    assert "no list of models" in capsys.readouterr().err
    assert main(["doctor", "--engine-arg", f"base_url=file://{tmp_path}"]) == 2
    assert main(["doctor", "--engine-arg", "base_url=http://127.0.0.1:9/v1"]) == 4
    assert main(["doctor", "--model", "x", "--engine-arg", "dtype=float16"]) == 2
    assert "Traceback" not in capsys.readouterr().err
