"""A run killed at random moments goes on: nothing is lost or asked twice, the dataset is the same."""

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

KILLS = 20

RECIPE = """
about: Two steps, samples, retries and refill, for killing.
languages: [eng_Latn, swh_Latn]
seeds: {draw: {word: [moon, rain, tree, road, house, sea, egg], number: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}
steps:
  - generate: question
    temperature: 0.5
    tries: 2
    expect: [{filter: at_least, of: number, value: 2}]
  - generate: answer
    n: 2
  - filter: length
    of: answer
    min_chars: 5
finish: [{filter: duplicates, of: id}]
output: {messages: {user: question, assistant: answer}, columns: [word, number]}
"""

# Notes every call as it is begun, then answers as echo does, after a delay that differs from call to call.
ENGINE = """
import os
from contextlib import asynccontextmanager
from glotmill.generators.echo import echo

@asynccontextmanager
async def engine(model, *, revision=None, log):
    async with echo(model, delay_s=0.02, jitter=1.0) as generate:
        async def noted(request):
            with open(log, "a") as file:
                file.write(f"{os.getpid()} {request.key}\\n")
            return await generate(request)
        yield noted
"""

COMMAND = """
import sys, glotmill
recipe, folder, log = sys.argv[1:]
glotmill.run(recipe, folder=folder, model="echo", engine="killed_engine:engine", engine_args={"log": log},
             per_language=600, window=8)
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    folder = tmp_path / "recipe"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "question.j2").write_text(
        "Ask about {{ word }} {{ number }} in {{ language.name }}. {{ feedback }}"
    )
    (folder / "answer.j2").write_text("Answer this: {{ question }}")
    (tmp_path / "killed_engine.py").write_text(ENGINE)
    return folder


def start(recipe: Path, folder: Path, log: Path) -> "subprocess.Popen[bytes]":
    paths = [str(recipe.parent), str(Path(__file__).parent.parent.parent / "src")]
    environment = {"PYTHONPATH": ":".join(paths), "PATH": "/usr/bin:/bin"}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(recipe), str(folder), str(log)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def journalled(folder: Path) -> Counter[str]:
    """Count the keys in all journals, but for half a line at an end."""
    keys: Counter[str] = Counter()
    for path in folder.glob("replies/*.jsonl"):
        keys.update(json.loads(line)["key"] for line in path.read_bytes().split(b"\n")[:-1])
    return keys


def asked_by(log: Path, pid: int) -> list[str]:
    pairs = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    return [pair[1] for pair in pairs if pair[0] == str(pid)]


def kill_after_first_call(process: "subprocess.Popen[bytes]", log: Path, seconds: float) -> bool:
    """Kill a process that many seconds after it began to ask; return False if it was done before."""
    while not asked_by(log, process.pid):
        try:
            process.wait(0.01)
            return False
        except subprocess.TimeoutExpired:
            continue
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def test_killed_runs_go_on_where_they_were(recipe: Path, tmp_path: Path) -> None:
    log, folder = tmp_path / "calls", tmp_path / "killed"
    chance = random.Random(20)
    kills = 0
    while True:
        before = journalled(folder)
        process = start(recipe, folder, log)
        limit = chance.uniform(0.0, 0.4) if kills < KILLS else 300.0
        killed = kill_after_first_call(process, log, limit)
        assert process.stdout is not None
        output = process.stdout.read().decode()
        process.stdout.close()
        asked = asked_by(log, process.pid)
        assert len(asked) == len(set(asked)), "one process asked the same twice"
        assert not before.keys() & set(asked), "a reply that was on the disk was asked for again"
        if not killed:
            assert process.returncode == 0, output
            break
        kills += 1
    assert kills >= KILLS, f"the run was done after {kills} kills; make it longer"
    assert max(journalled(folder).values()) == 1

    whole = tmp_path / "whole"
    process = start(recipe, whole, tmp_path / "other-calls")
    output = process.communicate(timeout=300)[0].decode()
    assert process.returncode == 0, output
    dataset = files(whole / "dataset")
    assert files(folder / "dataset") == dataset
    assert len(dataset) == 2
    shards = files(folder / "rows").keys() & files(whole / "rows").keys()
    assert {name: files(folder / "rows")[name] for name in shards} == {
        name: files(whole / "rows")[name] for name in shards
    }
