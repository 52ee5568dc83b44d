"""The commands that take a finished run elsewhere. As cli.py: parse, call, print."""

from typing import Any

import click

from glotmill.cli import options as shared


class _ListsFormats(click.Command):
    """Its help ends with the formats that there are."""

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        from glotmill import plugins

        with formatter.section("Formats"):
            formatter.write_dl([(name, plugins.about("formats", name)) for name in plugins.names("formats")])


@click.command(cls=_ListsFormats)
@click.argument("run", metavar="RUN")
@click.option("--format", "name", default="trl-sft", show_default=True, metavar="FORMAT", help="See below.")
@click.option("-o", "--folder", required=True, metavar="DIR", help="To write; an earlier export is replaced.")
@click.option(
    "--split",
    default="train=1",
    show_default=True,
    metavar="NAME=SHARE,...",
    help="As in train=0.98,test=0.02. All that came of one seed row is on one side.",
)
@click.option(
    "--columns",
    multiple=True,
    metavar="A,B,...",
    help="To leave beside what a trainer reads; without it, the recipe's output.columns.",
)
@click.option(
    "--reasoning",
    type=click.Choice(["field", "inline", "drop"]),
    help="In reasoning_content, in <think> before the answer, or not at all.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    callback=shared.pairs,
    metavar="OPTION=VALUE",
    help="Of the format; `glotmill show FORMAT` tells them.",
)
@shared.as_json
def export(run: str, as_json: bool, **given: Any) -> None:
    """Write a finished run for a trainer.

    A folder for each language, a file for each split.
    """
    from pathlib import Path

    from glotmill.export import export as exports
    from glotmill.io import terminal
    from glotmill.runner.folder import Run

    options = dict(given["settings"])
    if given["columns"]:
        options["columns"] = [c.strip() for text in given["columns"] for c in text.split(",") if c.strip()]
    if given["reasoning"]:
        options["reasoning"] = given["reasoning"]
    found = exports.export(
        Run(Path(run)), Path(given["folder"]), given["name"], split=given["split"], options=options
    )
    click.echo(terminal.json_text(found) if as_json else exports.text(found))


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--repo", required=True, metavar="ORG/NAME", help="Of the dataset; it is made if need be.")
@click.option(
    "--dry-run", is_flag=True, help="Print what would be sent, the card, what is there; send nothing."
)
@click.option("--private", is_flag=True, help="Only its owners may see it.")
@click.option(
    "--gated", type=click.Choice(["auto", "manual"]), help="Readers ask first; you are asked, with manual."
)
@click.option("--pr", is_flag=True, help="Propose, where you may not write or others are to look first.")
@click.option("--revision", metavar="BRANCH", help="Without it, main.")
@click.option("--tag", metavar="TAG", help="Of the commit; without it, the run's name.")
@click.option("--license", metavar="ID", help="As in cc-by-4.0; without it, as the card says it.")
@shared.as_json
def publish(run: str, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Publish a finished run on the Hugging Face Hub.

    Where the dataset is there, the rows are added to it.

    The login is that of `hf auth login`, or HF_TOKEN. The same command again goes on where it stopped.
    """
    from pathlib import Path

    from glotmill.cli import publish_summary
    from glotmill.hub import publish as publishing
    from glotmill.hub.release import PublishOptions
    from glotmill.io import terminal
    from glotmill.runner.folder import Run

    options = PublishOptions(**given)
    if dry_run:
        found = publishing.dry_run(Run(Path(run)), options)
        click.echo(terminal.json_text(found) if as_json else publish_summary.dry_text(found))
        return
    found = publishing.publish(
        Run(Path(run)), options, lambda line: click.echo(f"glotmill: {terminal.safe(line)}", err=True)
    )
    click.echo(terminal.json_text(found) if as_json else publish_summary.text(found))


@click.command()
@click.argument("run", metavar="RUN")
@click.option("-o", "--output", metavar="FILE", help="To write; without it, report.html in the run's folder.")
@click.option("--rows", type=click.IntRange(0), default=2000, show_default=True, help="To look at, at most.")
@click.option("--price-in", type=click.FloatRange(0), metavar="PRICE", help="Of a million tokens of prompts.")
@click.option(
    "--price-out", type=click.FloatRange(0), metavar="PRICE", help="Of a million tokens of replies."
)
@shared.as_json
def report(run: str, as_json: bool, **given: Any) -> None:
    """Write a run's numbers and rows into one HTML file."""
    from pathlib import Path

    from glotmill.io import terminal
    from glotmill.report import report as reports
    from glotmill.runner.folder import Run

    place = Run(Path(run))
    prices = given["price_in"], given["price_out"]
    if as_json:
        from glotmill.report.facts import facts

        click.echo(terminal.json_text(facts(place, *prices)))
    if as_json and not given["output"]:
        return
    file = Path(given["output"] or place.folder / "report.html")
    size = reports.write(place, file, given["rows"], *prices)
    click.echo(f"{terminal.safe(file)} ({size / 1000:,.0f} kB)", err=as_json)
