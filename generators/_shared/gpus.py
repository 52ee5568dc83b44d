"""How the GPUs of this machine are shared among processes with one engine each."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glotmill.errors import UsageError
from glotmill.generators._shared.engine_host import LOG

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # one of them is there if there is any GPU
_PATIENCE_S = 120
_PARALLEL = ("tensor_parallel_size", "pipeline_parallel_size")  # vLLM's; a process uses their product


def gpus_each(options: Mapping[str, Any]) -> int:
    """Return how many GPUs a vLLM with these options uses."""
    sizes = [size for name in _PARALLEL if isinstance(size := options.get(name, 1), int) and size > 0]
    return sizes[0] * sizes[1] if len(sizes) == len(_PARALLEL) else 1


def gpu_shares(engine: str, replicas: int | None, options: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the environment variables of each process that is to run the engine; at least one.

    Every GPU that this process sees is used, unless `replicas` says how many processes there are to be.
    Logs how many there are, and warns of GPUs that stay idle.

    Raises:
        UsageError: fewer than one replica, or more than the GPUs have room for.
    """
    each, gpus = gpus_each(options), _visible()
    if replicas is not None and replicas < 1:
        raise UsageError(f"engine {engine}: replicas={replicas}: at least 1")
    if not gpus or (replicas is None and "distributed_executor_backend" in options):
        return [{} for _ in range(replicas or 1)]
    number = replicas or max(1, len(gpus) // each)
    needed = number * each
    if needed > len(gpus) and replicas is not None and replicas > 1:
        if each > 1:
            raise UsageError(
                f"engine {engine}: replicas={replicas} with {each} GPUs each need {needed} GPUs; "
                f"{len(gpus)} are there"
            )
        if "gpu_memory_utilization" not in options:
            raise UsageError(
                f"engine {engine}: replicas={replicas} share {len(gpus)} GPUs; say how much memory of a GPU "
                f"each may take, such as gpu_memory_utilization={0.9 * len(gpus) / replicas:.2f}"
            )
    if (idle := len(gpus) - needed) > 0:
        LOG.warning(
            f"engine {engine}: {idle} of {len(gpus)} GPUs stay idle; {_processes(number, each)}"
            f"{'' if replicas else ' (tensor_parallel_size)'}"
        )
    if number > 1:
        LOG.info(f"engine {engine}: {_processes(number, each)}")
    starts = range(0, needed, each)
    return [{_VISIBLE: ",".join(gpus[(start + i) % len(gpus)] for i in range(each))} for start in starts]


def _processes(number: int, each: int) -> str:
    processes = "1 process uses" if number == 1 else f"{number} processes use"
    gpus = "1 GPU" if each == 1 else f"{each} GPUs"
    return f"{processes} {gpus}{' each' if number > 1 else ''}"


def _visible() -> list[str]:
    """Return the names of the GPUs that this process sees, as CUDA_VISIBLE_DEVICES has them."""
    number = _count()
    names = [name.strip() for name in os.environ.get(_VISIBLE, "").split(",") if name.strip()]
    return (names or [str(index) for index in range(number)])[:number]


def _count() -> int:
    """Ask torch in another process: what it reads when it is imported is yet to be set in this one."""
    if not any(Path(device).exists() for device in _DEVICES):
        return 0
    command = [sys.executable, "-P", "-c", "import torch; print(torch.cuda.device_count())"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:  # a driver that hangs: vLLM itself says so better
        return 0
    last = result.stdout.split()[-1:]
    return int(last[0]) if last and last[0].isdecimal() else 0
