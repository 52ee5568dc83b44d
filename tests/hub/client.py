"""A user's process: it carries out one command of glotmill after the other, with the Hub's real clients.

What the clients know of the Hub they read when they are imported, so each emulator needs a process; that one
process is for many tests keeps them fast. It never waits: what it would have slept is told instead.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
# what run.json says of a run that was made without a model
RECIPE = {"name": "qa", "about": "Questions.", "seeds": "seeds.jsonl", "steps": [{"generate": "answer"}]}
ABOUT = {
    **{"seeds": "seeds.jsonl", "model": "Qwen/Qwen3-8B", "revision": None, "engine": "vllm"},
    **{"engine_args": {}, "shard_size": 8, "templates": {}, "versions": {"glotmill": "0.1.0"}},
}


@dataclass
class Done:
    """What a command did."""

    code: int
    out: str
    err: str
    waits: list[float]  # seconds that it would have slept

    @property
    def plain(self) -> Any:
        """What it printed, which is JSON."""
        assert self.code == 0, self.err
        return json.loads(self.out)


def environment(endpoint: str, home: Path, *, xet: bool) -> dict[str, str]:
    """The environment in which the clients know only the emulator."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    quiet = ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_UPDATE_CHECK")
    return {
        **kept,
        **dict.fromkeys(quiet, "1"),
        **({} if xet else {"HF_HUB_DISABLE_XET": "1"}),
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "PYTHONPATH": f"{TESTS.parent / 'src'}{os.pathsep}{TESTS}",
        "PYTHONUTF8": "1",
    }


class Client:
    """The process, from the outside."""

    def __init__(self, endpoint: str, home: Path, *, xet: bool = False) -> None:
        self.endpoint, self.home, self.xet = endpoint, home, xet
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from hub.client import serve; serve()"],
            env=environment(endpoint, home, xet=xet),
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __call__(
        self, *arguments: object, token: str | None = "hf_write", look: bool = False, **card: Any
    ) -> Done:
        """Carry out a command.

        look: whether what was published is loaded. bad_card: a text instead of the card; checked: whether
        it is looked at before it is sent.
        """
        asked = {"arguments": list(map(str, arguments)), "token": token, "look": look, **card}
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return Done(**json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def start(self, *arguments: object, token: str = "hf_write") -> "subprocess.Popen[str]":
        """Start a command in a process of its own, which may be killed."""
        return subprocess.Popen(
            [
                *(sys.executable, "-c", "import sys; from glotmill.cli import main; sys.exit(main())"),
                *map(str, arguments),
            ],
            env={**environment(self.endpoint, self.home, xet=self.xet), "HF_TOKEN": token},
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )


def serve() -> None:
    """Carry out what comes by standard input, a line a command."""
    import time

    from glotmill.hub import publish_plan, verify

    waits: list[float] = []
    time.sleep = waits.append  # type: ignore[assignment]
    real_look, real_card, real_check = verify.verify, publish_plan.card, publish_plan.validate
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in sys.stdin:
        asked = json.loads(line)
        waits.clear()
        os.environ.pop("HF_TOKEN", None)
        os.environ["MY_GATEWAY_KEY"] = "correct horse battery"
        if asked["token"]:
            os.environ["HF_TOKEN"] = asked["token"]
        verify.verify = real_look if asked["look"] else lambda *about: ""
        bad = asked.get("bad_card")
        publish_plan.card = (lambda *about, text=bad, **more: text) if bad else real_card
        publish_plan.validate = real_check if asked.get("checked", True) else lambda text: []
        answers.write(json.dumps({**_carry_out(asked["arguments"]), "waits": waits}) + "\n")
        answers.flush()


def _carry_out(arguments: list[str]) -> dict[str, Any]:
    from glotmill.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except BaseException:  # noqa: BLE001 the test tells of it
            traceback.print_exc()
            code = -1
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}
