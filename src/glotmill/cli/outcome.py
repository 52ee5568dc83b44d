"""Follows a run to its end from the command line: stops it when asked to, and tells what came out."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from glotmill.errors import EngineError, GlotmillError, ShortfallError, one_line
from glotmill.io import terminal
from glotmill.languages import find as find_language
from glotmill.runner.folder import Run
from glotmill.runner.funnel import Funnel, funnel
from glotmill.runner.run import NANO, Progress

SAMPLES = 3  # rows that are shown

NOTES = {
    NANO: (
        "These rows were made by glotmill-nano, a tiny model for trying and testing only: do not train on\n"
        "them. For real data name a multilingual, instruction-tuned model, such as --model Qwen/Qwen3-8B\n"
        "on a GPU (vllm), or any server: --engine openai --engine-arg base_url=URL --model NAME"
    ),
    "echo": "These rows were made by the echo engine, which says back what it is told: do not train on them.",
}


class InterruptedRunError(GlotmillError):
    """The user stopped a run."""

    exit_code = 130


@dataclass
class Followed:
    """Keeps the last that a run told of itself, and passes it on."""

    watch: Callable[[Progress], None]
    progress: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Take what mill tells about once a second."""
        self.progress = progress
        self.watch(progress)

    def to_the_end(self, work: Coroutine[Any, Any, Run]) -> ShortfallError | None:
        """Run to the end, and return the error if a language is not full: its rows are there all the same.

        Raises InterruptedRunError after Ctrl-C or SIGTERM, when the replies in flight are kept, and another
        GlotmillError for all else; each says how to go on. A second Ctrl-C ends the process at once.
        """
        try:
            asyncio.run(_stoppable(work))
        except ShortfallError as error:
            return error
        except asyncio.CancelledError:
            raise InterruptedRunError(f"interrupted{self._goes_on()}") from None
        except EngineError as error:
            raise EngineError(f"{error}{self._goes_on()}") from None
        except (OSError, pl.exceptions.PolarsError) as error:  # a full disk, a folder that may not be written
            place = getattr(error, "filename", None) or (
                self.progress.run.folder if self.progress else "the run's folder"
            )
            text = getattr(error, "strerror", None) or one_line(error)
            raise GlotmillError(f"{place}: {text}{self._goes_on()}") from error
        return None

    def _goes_on(self) -> str:
        folder = self.progress.run.folder if self.progress else None
        if folder is None or not any(path.stat().st_size for path in folder.glob("replies/*.jsonl")):
            return ""
        return f"\nWhat was answered is kept in {folder}; the same command again goes on from there."


async def _stoppable(work: Coroutine[Any, Any, Run]) -> Run:
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
    stopped = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopped
        if stopped:
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h\n")  # the panel hid the cursor
            os._exit(130)
        stopped = True
        print(
            "glotmill: stopping; waiting a moment for the replies in flight. Ctrl-C again quits at once",
            file=sys.stderr,
        )
        loop.call_soon_threadsafe(task.cancel)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return await task
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def result(run: Run, seconds: float, error: GlotmillError | None) -> dict[str, Any]:
    """Return what came out, as `--json` prints it."""
    info, funnels = run.info(), funnel(run)
    note = NOTES.get(info["engine"]) or NOTES.get(info["model"])
    return {
        "folder": str(run.folder),
        "dataset": str(run.folder / "dataset"),
        "recipe": info["recipe"].get("name"),
        "model": info["model"],
        "engine": info["engine"],
        "seconds": round(seconds, 1),
        "languages": [f.to_json() for f in funnels],
        "rows": list(_samples(run, [f.language for f in funnels if f.accepted])),
        "note": note,
        "error": str(error) if error else None,
    }


def text(found: dict[str, Any], width: int | None) -> str:
    """Return what came out for a person; lines of texts are broken at `width` cells, where it is given."""
    funnels = [Funnel(**each) for each in found["languages"]]
    parts = [terminal.funnel_table(funnels)]
    for row in found["rows"]:
        name = find_language(row["language"]).name
        said = terminal.labelled(terminal.row_pairs(row), width)
        parts.append(f"{row['language']} ({name}), row {row['id']}\n{said}")
    accepted = sum(f.accepted for f in funnels)
    rows = Path(found["folder"]) / "rows"
    parts.append(
        f"Dataset: {terminal.safe(found['dataset'])} ({accepted:,} rows)\n"
        f"Every other row, with its reason: {terminal.safe(rows)}"
    )
    return "\n\n".join([*parts, found["note"]] if found["note"] else parts)


def _samples(run: Run, tags: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Yield the first row of some languages, of different scripts where there are."""
    tags = list(tags)
    scripts: dict[str, str] = {}
    for tag in tags:
        scripts.setdefault(find_language(tag).script, tag)
    for tag in list(dict.fromkeys([*scripts.values(), *tags]))[:SAMPLES]:
        files = sorted(run.folder.glob(f"dataset/{tag}/train-*.parquet"))
        yield from pl.read_parquet(files[0], n_rows=1).iter_rows(named=True)
