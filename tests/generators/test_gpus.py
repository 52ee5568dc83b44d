"""How the GPUs of a machine are shared among processes; the machine's own are not asked."""

import logging
from pathlib import Path
from typing import Any

import pytest

from glotmill.errors import UsageError
from glotmill.generators._shared import gpus
from glotmill.generators._shared.gpus import gpu_shares


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "glotmill")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def shares(
    monkeypatch: pytest.MonkeyPatch, number: int, replicas: int | None = None, **options: Any
) -> list[str]:
    """The GPUs of each process, on a machine with a number of them."""
    monkeypatch.setattr(gpus, "_count", lambda: number)
    environments = gpu_shares("vllm", replicas, options)
    return [environment.get("CUDA_VISIBLE_DEVICES", "") for environment in environments]


@pytest.mark.parametrize(
    ("number", "replicas", "options", "expected"),
    [
        (0, None, {}, [""]),
        (0, 2, {}, ["", ""]),
        (1, None, {}, ["0"]),
        (4, None, {}, ["0", "1", "2", "3"]),
        (4, 2, {"tensor_parallel_size": 2}, ["0,1", "2,3"]),
        (8, None, {"tensor_parallel_size": 2, "pipeline_parallel_size": 2}, ["0,1,2,3", "4,5,6,7"]),
        (4, None, {"tensor_parallel_size": 4}, ["0,1,2,3"]),
        (2, 4, {"gpu_memory_utilization": 0.4}, ["0", "1", "0", "1"]),
        (8, None, {"distributed_executor_backend": "ray"}, [""]),
    ],
)
def test_each_process_has_gpus_of_its_own(
    monkeypatch: pytest.MonkeyPatch, number: int, replicas: int | None, options: Any, expected: list[str]
) -> None:
    assert shares(monkeypatch, number, replicas, **options) == expected


def test_gpus_that_are_not_visible_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-3af, 7")
    assert shares(monkeypatch, 2) == ["GPU-3af", "7"]


def test_what_happens_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    shares(monkeypatch, 1)
    shares(monkeypatch, 2, tensor_parallel_size=2)
    assert not caplog.records
    shares(monkeypatch, 8)
    shares(monkeypatch, 8, tensor_parallel_size=3)
    shares(monkeypatch, 8, 1)
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("INFO", "engine vllm: 8 processes use 1 GPU each"),
        ("WARNING", "engine vllm: 2 of 8 GPUs stay idle; 2 processes use 3 GPUs each (tensor_parallel_size)"),
        ("INFO", "engine vllm: 2 processes use 3 GPUs each"),
        ("WARNING", "engine vllm: 7 of 8 GPUs stay idle; 1 process uses 1 GPU"),
    ]


@pytest.mark.parametrize(
    ("replicas", "options", "message"),
    [
        (0, {}, "replicas=0: at least 1"),
        (3, {"tensor_parallel_size": 2}, "replicas=3 with 2 GPUs each need 6 GPUs; 4 are there"),
        (8, {}, "replicas=8 share 4 GPUs; .* such as gpu_memory_utilization=0.45"),
    ],
)
def test_more_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch, replicas: int, options: Any, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        shares(monkeypatch, 4, replicas, **options)


@pytest.mark.parametrize(("prints", "expected"), [("a warning\n8\n", 8), ("", 0), ("no GPU", 0)])
def test_torch_counts_in_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prints: str, expected: int
) -> None:
    monkeypatch.setattr(gpus, "_DEVICES", (str(tmp_path),))
    (tmp_path / "python").write_text(f"#!/bin/sh\nprintf '{prints}'\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    assert gpus._count() == expected


def test_a_machine_without_gpus_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_DEVICES", ("/dev/no-such-device",))
    monkeypatch.setattr("sys.executable", "/no/such/python")
    assert gpus._count() == 0
