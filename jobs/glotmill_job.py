# /// script
# requires-python = ">=3.11"
# dependencies = ["glotmill[vllm]"]
#
# [tool.hf-jobs]
# flavor = "l4x1"
# timeout = "6h"
# secrets = ["HF_TOKEN"]
# ///
"""Runs a recipe on a rented machine, keeps the run in a mounted folder, and publishes it when it is done.

    hf buckets create runs
    hf jobs uv run -v hf://buckets/ME/runs:/runs jobs/glotmill_job.py \\
        --store /runs/sayings --publish ME/sayings \\
        instruction --model Qwen/Qwen3-8B -l fra,swh -n 1000

What is no option of this script goes to `glotmill run`. The same command resumes a job that was stopped or
lost.

The run itself lies on the machine's own disk, because mounted object storage has no locks, and its files
cannot be appended to. Changed files are copied to the store once a minute and at the end, and from the store
at the beginning, so a lost machine costs the replies of the last minute. Let one job at a time use a store.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

Stamp = tuple[int, int]  # size and time of a file


def arguments(given: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the options of this script, and the arguments of `glotmill run`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--store", type=Path, required=True, help="folder that outlives the machine")
    parser.add_argument("--publish", metavar="OWNER/NAME", help="dataset to publish a finished run to")
    parser.add_argument("--private", action="store_true", help="make that dataset private")
    parser.add_argument("--every", type=float, default=60.0, metavar="S", help="seconds between copies")
    options, rest = parser.parse_known_args(given)
    if not rest:
        parser.error("name a recipe, and what else `glotmill run` needs")
    return options, rest


def files(folder: Path) -> dict[str, Stamp]:
    """Return the complete files of a run: no drafts, no lock."""
    stamps: dict[str, Stamp] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and name.name != "lock" and not any(part.startswith(".") for part in name.parts):
            stat = path.stat()
            stamps[name.as_posix()] = (stat.st_size, stat.st_mtime_ns)
    return stamps


class Store:
    """Copies a run to the folder that outlives the machine, file by file."""

    def __init__(self, run: Path, store: Path) -> None:
        self.run, self.store = run, store
        self.copied: dict[str, Stamp] = {}

    def restore(self) -> None:
        """Copy everything from the store."""
        for name in files(self.store) if self.store.is_dir() else ():
            copy(self.store / name, self.run / name)
        self.copied = files(self.run)

    def save(self) -> None:
        """Copy what has changed to the store, and remove there what is gone here.

        Journals go first, then what was there before they were read: no row without its reply.
        """
        try:
            stamps = files(self.run)
            for name in sorted(stamps, key=lambda name: not name.startswith("replies/")):
                if self.copied.get(name) != stamps[name]:
                    copy(self.run / name, self.store / name)
                    self.copied[name] = stamps[name]
            for name in self.copied.keys() - stamps.keys():
                (self.store / name).unlink(missing_ok=True)
                del self.copied[name]
        except FileNotFoundError:  # a file was replaced meanwhile: the next copy takes it
            return


def copy(source: Path, target: Path) -> None:
    """Write a file from beginning to end, which is all that mounted object storage can do."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def glotmill(*command: str) -> "subprocess.Popen[bytes]":
    """Start a command of glotmill."""
    return subprocess.Popen([sys.executable, "-P", "-m", "glotmill", *command])


def main() -> int:
    """Run, copy, publish; return the exit code of glotmill."""
    options, recipe = arguments(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="glotmill-") as disk:
        run = Path(disk) / options.store.name
        store = Store(run, options.store)
        store.restore()
        process = glotmill("run", *recipe, "-o", str(run))
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())  # it finishes what is in flight
        while True:
            try:
                code = process.wait(options.every)
                break
            except subprocess.TimeoutExpired:
                store.save()
            except KeyboardInterrupt:
                continue  # glotmill has it too
        if code == 0:
            glotmill("report", str(run)).wait()
        store.save()
        if code == 0 and options.publish:
            private = ["--private"] if options.private else []
            code = glotmill("publish", str(run), "--repo", options.publish, *private).wait()
            store.save()
    print(f"The run is kept in {options.store}.")
    return code


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
