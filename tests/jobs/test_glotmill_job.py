"""The script for rented machines: killed, resumed from its store, published to an emulated Hub."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from hub.client import environment
from hub.emulator import Emulator

SCRIPT = Path(__file__).parent.parent.parent / "jobs" / "glotmill_job.py"

RECIPE = """
about: Sayings.
languages: [eng_Latn]
seeds: seeds.jsonl
steps: [{generate: saying}]
output: {messages: {user: word, assistant: saying}}
"""

# Notes what it is asked, and takes a moment.
ENGINE = """
import os
from contextlib import asynccontextmanager
from glotmill.generators.echo import echo

@asynccontextmanager
async def engine(model, *, revision=None, log, delay_s):
    async with echo(model, delay_s=delay_s) as generate:
        async def noted(request):
            with open(log, "a") as file:
                file.write(request.key + "\\n")
            return await generate(request)
        yield noted
"""


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("glotmill_job", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def journalled(folder: Path) -> Counter[str]:
    lines = [line for path in folder.glob("replies/*.jsonl") for line in path.read_bytes().split(b"\n")[:-1]]
    return Counter(json.loads(line)["key"] for line in lines)


def test_a_job_that_is_killed_resumes_from_its_store_and_publishes(tmp_path: Path) -> None:
    recipe, log, store = tmp_path / "sayings", tmp_path / "log", tmp_path / "store"
    recipe.mkdir()
    (recipe / "recipe.yaml").write_text(RECIPE)
    (recipe / "saying.j2").write_text("Say {{ word }}.")
    (recipe / "seeds.jsonl").write_text("".join(f'{{"word": "word {n}"}}\n' for n in range(200)))
    (tmp_path / "slow_engine.py").write_text(ENGINE)

    def start(delay_s: float, *more: str) -> "subprocess.Popen[bytes]":
        run = [str(recipe), "-n", "200", "--window", "8", "--engine", "slow_engine:engine", "--model", "m"]
        options = ["--engine-arg", f"log={log}", "--engine-arg", f"delay_s={delay_s}"]
        command = [sys.executable, str(SCRIPT), "--store", str(store), "--every", "0.1", *more]
        variables = environment(hub.endpoint, tmp_path, xet=False)
        variables |= {"HF_TOKEN": "hf_write", "TMPDIR": str(tmp_path)}
        variables["PYTHONPATH"] += os.pathsep + str(tmp_path)
        return subprocess.Popen([*command, *run, *options], env=variables, start_new_session=True)

    with Emulator() as hub:
        process = start(0.2)
        while not journalled(store):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kept = journalled(store)
        log.unlink()
        process = start(0.0, "--publish", "acme/sayings")
        assert process.wait(120) == 0
        asked = log.read_text().split()
        assert not kept.keys() & set(asked), "a reply that was in the store was asked for again"
        assert len(asked) == len(set(asked))
        assert journalled(store) == kept + Counter(asked)
        assert {path.name for path in store.iterdir()} >= {"run.json", "dataset", "rows", "report.html"}
        assert not (store / "lock").exists()
        assert hub.titles("acme/sayings")


def test_the_store_follows_the_run(script: ModuleType, tmp_path: Path) -> None:
    run, target = tmp_path / "run", tmp_path / "store"
    for name in ("lock", "replies/a.jsonl", "rows/a.parquet", "rows/.b.parquet.tmp", ".dataset.tmp/c"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text(name)
    store = script.Store(run, target)
    store.restore()
    store.copied.clear()
    store.save()
    assert sorted(script.files(target)) == ["replies/a.jsonl", "rows/a.parquet"]
    (run / "replies/a.jsonl").write_text("longer than before")
    (run / "rows/a.parquet").unlink()
    store.save()
    assert sorted(script.files(target)) == ["replies/a.jsonl"]
    assert (target / "replies/a.jsonl").read_text() == "longer than before"
    other = script.Store(tmp_path / "another machine", target)
    other.restore()
    assert (tmp_path / "another machine/replies/a.jsonl").read_text() == "longer than before"


def test_the_recipe_must_be_named(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script.arguments(["--store", "x"])
    assert "name a recipe" in capsys.readouterr().err


def test_what_is_no_option_of_the_script_goes_to_the_run(script: ModuleType) -> None:
    run = ["instruction", "-l", "fra,swh", "-n", "10", "--engine-arg", "text=a b", "--set", "x=1"]
    options, rest = script.arguments([run[0], "--store", "/runs/a", *run[1:], "--publish", "me/data"])
    assert rest == run
    assert (str(options.store), options.publish, options.private) == ("/runs/a", "me/data", False)


def test_the_header_is_what_hf_jobs_reads() -> None:
    lines = SCRIPT.read_text().split("# /// script\n")[1].split("# ///\n")[0].splitlines()
    header = tomllib.loads("\n".join(line.removeprefix("#").removeprefix(" ") for line in lines))
    assert header["dependencies"] == ["glotmill[vllm]"]
    assert header["tool"]["hf-jobs"].keys() == {"flavor", "timeout", "secrets"}
