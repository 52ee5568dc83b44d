"""`glotmill report`: the numbers and sample rows of a run, as one HTML file or as JSON."""

from typing import Any

import click

from glotmill.cli import options


@click.command("report")
@click.argument("run", metavar="RUN")
@click.option(
    "-o", "--output", metavar="FILE", help="HTML file to write.  [default: report.html in the run's folder]"
)
@click.option(
    "--rows",
    type=click.IntRange(0),
    default=2000,
    show_default=True,
    help="Maximum number of rows that the report shows.",
)
@click.option(
    "--price-in",
    multiple=True,
    callback=options.prices,
    metavar="PRICE",
    help="Price of a million prompt tokens. Of another model that the recipe names: judge=PRICE. Repeatable.",
)
@click.option(
    "--price-out",
    multiple=True,
    callback=options.prices,
    metavar="PRICE",
    help="Price of a million reply tokens, in the same way.",
)
@options.trust_code
@options.as_json
def command(run: str, as_json: bool, **arguments: Any) -> None:
    """Write a report on a run: one self-contained HTML file.

    The file makes no network requests. With --json, prints the numbers, and writes the file only if -o is
    given.
    """
    from pathlib import Path

    from glotmill.io import terminal
    from glotmill.io.local_paths import local_path
    from glotmill.report import report
    from glotmill.runner.run_folder import Run

    folder = Run(Path(run))
    file = local_path(arguments["output"] or folder.folder / "report.html", kind="FILE")
    prices = arguments["price_in"], arguments["price_out"]
    if as_json:
        from glotmill.report.facts import facts

        click.echo(terminal.json_text(facts(folder, *prices).to_json()))
        if not arguments["output"]:
            return
    size = report.write(folder, file, arguments["rows"], *prices)
    click.echo(f"{terminal.safe(file)} ({size / 1000:,.0f} kB)", err=as_json)
