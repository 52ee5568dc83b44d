"""Loads every config of a published dataset as a stranger would: in a process and a cache of its own."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glotmill.publishing.hub import Hub, hide

TELL = 25  # configs, after which a line is told
MARK = "glotmill: "


def verify(hub: Hub, commit: str, rows: Mapping[str, int]) -> str:
    """Return what is wrong with a dataset at a commit, a line for each config; nothing if all loads.

    rows: how many each config is to have. `datasets` falls back on its cache where a dataset cannot be read,
    so it gets none: what is there is fetched, once, into a folder that is gone afterwards. With 200 configs
    it takes about half a second of CPU for each: `datasets` reads the whole card every time.
    """
    found: dict[str, int | str] = {}
    with tempfile.TemporaryDirectory(prefix="glotmill-") as home:
        errors = Path(home) / "errors"
        with errors.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-c", "from glotmill.publishing.verified import main; main()"],
                env=_environment(home, hub),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        for name, count in _told(process, {"repo": hub.repo, "revision": commit, "configs": list(rows)}):
            found[name] = count
            if len(found) % TELL == 0:
                hub.tell(f"loaded {len(found)} of {len(rows)} configs")
        if process.returncode:
            lines = [line for line in errors.read_text(errors="replace").splitlines() if line.strip()]
            return "  " + hide(lines[-1] if lines else f"ended with {process.returncode}", hub.token)[:300]
    wrong = [
        f"  {name}: {wanted:,} rows were sent; found: {hide(str(got), hub.token)}"
        for name, wanted in rows.items()
        if (got := found.get(name)) != wanted
    ]
    return "\n".join([*wrong[:5], *([f"  and {len(wrong) - 5} more"] if len(wrong) > 5 else [])])


def _told(process: "subprocess.Popen[str]", given: Mapping[str, Any]) -> Iterator[tuple[str, int | str]]:
    """Yield what the process tells of each config."""
    with process:
        if process.stdin and process.stdout:
            with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(json.dumps(given))
            for line in process.stdout:
                if line.startswith(MARK):
                    yield tuple(json.loads(line.removeprefix(MARK)))


def _environment(home: str, hub: Hub) -> dict[str, str]:
    """The process's own, with another cache; the token goes by it, as on a command line all could see it."""
    kept = {
        k: v for k, v in os.environ.items() if k not in ("HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_XET_CACHE")
    }
    quiet = ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY", "HF_DATASETS_DISABLE_PROGRESS_BARS")
    return {
        **kept,
        **dict.fromkeys(quiet, "1"),
        "HF_HOME": home,
        "HF_ENDPOINT": hub.api.endpoint,
        "HF_TOKEN": hub.token or "",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONUTF8": "1",
    }


def main() -> None:
    """Load what standard input names, and print how many rows each config has, or why it does not load."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    given = json.load(sys.stdin)
    for name in sorted(given["configs"]):
        try:
            rows = load_dataset(given["repo"], name, split="train", revision=given["revision"])
            found: int | str = len(rows)
            made = [Path(file["filename"]) for file in rows.cache_files]
            del rows
            for file in made:  # on the disk, one config at a time
                file.unlink()
        except (DatasetsError, OSError, ValueError, RuntimeError) as error:
            found = " ".join(str(error).split())[:300] or type(error).__name__
        print(f"\n{MARK}{json.dumps([name, found])}", flush=True)
