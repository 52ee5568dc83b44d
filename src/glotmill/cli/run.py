"""`glotmill run`: runs a recipe to its end, stops it cleanly on Ctrl-C, and prints the outcome."""

import shlex
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from glotmill.cli import options
from glotmill.errors import EngineError, GlotmillError, ShortfallError, one_line

if TYPE_CHECKING:
    from glotmill.runner.funnel import Funnel
    from glotmill.runner.run import RunOptions
    from glotmill.runner.run_folder import Run
    from glotmill.runner.schedule import Progress

MAX_SAMPLES = 9  # rows that are printed, one a language
SHORT = 80  # characters of a value that is printed before the texts
NANO_NOTE = """\
These rows come from glotmill-nano, a tiny model for trying and testing only: do not train on them.
For real data, choose a multilingual, instruction-tuned model, such as --model Qwen/Qwen2.5-7B-Instruct
on a GPU, or any server: --engine openai --engine-arg base_url=URL --model NAME"""
READ_ROWS = "Filters judge the form of a row, not its truth. Read rows before you train on them:"
ECHO_NOTE = "These rows come from the echo engine, which repeats its prompt: do not train on them."


class InterruptedRunError(GlotmillError):
    """The user stopped a run."""

    exit_code = 130


@click.command("run")
@click.argument("recipe")
@click.option(
    "-n",
    "--per-language",
    type=click.IntRange(1),
    metavar="N",
    help="Accepted rows in each language.  [default: 100]",
)
@options.languages
@options.seeds_and_settings
@options.engine
@click.option(
    "-o",
    "--output",
    "--folder",
    "folder",
    cls=options.OutputOption,
    metavar="FOLDER",
    help="Folder of the run.  [default: runs/RECIPE-MODEL]",
)
@click.option(
    "--give-up",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Give up a language when it is clear that a lower share of its seed rows leads to an accepted row. "
    "0.1 gives up one that takes more than ten seed rows for each accepted row; 0 gives up none.  "
    "[default: the recipe's floor, usually 0.1]",
)
@click.option(
    "--window",
    type=click.IntRange(1),
    metavar="N",
    help="Requests in flight, at most.  [default: from 512 up to 65536, as long as replies come faster]",
)
@click.option(
    "--max-failures",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Stop if more than this share of the last 200 requests fail.  [default: 0.2]",
)
@options.as_json
def command(recipe: str, as_json: bool, **arguments: Any) -> int:
    """Run a recipe until every language has its rows.

    The run folder records every row and, if it was dropped, the reason. The same command resumes a stopped
    run and never requests the same reply twice.
    """
    from glotmill.cli import fail
    from glotmill.cli.progress import watching
    from glotmill.cli.table import line_width
    from glotmill.io import terminal
    from glotmill.runner.run import run_async

    run_options: RunOptions = {k: v for k, v in arguments.items() if v not in (None, [], (), {})}  # type: ignore[assignment]
    with watching() as watch:
        follower = Follower(watch)
        run_options["watch"] = follower
        error = follower.run_to_end(run_async(recipe, **run_options))
    assert follower.progress is not None
    outcome = read_outcome(follower.progress.run, follower.progress.seconds, error)
    click.echo(terminal.json_text(outcome.to_json()) if as_json else outcome_text(outcome, line_width()))
    return fail(str(error), error.exit_code) if error else 0


@dataclass
class Follower:
    """Remembers the last progress of a run, and passes it on."""

    watch: "Callable[[Progress], None]"
    progress: "Progress | None" = None

    def __call__(self, progress: "Progress") -> None:
        """Receive the progress, about once a second."""
        self.progress = progress
        self.watch(progress)

    def run_to_end(self, work: "Coroutine[Any, Any, Run]") -> ShortfallError | None:
        """Await the run; return the error if a language has too few rows, since its dataset is written.

        Raises InterruptedRunError after Ctrl-C or SIGTERM, once the replies in flight are stored, and
        another GlotmillError for any other failure; each says how to resume. A second Ctrl-C quits at once.
        """
        import asyncio

        import polars as pl

        from glotmill.io.interrupt import run_stoppable

        try:
            run_stoppable(work, "waiting for the replies in flight, which are paid for")
        except ShortfallError as error:
            return error
        except asyncio.CancelledError as error:
            raise InterruptedRunError(f"interrupted{self._resume_hint()}") from error
        except EngineError as error:
            raise EngineError(f"{error}{self._resume_hint()}") from error
        except (OSError, pl.exceptions.PolarsError) as error:  # a full disk, a read-only folder
            path = getattr(error, "filename", None)
            if not path:
                path = self.progress.run.folder if self.progress else "the run's folder"
            reason = getattr(error, "strerror", None) or one_line(error)
            raise GlotmillError(f"{path}: {reason}{self._resume_hint()}") from error
        return None

    def _resume_hint(self) -> str:
        folder = self.progress.run.folder if self.progress else None
        if folder is None or not any(path.stat().st_size for path in folder.glob("replies/*.jsonl")):
            return ""
        return f"\nThe replies so far are kept in {folder}; the same command resumes from there."


