"""Loads every config of a published dataset as a stranger would: in processes and a cache of their own."""

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

PROCESSES = 4  # at most: most of the time each waits for the Hub
CONFIGS = 25  # for which a process is worth its start, and after which a line is told
MARK = "glotmill: "

Told = tuple[str, int | str, str | None]  # a config; its rows, or what is wrong; whether that may pass


def verify(hub: Hub, commit: str, rows: Mapping[str, int]) -> str:
    """Return what is wrong with a dataset at a commit, a line for each config; nothing if all loads.

    rows: how many each config is to have. `datasets` falls back on its cache where a dataset cannot be read,
    so it gets none: what is there is fetched, once, into a folder that is gone afterwards. Raises EngineError
    while the Hub is out of reach, and GlotmillError without space for what is fetched.
    """
    found: dict[str, int | str] = {}
    with tempfile.TemporaryDirectory(prefix="glotmill-") as home:

        def load() -> None:
            """Let each process load configs until one is out of reach."""
            left = [name for name in rows if name not in found]
            count, lost = min(PROCESSES, -(-len(left) // CONFIGS)), ""
            with ExitStack() as processes:
                parts = [
                    processes.enter_context(_loading(hub, home, commit, left[n::count])) for n in range(count)
                ]
                for name, value, why in chain.from_iterable(parts):
                    if why == "space":
                        raise GlotmillError(_no_space(hub, commit))
                    if why:
                        lost = str(value)
                        continue
                    found[name] = value
                    if len(found) % CONFIGS == 0:
                        hub.tell(f"loaded {len(found)} of {len(rows)} configs")
            if lost:
                raise ConnectionError(lost)

        hub.again(load, f"loading what is there at commit {commit[:12]}")
    wrong = [
        f"  {name}: {wanted:,} rows were sent; found: {found[name]}"
        for name, wanted in rows.items()
        if found[name] != wanted
    ]
    return "\n".join([*wrong[:5], *([f"  and {len(wrong) - 5} more"] if len(wrong) > 5 else [])])


def _no_space(hub: Hub, commit: str) -> str:
    return (
        f"{hub.url}: commit {commit[:12]} is on the Hub, but {tempfile.gettempdir()} has no space to look at "
        "it. Name a folder with more as TMPDIR; the same command again looks, and sends nothing twice"
    )


@contextmanager
def _loading(hub: Hub, home: str, commit: str, names: Sequence[str]) -> Iterator[Iterator[Told]]:
    """Start a process that loads configs, and give what it tells of each; it ends with this at the latest."""
    asked = json.dumps({"repo": hub.repo, "revision": commit, "configs": names})
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, "-P", "-c", "from glotmill.hub.verify import main; main()", asked],
            env=_environment(home, hub),
            cwd=home,  # a folder of the user's may be called as the dataset is
            stdin=subprocess.PIPE,  # nothing comes by it: it ends when this process does
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        try:
            yield _told(process, errors, names, hub.token)
        finally:
            process.kill()


def _told(
    process: "subprocess.Popen[str]", errors: IO[bytes], names: Sequence[str], token: str | None
) -> Iterator[Told]:
    left, tried = set(names), False
    for line in process.stdout or ():
        if line.startswith(MARK):
            name, found, why = json.loads(line.removeprefix(MARK))
            left.discard(name)
            tried = why is not None  # it is the last
            yield name, found, why
    code = process.wait()
    if not tried:
        errors.seek(0)
        lines = [line for line in errors.read().decode("utf-8", "replace").split("\n") if line.strip()]
        said = lines[-1] if lines and code > 0 else f"the process that loads it ended with {code}"
        yield from ((name, hide_secrets(said, token)[:300], None) for name in sorted(left))


def _environment(home: str, hub: Hub) -> dict[str, str]:
    """The process's own, with another cache; the token goes by it, as on a command line all could see it."""
    other = ("HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_XET_CACHE")
    hiding = ("HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN")  # what is there
    quiet = ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY", "HF_DATASETS_DISABLE_PROGRESS_BARS")
    return {
        **{name: value for name, value in os.environ.items() if name not in (*other, *hiding)},
        **dict.fromkeys(quiet, "1"),
        "HF_HOME": home,
        "HF_ENDPOINT": hub.api.endpoint,
        "HF_TOKEN": hub.token or "",
        "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path),
        "PYTHONUTF8": "1",
    }


def main() -> None:
    """Load what the command line names, and print how many rows each config has, or why it does not load."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _parse_once()
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    given = json.loads(sys.argv[1])
    for name in given["configs"]:
        found: int | str
        why = None
        retry.bound()
        try:
            rows = load_dataset(given["repo"], name, split="train", revision=given["revision"])
            found = len(rows)
            made = [Path(file["filename"]) for file in rows.cache_files]
            del rows
            for file in made:  # on the disk, one config at a time
                file.unlink()
        except (DatasetsError, *retry.kinds()) as error:
            found = retry.said(error, os.environ["HF_TOKEN"])
            why = "space" if retry.full(error) else "network" if retry.passing(error) else None
        print(f"\n{MARK}{json.dumps([name, found, why])}", flush=True)
        if why:
            return


def _end_with_parent() -> None:
    os.read(0, 1)  # not sys.stdin: its lock would be held at the end
    os._exit(1)


def _parse_once() -> None:
    """Keep what YAML of a text became: `datasets` reads the whole card anew for every config.

    With 200 configs that is nine tenths of its time.
    """
    import yaml

    parse = yaml.safe_load

    @cache
    def parsed(text: str) -> bytes:
        return pickle.dumps(parse(text))

    def safe_load(stream: Any) -> Any:
        return pickle.loads(parsed(stream)) if isinstance(stream, str) else parse(stream)  # noqa: S301 our own

    vars(yaml)["safe_load"] = safe_load
