"""Loads every config of a published dataset as a stranger would: in processes and a cache of their own."""

import contextlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from glotmill.errors import GlotmillError
from glotmill.publishing import failures
from glotmill.publishing.hub import Hub

PROCESSES = 4  # at most: most of the time each waits for the Hub
CONFIGS = 25  # for which a process is worth its start, and after which a line is told
MARK = "glotmill: "


def verify(hub: Hub, commit: str, rows: Mapping[str, int]) -> str:
    """Return what is wrong with a dataset at a commit, a line for each config; nothing if all loads.

    rows: how many each config is to have. `datasets` falls back on its cache where a dataset cannot be read,
    so it gets none: what is there is fetched, once, into a folder that is gone afterwards. Raises EngineError
    while the Hub is out of reach, and GlotmillError without space for what is fetched.
    """
    found: dict[str, int | str] = {}
    with tempfile.TemporaryDirectory(prefix="glotmill-") as home:

        def part(names: Sequence[str]) -> str:
            """Load configs until one is out of reach, and say why that is."""
            for name, count, why in _told(hub, home, commit, names):
                if why == "space":
                    raise GlotmillError(_no_space(hub, commit))
                if why:
                    return str(count)
                found[name] = count
                if len(found) % CONFIGS == 0:
                    hub.tell(f"loaded {len(found)} of {len(rows)} configs")
            return ""

        def load() -> None:
            left = [name for name in rows if name not in found]
            count = min(PROCESSES, -(-len(left) // CONFIGS))
            with ThreadPoolExecutor(count) as pool:
                lost = [*filter(None, pool.map(part, [left[n::count] for n in range(count)]))]
            if lost:
                raise ConnectionError(lost[0])

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


def _told(
    hub: Hub, home: str, commit: str, names: Sequence[str]
) -> Iterator[tuple[str, int | str, str | None]]:
    """Yield of each config its rows, or what is wrong, and whether that may pass, as a process finds them."""
    left = set(names)
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, "-P", "-c", "from glotmill.publishing.verified import main; main()"],
            env=_environment(home, hub),
            cwd=home,  # a folder of the user's may be called as the dataset is
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        if process.stdin and process.stdout:
            with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(json.dumps({"repo": hub.repo, "revision": commit, "configs": sorted(names)}))
            for line in process.stdout:
                if line.startswith(MARK):
                    name, found, why = json.loads(line.removeprefix(MARK))
                    left.discard(name)
                    yield name, found, why
        if process.wait():
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").split("\n")
            said = next(
                (line for line in reversed(lines) if line.strip()), f"ended with {process.returncode}"
            )
            yield from ((name, failures.hide(said, hub.token)[:300], None) for name in sorted(left))


def _environment(home: str, hub: Hub) -> dict[str, str]:
    """The process's own, with another cache; the token goes by it, as on a command line all could see it."""
    other = ("HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_XET_CACHE", "HF_DATASETS_OFFLINE")
    quiet = ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY", "HF_DATASETS_DISABLE_PROGRESS_BARS")
    return {
        **{name: value for name, value in os.environ.items() if name not in other},
        **dict.fromkeys(quiet, "1"),
        "HF_HOME": home,
        "HF_ENDPOINT": hub.api.endpoint,
        "HF_TOKEN": hub.token or "",
        "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path),
        "PYTHONUTF8": "1",
    }


def main() -> None:
    """Load what standard input names, and print how many rows each config has, or why it does not load."""
    _parse_once()
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    given = json.load(sys.stdin)
    for name in given["configs"]:
        found: int | str
        why = None
        failures.bound()
        try:
            rows = load_dataset(given["repo"], name, split="train", revision=given["revision"])
            found = len(rows)
            made = [Path(file["filename"]) for file in rows.cache_files]
            del rows
            for file in made:  # on the disk, one config at a time
                file.unlink()
        except (DatasetsError, *failures.kinds()) as error:
            found = failures.said(error, os.environ["HF_TOKEN"])
            why = "space" if failures.full(error) else "network" if failures.passing(error) else None
        print(f"\n{MARK}{json.dumps([name, found, why])}", flush=True)
        if why:
            return


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
