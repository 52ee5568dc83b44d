"""`glotmill filter`: applies filters to any dataset, shows one line of progress, and prints the outcome."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glotmill.cli import options
from glotmill.errors import UsageError

if TYPE_CHECKING:
    from glotmill.filtering.explain import Explanation
    from glotmill.filtering.process_parts import FilterJob, FilterProgress, Watch


@click.command("filter")
@click.argument("source", metavar="INPUT")
@click.option(
    "-o",
    "--output",
    "--folder",
    "folder",
    cls=options.OutputOption,
    metavar="FOLDER",
    help="Folder to write: kept/, rejects/ and funnel.json.",
)
@click.option(
    "--filters",
    multiple=True,
    callback=options.plugin_names,
    metavar="A,B,...|FILE",
    help="Filters by name, or a .yaml or .json list as in a recipe.  [default: a general set]",
)
@click.option(
    "--column",
    default="",
    metavar="NAME",
    help="Column to filter by.  [default: text, or the assistant's messages]",
)
@click.option(
    "-l", "--language", metavar="LANGUAGE", help="Language of all rows, for example fra, swh_Latn or Arabic."
)
@click.option(
    "--language-column",
    metavar="NAME",
    help="Column with the language of each row.  [default: language, if it exists]",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    callback=options.key_values,
    metavar="FILTER.OPTION=VALUE",
    help="Set an option of a filter, for example length.min_chars=20. Repeatable.",
)
@click.option("--config", metavar="NAME", help="Configuration of a Hub dataset.")
@click.option("--split", default="train", show_default=True, metavar="NAME", help="Split of a Hub dataset.")
@click.option(
    "--explain", "row_id", metavar="ID", help="Write nothing; print what each filter finds in one row."
)
@options.trust_code
@options.as_json
def command(source: str, folder: str | None, row_id: str | None, as_json: bool, **arguments: Any) -> None:
    """Apply filters to the rows of any dataset.

    INPUT is a file (.parquet, .jsonl, .json, .csv, .tsv, .txt), a folder of such files, a Hub dataset or a
    run. In conversations, the filters read the assistant's messages. The same command resumes where it
    stopped.
    """
    from glotmill.cli.table import line_width
    from glotmill.filtering import explain, filter_dataset
    from glotmill.filtering.filter_columns import RowLanguage
    from glotmill.io import terminal
    from glotmill.io.local_paths import local_path
    from glotmill.io.rows import open_rows
    from glotmill.languages import find as find_language

    if (folder is None) == (row_id is None):
        raise UsageError("filter: give either -o FOLDER or --explain ID")
    tag, column = arguments["language"], arguments["language_column"]
    if tag and column:
        raise UsageError("filter: give either --language or --language-column, not both")
    path = local_path(folder or "")  # first, since reading the input may take long
    language = RowLanguage(find_language(tag).tag if tag else "", column or "")
    filters: Sequence[Any] = arguments["filters"]
    with watching() as watch:
        if row_id is not None and (Path(source) / "run.json").is_file():
            data, recipe_filters = explain.read_run(Path(source))
            filters = filters or recipe_filters
        else:
            data = open_rows(source, config=arguments["config"], split=arguments["split"])
        job = filter_dataset.prepare_job(data, language, filters, arguments["column"], arguments["settings"])
        if row_id is None:
            summary = summarize(path, job, filter_dataset.run_job(job, path, watch))
            value, text = summary.to_json(), summary_text(summary)
        else:
            explanation = explain.explain(data, job, row_id)
            value, text = explanation.to_json(), explanation_text(explanation, line_width())
    click.echo(terminal.json_text(value) if as_json else text)


@contextmanager
def watching() -> "Iterator[Watch]":
    """Yield a function that shows the progress as one line on stderr, or nothing if it is not a
    terminal."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield lambda progress: None
        return
    with Live(Text("reading the input", style="dim"), console=console, auto_refresh=False) as live:
        live.refresh()
        yield lambda progress: live.update(Text(progress_line(progress), style="dim"), refresh=True)


def progress_line(progress: "FilterProgress") -> str:
    """Return the time, the rows, the share kept, the rate and the time left, in one line."""
    from glotmill.io.terminal import clock

    total = "" if progress.total is None else f" of {progress.total:,}"
    parts = [clock(progress.seconds), f"{progress.rows:,}{total} rows"]
    if progress.rows:
        parts.append(f"{progress.kept / progress.rows:.1%} kept")
    if progress.filtered and progress.seconds:
        rate = progress.filtered / progress.seconds
        parts.append(f"{rate:,.0f} rows/s")
        if progress.total is not None:
            parts.append(f"about {clock(max(0, progress.total - progress.rows) / rate)} left")
    return " · ".join(parts)


