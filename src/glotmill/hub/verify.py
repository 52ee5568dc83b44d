"""Loads every config of a published dataset as any user would: in other processes, with an empty cache."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from typing import IO, Any

from glotmill.errors import GlotmillError
from glotmill.hub import retry
from glotmill.hub.client import Hub
from glotmill.io.redact import hide_secrets

PROCESSES = 4  # at most; each mostly waits for the Hub
CONFIGS = 25  # per process, and per line of progress
MARKER = "glotmill: "

ConfigResult = tuple[str, int | str, str | None]  # config; rows or problem; `space`, `network` or None


def verify(hub: Hub, commit: str, rows: Mapping[str, int]) -> str:
    """Return the problems of a dataset at a commit, one line per config; empty if everything loads.

    rows: the expected rows of each config. `datasets` falls back to its cache when it cannot read a dataset,
    so the cache is an empty temporary folder, and everything is downloaded once. Raises EngineError if the
    Hub is out of reach, and GlotmillError if the disk is full.
    """
    results: dict[str, int | str] = {}
    with tempfile.TemporaryDirectory(prefix="glotmill-") as home:

        def load() -> None:
            """Load the remaining configs in parallel, until the Hub is out of reach."""
            remaining = [name for name in rows if name not in results]
            count, network_error = min(PROCESSES, -(-len(remaining) // CONFIGS)), ""
            with ExitStack() as processes:
                parts = [
                    processes.enter_context(_start_process(hub, home, commit, remaining[n::count]))
                    for n in range(count)
                ]
                for name, value, kind in chain.from_iterable(parts):
                    if kind == "space":
                        raise GlotmillError(_no_space(hub, commit))
                    if kind:
                        network_error = str(value)
                        continue
                    results[name] = value
                    if len(results) % CONFIGS == 0:
                        hub.progress(f"loaded {len(results)} of {len(rows)} configs")
            if network_error:
                raise ConnectionError(network_error)

        hub.retry(load, f"loading commit {commit[:12]}")
    problems = [
        f"  {name}: {expected:,} rows were sent, but loading it gives {results[name]}"
        for name, expected in rows.items()
        if results[name] != expected
    ]
    return "\n".join([*problems[:5], *([f"  and {len(problems) - 5} more"] if len(problems) > 5 else [])])


def _no_space(hub: Hub, commit: str) -> str:
    return (
        f"{hub.url}: commit {commit[:12]} is on the Hub, but {tempfile.gettempdir()} has no space to check "
        "it. Set TMPDIR to a folder with more; the same command checks again, and sends nothing twice"
    )


@contextmanager
def _start_process(
    hub: Hub, home: str, commit: str, names: Sequence[str]
) -> Iterator[Iterator[ConfigResult]]:
    """Start a process that loads configs, and yield its results; it ends with the context at the latest."""
    arguments = json.dumps({"repo": hub.repo, "revision": commit, "configs": names})
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, "-P", "-c", "from glotmill.hub.verify import main; main()", arguments],
            env=_environment(home, hub),
            cwd=home,  # a local folder may have the name of the dataset
            stdin=subprocess.PIPE,  # nothing is written: it closes when this process ends
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        try:
            yield _read_results(process, errors, names, hub.token)
        finally:
            process.kill()


def _read_results(
    process: "subprocess.Popen[str]", errors: IO[bytes], names: Sequence[str], token: str | None
) -> Iterator[ConfigResult]:
    remaining, interrupted = set(names), False
    for line in process.stdout or ():
        if line.startswith(MARKER):
            name, results, kind = json.loads(line.removeprefix(MARKER))
            remaining.discard(name)
            interrupted = kind is not None  # this result is the last
            yield name, results, kind
    code = process.wait()
    if not interrupted:
        errors.seek(0)
        lines = [line for line in errors.read().decode("utf-8", "replace").split("\n") if line.strip()]
        description = lines[-1] if lines and code > 0 else f"the loading process ended with {code}"
        yield from ((name, hide_secrets(description, token)[:300], None) for name in sorted(remaining))


def _environment(home: str, hub: Hub) -> dict[str, str]:
    """Return the environment with another cache, and the token, which a command line would expose."""
    caches = ("HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_XET_CACHE")
    offline = ("HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN")  # would hide the Hub
    quiet = ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY", "HF_DATASETS_DISABLE_PROGRESS_BARS")
    return {
        **{name: value for name, value in os.environ.items() if name not in (*caches, *offline)},
        **dict.fromkeys(quiet, "1"),
        "HF_HOME": home,
        "HF_ENDPOINT": hub.api.endpoint,
        "HF_TOKEN": hub.token or "",
        "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path),
        "PYTHONUTF8": "1",
    }


def main() -> None:
    """Load the configs that the command line names, and print the rows of each, or why it does not load."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    _cache_yaml()
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    arguments = json.loads(sys.argv[1])
    for name in arguments["configs"]:
        results: int | str
        kind = None
        retry.limit_waits()
        try:
            rows = load_dataset(arguments["repo"], name, split="train", revision=arguments["revision"])
            results = len(rows)
            files = [Path(file["filename"]) for file in rows.cache_files]
            del rows
            for file in files:  # keep one config on disk at a time
                file.unlink()
        except (DatasetsError, *retry.client_errors()) as error:
            results = retry.describe(error, os.environ["HF_TOKEN"])
            kind = "space" if retry.is_disk_full(error) else "network" if retry.is_temporary(error) else None
        print(f"\n{MARKER}{json.dumps([name, results, kind])}", flush=True)
        if kind:
            return


def _exit_with_parent() -> None:
    os.read(0, 1)  # not sys.stdin, whose lock would be held at exit
    os._exit(1)


def _cache_yaml() -> None:
    """Cache parsed YAML: `datasets` parses the whole card again for every config.

    With 200 configs, that is nine tenths of its time.
    """
    import yaml

    parse = yaml.safe_load

    @cache
    def parsed(text: str) -> bytes:
        return pickle.dumps(parse(text))

    def safe_load(stream: Any) -> Any:
        return pickle.loads(parsed(stream)) if isinstance(stream, str) else parse(stream)  # noqa: S301 our own

    vars(yaml)["safe_load"] = safe_load
