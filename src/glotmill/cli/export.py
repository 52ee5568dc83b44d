"""`glotmill export`: writes a run in the format of a trainer."""

from typing import TYPE_CHECKING, Any

import click

from glotmill.cli import options

if TYPE_CHECKING:
    from glotmill.export.export import ExportResult


class ExportCommand(click.Command):
    """A command whose help ends with the list of formats."""

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the name and the first line of each format."""
        from glotmill import plugins

        with formatter.section("Formats"):
            formatter.write_dl([(name, plugins.about("formats", name)) for name in plugins.names("formats")])


@click.command("export", cls=ExportCommand)
@click.argument("run", metavar="RUN")
@click.option(
    "--format",
    "format_name",
    default="trl-sft",
    show_default=True,
    metavar="FORMAT",
    help="One of the formats below.",
)
@click.option(
    "-o",
    "--output",
    "--folder",
    "folder",
    cls=options.OutputOption,
    required=True,
    metavar="FOLDER",
    help="Folder to write; an earlier export in it is replaced.",
)
@click.option(
    "--split",
    default="train=1",
    show_default=True,
    metavar="NAME=SHARE,...",
    help="Splits and their shares, for example train=0.98,test=0.02. All rows of one seed row share a split.",
)
@click.option(
    "--columns",
    multiple=True,
    metavar="A,B,...",
    help="Columns to keep in addition to those of the format.  [default: the recipe's output.columns]",
)
@click.option(
    "--reasoning",
    type=click.Choice(["field", "inline", "drop"]),
    help="Reasoning: in the field reasoning_content, inline in <think> before the answer, or left out.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    callback=options.key_values,
    metavar="OPTION=VALUE",
    help="Set an option of the format; see `glotmill show FORMAT`. Repeatable.",
)
@options.trust_code
@options.as_json
def command(run: str, as_json: bool, **arguments: Any) -> None:
    """Write a run in the format of a trainer.

    Writes a folder for each language, with a file for each split. Of a run that was stopped, it writes the
    rows accepted so far.
    """
    from pathlib import Path

    from glotmill.export.export import export
    from glotmill.io import terminal
    from glotmill.io.local_paths import local_path
    from glotmill.runner.run_folder import Run

    format_options = dict(arguments["settings"])
    if arguments["columns"]:  # `--columns ''` keeps none
        names = [name.strip() for text in arguments["columns"] for name in text.split(",")]
        format_options["columns"] = [name for name in names if name]
    if arguments["reasoning"]:
        format_options["reasoning"] = arguments["reasoning"]
    result = export(
        Run(Path(run)),
        local_path(arguments["folder"]),
        arguments["format_name"],
        split=arguments["split"],
        options=format_options,
    )
    click.echo(terminal.json_text(result.to_json()) if as_json else export_text(result))


def export_text(result: "ExportResult") -> str:
    """Return the rows of each language and split, what is empty, and how to load the rest."""
    import json

    from glotmill.io.terminal import columns, safe

    splits, counts = [*result.split], result.rows
    rows = [(tag, *(f"{by_split[split]:,}" for split in splits)) for tag, by_split in counts.items()]
    parts = [columns([("language", *splits), *rows], right=range(1, len(splits) + 1))]
    full = [tag for tag, by_split in counts.items() if any(by_split.values())]
    if empty_splits := [name for name in result.empty if name.partition("/")[0] in full]:
        parts.append(f"No rows in {', '.join(empty_splits)}. A larger share or more rows would fill it.")
    if empty := [tag for tag in counts if tag not in full]:
        parts.append(f"No row of {', '.join(empty)} fits; see `glotmill show {result.format}`.")
    if result.unfinished:
        so_far = ", ".join(f"{tag} {rows:,}" for tag, rows in result.unfinished.items())
        parts.append(
            f"Not finished; accepted rows so far, of {result.per_language:,}: {so_far}. "
            "Resume the run with the same `glotmill run` command, and export again."
        )
    total = sum(sum(by_split.values()) for by_split in counts.values())
    summary = f"{result.format}: {safe(result.folder)} ({total:,} rows)"
    if "README.md" in result.files:
        path = json.dumps(str(result.folder.resolve()), ensure_ascii=False)
        summary += f'\nNext: datasets.load_dataset({safe(path)}, "{full[0]}")'
    return "\n\n".join([*parts, summary])
