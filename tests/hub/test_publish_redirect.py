"""A server that sends a client elsewhere: the token does not go along."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import cast

import pytest
from hub.client import Client
from hub.emulator import Emulator

from glotmill.runner.run_folder import Run

Make = Callable[..., Run]


@pytest.mark.parametrize("place", ["GET .*/manifest.json", "GET .*/tree/", "POST .*/preupload/"])
def test_elsewhere(hub: Emulator, glotmill: Client, make: Make, name: str, place: str) -> None:
    glotmill("publish", make().folder, "--repo", name)
    asked: list[str] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(str(self.headers))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT = do_GET

        def log_message(self, *about: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        thread = Thread(target=other.serve_forever, args=(0.01,))
        thread.start()
        port = cast("tuple[str, int]", other.server_address)[1]
        hub.fail(place, status=307, headers={"Location": f"http://localhost:{port}/there"})
        done = glotmill("publish", make("second", begin=10).folder, "--repo", name)
        other.shutdown()
        thread.join()
    assert done.code == 1, done.err
    assert "Traceback" not in done.err
    assert asked
    assert "hf_write" not in "".join(asked)
    assert len(hub.titles(name)) == 2
