"""Engines in processes of their own: what crosses, who gets what, and what happens when one dies."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import Ask, chat, opened

from glotmill.errors import EngineError, RequestFailed, UsageError
from glotmill.generators._shared import remote_engine
from glotmill.generators._shared.replicas import open_processes
from glotmill.messages import Reply

GPUS = ({"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"})


def other(*environments: dict[str, str], **arguments: str) -> Any:
    return open_processes("other_engine:engine", "m", None, arguments, environments or ({},))


def processes(*environments: dict[str, str], **arguments: str) -> Any:
    return opened(other(*environments, **arguments))


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def wait_for(holds: Callable[[], bool]) -> None:
    """Look until something holds; pytest's limit is the only one."""
    pause = subprocess.Popen(["sleep", "60"])
    try:
        while not holds():
            try:
                pause.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail("did not happen in a minute")
    finally:
        pause.kill()
        pause.wait()


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waited for counts too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    with processes() as ask:
        yield ask


def test_an_engine_replies_as_it_would_here() -> None:
    requests = [chat(text) for text in ("Habari?", "\ud83d \0", "x" * 300_000)]
    with opened(open_processes("echo", "m", None, {"text": "{prompt}!"})) as ask:
        replies = ask(*requests)
    assert [reply.text for reply in replies] == [f"{r.messages[0].content}!" for r in requests]


def test_errors_cross_as_what_they_are(ask: Ask) -> None:
    failed, stopped, broken, ended = ask(*map(chat, ("fail", "stop", "break", "exit")))
    assert isinstance(failed, RequestFailed)
    assert (failed.reason, failed.detail, failed.transient) == ("no_idea", "it does not know", True)
    assert isinstance(stopped, EngineError)
    assert str(stopped) == "engine other: cannot go on"
    assert isinstance(broken, EngineError)
    assert "ZeroDivisionError: nothing to divide by" in str(broken)
    assert "SystemExit: 7" in str(ended)


def test_log_lines_come_out_here_and_once(caplog: pytest.LogCaptureFixture) -> None:
    with processes(*GPUS) as ask:
        assert all(isinstance(reply, Reply) for reply in ask(*[chat("warn")] * 8))
    assert caplog.record_tuples == [("glotmill", logging.WARNING, "engine other: careful")]


