"""The first Ctrl-C or SIGTERM stops the work, the second one ends the process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

WORK = """
import asyncio
from glotmill.io.interrupt import run_stoppable

async def work():
    print("working", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        print("ending", flush=True)
        await asyncio.sleep(SECONDS)

try:
    run_stoppable(work(), "a moment")
except asyncio.CancelledError:
    print("cancelled")
"""


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    script = WORK.replace("SECONDS", str(request.param))
    # vLLM preloads its libraries by a list that breaks at a space: the linker would complain here.
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LD_PRELOAD": ""},
    ) as process:
        yield process
        process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("process", [0], indirect=True)
def test_the_first_signal_cancels_the_work(process: subprocess.Popen[str], number: int) -> None:
    assert line(process) == "working"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "ending\ncancelled\n")
    assert err == "glotmill: stopping; a moment. Ctrl-C again quits at once\n"


@pytest.mark.parametrize("process", [60], indirect=True)
def test_the_second_signal_ends_the_process(process: subprocess.Popen[str]) -> None:
    assert line(process) == "working"
    process.send_signal(signal.SIGINT)
    assert line(process) == "ending"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 130
