"""A headless Chromium, driven by the DevTools protocol over a pipe."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
REMEDY = (
    "no Chromium for the tests: `make .browser/installed` fetches one, or name yours in GLOTMILL_CHROMIUM"
)


def find() -> str:
    """Return the path of the browser. Fails if there is none, since skipped tests would test nothing."""
    paths = [os.environ.get("GLOTMILL_CHROMIUM"), ROOT / ".browser" / "chromium"]
    names = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome")
    programs = [str(p) for p in paths if p and Path(p).is_file()] + [n for n in map(shutil.which, names) if n]
    assert programs, REMEDY
    return programs[0]


class Page:
    """One page of a browser."""

    def __init__(self, read: Any, write: Any) -> None:
        self._read, self._write = read, write
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []  # that the browser has reported
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        self._write.flush()
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        raw = bytearray()
        while (byte := self._read.read(1)) != b"\0":
            assert byte, "the browser ended"
            raw += byte
        message: dict[str, Any] = json.loads(raw)
        return message

    def open(self, path: Path) -> None:
        """Open a file and wait until its script is done."""
        self.call("Page.navigate", url=path.resolve().as_uri())
        ready = "new Promise(done => { const look = () => document.documentElement?.dataset.ready"
        self.run(f"{ready} ? done(1) : setTimeout(look, 5); look() }})")

    def run(self, script: str) -> Any:
        """Return the value of an expression; of a promise, the value that it resolves to."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """Press a key, as a person does."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": _CODES.get(key, ord(key[0].upper()))}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Insert a text at the cursor, as an input method does."""
        self.call("Input.insertText", text=text)

    def look(self, path: Path, width: int = 1200, height: int = 900, *, dark: bool = False) -> None:
        """Take a picture of the whole page."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def events_named(self, method: str) -> list[dict[str, Any]]:
        """Return the parameters of the events of one kind so far."""
        return [event["params"] for event in self.events if event.get("method") == method]


_CODES = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39, "ArrowDown": 40, "/": 191}


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Start a browser with one page; end it afterwards."""
    program = find()
    theirs, ours = [], []
    for mine, other in ((1, 0), (0, 1)):  # the browser reads from 3 and writes to 4
        pipe = os.pipe()
        theirs.append(fcntl.fcntl(pipe[other], fcntl.F_DUPFD, 20))  # out of the way of 3 and 4
        ours.append(os.fdopen(pipe[mine], "wb" if mine else "rb"))
        os.close(pipe[other])
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars"]
    command = [program, *flags, f"--user-data-dir={profile}", "about:blank"]
    script = f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]} 2>/dev/null'
    process = subprocess.Popen(["bash", "-c", script, "bash", *command], pass_fds=theirs)
    for descriptor in theirs:
        os.close(descriptor)
    write, read = ours
    try:
        yield Page(read, write)
    finally:
        write.close()
        process.kill()
        process.wait()
        read.close()
