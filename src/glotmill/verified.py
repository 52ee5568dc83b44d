"""Loads every config of a published dataset as a stranger would: in a process and a cache of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glotmill.hub import Hub, hide


def verify(hub: Hub, commit: str, rows: Mapping[str, int]) -> str:
    """Return what is wrong with a dataset at a commit, a line for each config; nothing if all loads.

    rows: how many each config is to have. `datasets` falls back on its cache where a dataset cannot be read,
    so it gets none: what is there is fetched, once, into a folder that is gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="glotmill-") as home:
        given = json.dumps({"repo": hub.repo, "revision": commit, "configs": list(rows)})
        done = subprocess.run(
            [sys.executable, "-c", "from glotmill.verified import main; main()"],
            input=given,
            env=_environment(home, hub),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    try:
        found: dict[str, Any] = json.loads(done.stdout.rpartition("\n{")[2].join(("{", "")))
    except ValueError:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no reason told")
        return f"  {hide(last, hub.token)[:300]}"
    wrong = [
        f"  {name}: {wanted:,} rows were sent; found: {hide(str(got), hub.token)}"
        for name, wanted in rows.items()
        if (got := found.get(name)) != wanted
    ]
    return "\n".join([*wrong[:5], *([f"  and {len(wrong) - 5} more"] if len(wrong) > 5 else [])])


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
    found: dict[str, int | str] = {}
    for name in sorted(given["configs"]):
        try:
            rows = load_dataset(given["repo"], name, split="train", revision=given["revision"])
            found[name] = len(rows)
            made = [Path(file["filename"]) for file in rows.cache_files]
            del rows
            for file in made:  # on the disk, one config at a time
                file.unlink()
        except (DatasetsError, OSError, ValueError, RuntimeError) as error:
            found[name] = " ".join(str(error).split())[:300] or type(error).__name__
    sys.stdout.write("\n" + json.dumps(found) + "\n")