@pytest.mark.parametrize(
    ("opening", "kind", "message"),
    [
        ("usage", UsageError, "engine other: no such option"),
        ("break", EngineError, "ValueError: bad value"),
        ("exit", EngineError, "SystemExit: 7"),
        ("die", EngineError, "its process ended with signal 9 while it opened m"),
    ],
)
def test_an_engine_that_cannot_be_opened(
    opening: str, kind: type[Exception], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(kind, match=message), processes(*GPUS, opening=opening):
        pass
    assert not caplog.records


def test_one_that_cannot_be_opened_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with processes(*GPUS, opening="first") as ask:
        assert {reply.text for reply in ask(*[chat("a")] * 8)} == {"1"}
        wait_for(lambda: bool(caplog.records))
    (line,) = caplog.messages
    assert "process 1 is given up, the others go on: engine other: no memory on GPU 0" in line


def test_an_engine_that_nobody_has_is_named() -> None:
    message = "no engine named 'ecko'; did you mean 'echo'"
    with pytest.raises(UsageError, match=message), opened(open_processes("ecko", "m", None, {})):
        pass


def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with processes() as ask:
        (before,) = ask(chat("a"))
        lost = ask(chat(f"die {mark}"), chat("wait"))
        assert {(error.reason, error.transient) for error in lost} == {("engine_died", True)}
        assert "signal 9" in lost[0].detail
        (after,) = ask(chat(f"die {mark}"))
        assert before.detail != after.detail


def test_the_others_work_on_while_one_is_started_again(tmp_path: Path) -> None:
    with processes(*GPUS) as ask:
        wait_for(lambda: len({reply.text for reply in ask(*[chat("a")] * 8)}) == 2)
        lost, *others = ask(chat("die"), *[chat(str(number)) for number in range(20)])
        assert lost.reason == "engine_died"
        assert any(isinstance(reply, Reply) for reply in others)
        assert all(isinstance(r, Reply) or r.reason == "engine_died" for r in others)
        wait_for(lambda: len({reply.text for reply in ask(*[chat("a")] * 8)}) == 2)


def test_one_that_keeps_dying_is_given_up() -> None:
    with processes() as ask:
        for _ in range(1 + remote_engine.RESTARTS):
            assert ask(chat("die"))[0].reason == "engine_died"
        (error,) = ask(chat("a"))
        assert isinstance(error, EngineError)
        assert "died 4 times; the last time: its process ended with signal 9" in str(error)


def test_deaths_that_are_far_apart_are_forgiven() -> None:
    with processes() as ask:
        for _ in range(2 + remote_engine.RESTARTS):
            ask(*[chat("a")] * remote_engine.LONG_LIFE)
            assert ask(chat("die"))[0].reason == "engine_died"
        assert isinstance(ask(chat("a"))[0], Reply)


def test_one_that_cannot_go_on_is_given_up_if_another_can(caplog: pytest.LogCaptureFixture) -> None:
    with processes(*GPUS) as ask:
        wait_for(lambda: len({reply.text for reply in ask(*[chat("a")] * 8)}) == 2)
        replies = ask(*[chat("stop 0")] * 8)
        assert {reply.text for reply in replies} == {"1"}
        assert {reply.text for reply in ask(*[chat("a")] * 8)} == {"1"}
        assert any("given up" in message for message in caplog.messages)
        assert isinstance(ask(chat("stop"))[0], EngineError)
    with processes(*GPUS) as ask:
        wait_for(lambda: len({reply.text for reply in ask(*[chat("a")] * 8)}) == 2)
        assert isinstance(ask(chat("stop"))[0], EngineError)  # what both say is no fault of one
        assert len({reply.text for reply in ask(*[chat("a")] * 8)}) == 2


def test_a_cancelled_request_is_cancelled_there(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def cancel() -> None:
        async with other(log=str(log)) as engine:
            waiting = asyncio.ensure_future(engine(chat("wait")))
            await engine(chat("a"))
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await engine(chat("a"))
            assert "cancelled" in log.read_text()

    run(cancel())


def test_the_engine_is_closed_and_no_process_is_left(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with processes(*GPUS, log=str(log)) as ask:
        wait_for(lambda: len({reply.text for reply in ask(*[chat("a")] * 8)}) == 2)
        pids = {int(reply.detail) for reply in ask(*[chat("a")] * 8)}
    assert len(pids) == 2
    assert all(is_gone(pid) for pid in pids)
    assert log.read_text().count("closed") == 2


def test_what_an_engine_has_started_ends_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def helpers() -> list[int]:
        return [int(line.split()[0]) for line in log.read_text().splitlines() if "helps" in line]

    with processes(log=str(log), opening="helper") as ask:
        assert ask(chat("die"))[0].reason == "engine_died"
        assert isinstance(ask(chat("a"))[0], Reply)
        assert len(helpers()) == 2
        wait_for(lambda: is_gone(helpers()[0]))
    wait_for(lambda: is_gone(helpers()[1]))


PARENT = """
import asyncio, sys
from glotmill.generators._shared.replicas import open_processes
from glotmill.messages import Message, Request

async def main():
    options = {"log": sys.argv[1], "opening": sys.argv[2]}
    async with open_processes("other_engine:engine", "m", None, options) as engine:
        await engine(Request((Message("user", "hello"),), "m"))
        await engine(Request((Message("user", "wait"),), "m"))

asyncio.run(main())
"""


@pytest.mark.parametrize("opening", ["", "hang"])
def test_processes_end_when_their_parent_is_killed(tmp_path: Path, opening: str) -> None:
    log = tmp_path / "log"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(log), opening], env=environment)
    wait_for(lambda: log.exists() and ("wait" in log.read_text() or "hangs" in log.read_text()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    pid = int(log.read_text().split()[0])
    wait_for(lambda: is_gone(pid))


def test_modules_of_the_working_folder_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    with processes() as ask:
        assert isinstance(ask(chat("a"))[0], Reply)