@dataclass(frozen=True)
class Outcome:
    """The result of a run, finished or with too few rows."""

    run: "Run"
    recipe: str | None
    model: str
    engine: str
    seconds: float
    funnels: "Sequence[Funnel]"
    samples: Sequence[dict[str, Any]]  # rows of the dataset
    note: str | None  # a warning about the model
    error: str | None

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "folder": str(self.run.folder),
            "dataset": str(self.run.folder / "dataset"),
            "recipe": self.recipe,
            "model": self.model,
            "engine": self.engine,
            "seconds": round(self.seconds, 1),
            "languages": [funnel.to_json() for funnel in self.funnels],
            "rows": [*self.samples],
            "note": self.note,
            "error": self.error,
        }


def read_outcome(run: "Run", seconds: float, error: GlotmillError | None) -> Outcome:
    """Read the result of a run from its folder."""
    from glotmill.runner.funnel import funnel
    from glotmill.runner.open_engine import NANO

    info, funnels = run.info(), funnel(run)
    notes = {NANO: NANO_NOTE, "echo": ECHO_NOTE}
    return Outcome(
        run,
        info["recipe"].get("name"),
        info["model"],
        info["engine"],
        seconds,
        funnels,
        [*_sample_rows(run, [f.language for f in funnels if f.in_dataset])],
        notes.get(info["engine"]) or notes.get(info["model"]),
        str(error) if error else None,
    )


def outcome_text(outcome: Outcome, width: int | None) -> str:
    """Return the counts, some rows and the paths. width: cells of a line; None does not wrap."""
    from glotmill.cli.table import funnel_table
    from glotmill.io import terminal
    from glotmill.languages import find as find_language

    parts = [funnel_table(outcome.funnels)]
    for row in outcome.samples:
        title = f"{row['language']} ({find_language(row['language']).name}), row {row['id']}"
        parts.append(f"{title}\n{terminal.labelled(_pairs(row), width)}")
    accepted = sum(funnel.accepted for funnel in outcome.funnels)
    folder = outcome.run.folder
    parts.append(
        f"Dataset: {terminal.safe(folder / 'dataset')} ({accepted:,} rows)\n"
        f"Every row, with its reason: {terminal.safe(folder / 'rows')}"
    )
    if accepted:
        parts.append(f"{READ_ROWS} `glotmill report {terminal.safe(shlex.quote(str(folder)))}`")
    if outcome.note:
        parts.append(outcome.note)
    return "\n\n".join(parts)


def _pairs(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the names and values of a row: the short ones, such as its topic, then its texts."""
    from glotmill.columns import ID, LANGUAGE
    from glotmill.io import terminal

    short = {
        name: value
        for name, value in row.items()
        if name not in (ID, LANGUAGE) and isinstance(value, str) and len(value) <= SHORT and "\n" not in value
    }
    texts = {name: value for name, value in row.items() if name not in short}
    return [*short.items(), *terminal.row_pairs(texts)]


def _sample_rows(run: "Run", tags: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the first row of each language; of more than MAX_SAMPLES, of those in different scripts first."""
    import polars as pl

    from glotmill.io.run_files import dataset_files
    from glotmill.languages import find as find_language

    tag_by_script: dict[str, str] = {}
    for tag in tags:
        tag_by_script.setdefault(find_language(tag).script, tag)
    for tag in [*dict.fromkeys([*tag_by_script.values(), *tags])][:MAX_SAMPLES]:
        files = dataset_files(run.folder, [tag])
        yield from pl.read_parquet(files[0], n_rows=1).iter_rows(named=True)
