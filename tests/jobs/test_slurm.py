"""The script for Slurm, on a cluster of two names for this machine: what it starts and passes on."""

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "jobs" / "slurm.sh"

SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""

SCONTROL = """#!/bin/bash
[[ $* == "show hostnames node[1-2]" ]] && printf '%s\\n' 127.0.0.1 localhost
"""

# Answers /v1/models to who has the key; notes its arguments.
VLLM = """#!/usr/bin/env python3
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.headers["Authorization"] == "Bearer " + os.environ["VLLM_API_KEY"]
        self.send_response(200 if allowed and self.path == "/v1/models" else 401)
        self.end_headers()
    def log_message(self, *about):
        pass

with open(os.environ["NOTES"] + "/vllm", "w") as file:
    json.dump({"arguments": sys.argv[1:], "pid": os.getpid()}, file)
if os.environ.get("BROKEN"):
    sys.exit(1)
HTTPServer(("0.0.0.0", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""

# Notes its arguments; ends with the code that it is told, or when it is stopped.
GLOTMILL = """#!/usr/bin/env python3
import json, os, signal, sys
stopped = lambda *_: sys.exit(130)
signal.signal(signal.SIGTERM, stopped)
with open(os.environ["NOTES"] + "/draft", "w") as file:
    json.dump({"arguments": sys.argv[1:], "key": os.environ["OPENAI_API_KEY"]}, file)
os.rename(os.environ["NOTES"] + "/draft", os.environ["NOTES"] + "/glotmill")
if "CODE" in os.environ:
    sys.exit(int(os.environ["CODE"]))
signal.pause()
"""


@pytest.fixture
def cluster(tmp_path: Path) -> dict[str, str]:
    """The environment of a job on two nodes."""
    commands = {"srun": SRUN, "scontrol": SCONTROL, "vllm": VLLM, "glotmill": GLOTMILL}
    (tmp_path / "notes").mkdir()
    for name, text in commands.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    job = {"SLURM_JOB_NODELIST": "node[1-2]", "SLURM_GPUS_ON_NODE": "4"}
    paths = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    # Without what vLLM preloads: a path with a space in it makes every child complain.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    return {
        **environment,
        **job,
        "PATH": paths,
        "PORT": str(port),
        "POLL_S": "0.1",
        "NOTES": str(tmp_path / "notes"),
    }


def submit(cluster: dict[str, str], **more: str) -> "subprocess.Popen[str]":
    bash = shutil.which("bash")
    assert bash is not None
    command = [bash, str(SCRIPT), "some/model", "instruction", "-l", "fra,swh", "-o", "runs/a run"]
    return subprocess.Popen(command, env={**cluster, **more}, stderr=subprocess.PIPE, text=True)


def noted(cluster: dict[str, str], command: str) -> Any:
    return json.loads((Path(cluster["NOTES"]) / command).read_text())


@pytest.mark.parametrize("code", [0, 3])
def test_the_run_asks_all_nodes_and_its_exit_code_is_the_job_s(cluster: dict[str, str], code: int) -> None:
    job = submit(cluster, CODE=str(code))
    assert job.communicate(timeout=60)[1] == ""
    assert job.returncode == code
    server, run = noted(cluster, "vllm"), noted(cluster, "glotmill")
    port = cluster["PORT"]
    assert server["arguments"][:2] == ["serve", "some/model"]
    assert "--data-parallel-size 4" in " ".join(server["arguments"])
    assert run["arguments"][:6] == ["run", "instruction", "-l", "fra,swh", "-o", "runs/a run"]
    assert f"base_url=http://127.0.0.1:{port}/v1,http://localhost:{port}/v1" in run["arguments"]
    assert len(run["key"]) == 32
    with pytest.raises(ProcessLookupError):
        os.kill(server["pid"], 0)


def test_a_job_whose_time_is_over_stops_its_run(cluster: dict[str, str]) -> None:
    job = submit(cluster)
    while not (Path(cluster["NOTES"]) / "glotmill").exists():
        with pytest.raises(subprocess.TimeoutExpired):
            job.wait(0.05)
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=60)
    assert job.returncode == 130


def test_servers_that_do_not_start_end_the_job(cluster: dict[str, str]) -> None:
    job = submit(cluster, BROKEN="1")
    assert "the servers ended before 127.0.0.1 answered" in job.communicate(timeout=60)[1]
    assert job.returncode == 1
