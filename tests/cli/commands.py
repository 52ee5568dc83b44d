"""The program as an installed one would start, for tests of a whole process."""

import os
import subprocess
import sys
from pathlib import Path

SRC = str(Path(__file__).parent.parent.parent / "src")
ECHO = ["--engine", "echo", "--model", "echo"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": SRC, "PYTHONUTF8": "1"}


def command(*arguments: object) -> list[str]:
    return [
        sys.executable,
        "-c",
        "import sys; from glotmill.cli import main; sys.exit(main())",
        *map(str, arguments),
    ]


def start(*arguments: object, cwd: Path) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command(*arguments), cwd=cwd, env=ENVIRONMENT, text=True, stdout=pipe, stderr=pipe
    )