@dataclass(frozen=True)
class FilterSummary:
    """The result of `glotmill filter`."""

    folder: Path
    filters: Sequence[str]
    languages: Sequence[Mapping[str, Any]]  # language, rows, kept, dropped (reason -> rows)
    notes: Sequence[str]

    @property
    def kept(self) -> Path:
        """The folder of the kept rows."""
        return self.folder / "kept"

    @property
    def rejects(self) -> Path:
        """The folder of the other rows."""
        return self.folder / "rejects"

    def to_json(self) -> dict[str, Any]:
        """The JSON that `--json` prints."""
        return {
            "folder": str(self.folder),
            "kept": str(self.kept),
            "rejects": str(self.rejects),
            "filters": [*self.filters],
            "rows": sum(language["rows"] for language in self.languages),
            "languages": [*self.languages],
            "note": "\n".join(self.notes) or None,
        }


def summarize(folder: Path, job: "FilterJob", funnel: Sequence[Mapping[str, Any]]) -> FilterSummary:
    """Return the summary of a finished job, with notes on what may surprise."""
    filters = [f"{step.of}.{step.filter}".lstrip(".") for step in (*job.row_filters, *job.cross_filters)]
    notes = (_no_language_note(job), _no_detector_note(funnel), _undetermined_note(folder, job))
    return FilterSummary(folder, filters, funnel, [note for note in notes if note])


def summary_text(summary: FilterSummary) -> str:
    """Return a table with one line for each language, the filters, the paths and the notes."""
    from glotmill.io import terminal

    kept = sum(language["kept"] for language in summary.languages)
    rows: list[Sequence[object]] = [("language", "rows", "dropped", "kept", "", "lost to")]
    for language in summary.languages:
        total, kept_rows = language["rows"], language["kept"]
        rows.append(
            (
                language["language"] or "all",
                f"{total:,}",
                f"{total - kept_rows:,}",
                f"{kept_rows:,}",
                f"{kept_rows / total:.1%}",
                terminal.reasons(language["dropped"]),
            )
        )
    table = terminal.columns(rows, right=range(1, 5)) if summary.languages else "no rows"
    paths = (
        f"Filters: {terminal.safe(', '.join(summary.filters))}\n"
        f"Kept: {terminal.safe(summary.kept)} ({kept:,} rows)\n"
        f"Every other row, with its reason: {terminal.safe(summary.rejects)}"
    )
    return "\n\n".join([table, paths, *(["\n".join(summary.notes)] if summary.notes else [])])


def _no_language_note(job: "FilterJob") -> str | None:
    """A language column of another name would go unnoticed."""
    if job.language:
        return None
    return "No --language or --language-column was given: no text was checked for its language."


def _no_detector_note(funnel: Sequence[Mapping[str, Any]]) -> str | None:
    """A language is lost altogether if no installed detector knows it."""
    tags = [language["language"] for language in funnel if "no_detector" in language["dropped"]]
    if not tags:
        return None
    return (
        f"No detector knows {', '.join(tags)}: these rows were not checked and are not kept. "
        "To keep them by their script alone, add --set language.unjudged=keep"
    )


def _undetermined_note(folder: Path, job: "FilterJob") -> str | None:
    """Rows with too few letters to detect a language are kept unchecked."""
    import polars as pl

    columns = dict.fromkeys((n for n in job.added_columns if n.endswith("_language_detected")), pl.String)
    files = sorted(folder.glob("*/part-*.parquet"))
    if not columns or not files:
        return None
    rows = pl.scan_parquet(files, schema=columns, extra_columns="ignore")
    count = rows.select(pl.any_horizontal(pl.all() == "und").sum()).collect().item()
    return f"Rows too short to detect their language (`und`): {count:,}." if count else None


def explanation_text(explanation: "Explanation", width: int | None) -> str:
    """Return a row, its verdict and what each filter finds. width: cells of a line; None does not wrap."""
    from glotmill.io import terminal

    title = f"row {explanation.id}"
    if explanation.language:
        title += f", {explanation.language}"
    title += f": {explanation.verdict}"
    if explanation.reason:
        title += f", {explanation.reason} ({explanation.reason_at})"
    parts = [f"{terminal.safe(title)}\n{terminal.labelled(explanation.columns.items(), width)}"]
    for finding in explanation.findings:
        pairs: list[tuple[str, Any]] = []
        if finding.reason:
            pairs.append(("reason", finding.reason))
        if finding.options:
            options_text = ", ".join(f"{name}={value!r}" for name, value in finding.options.items())
            pairs.append(("options", options_text))
        pairs += finding.measured.items()
        if finding.clean_text:
            pairs.append(("saw", finding.clean_text))
        if finding.similar_ids:
            pairs.append(("like", finding.similar_ids))
        title = terminal.safe(f"{finding.column}.{finding.filter}: {finding.verdict}")
        parts.append(f"{title}\n{terminal.labelled(pairs, width)}" if pairs else title)
    return "\n\n".join(parts)
