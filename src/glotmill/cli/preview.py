"""`glotmill preview`: the messages of some rows, or what an engine replies to them."""

from typing import TYPE_CHECKING, Any

import click

from glotmill.cli import options

if TYPE_CHECKING:
    from glotmill.runner.preview import Previewed


@click.command("preview")
@click.argument("recipe")
@click.option(
    "-l",
    "--languages",
    "--language",
    "languages",
    multiple=True,
    callback=options.comma_separated,
    metavar="A,B,...",
    help="Languages, for example fra,swh_Latn,Arabic.  [default: the recipe's first]",
)
@click.option(
    "--rows",
    type=click.IntRange(1, 1000),
    default=3,
    show_default=True,
    help="Number of seed rows of each language.",
)
@options.seeds_and_settings
@options.engine
@options.as_json
def command(recipe: str, rows: int, as_json: bool, **arguments: Any) -> None:
    """Print the messages that a recipe renders for some rows.

    With --engine or --model, sends them to the engine and prints the replies and the verdicts. Writes
    nothing.
    """
    import asyncio

    from glotmill.io import terminal
    from glotmill.runner import preview

    uses_engine = bool(arguments["engine"] or arguments["model"] or arguments["models"])
    if uses_engine:
        click.echo("glotmill: starting the engine", err=True)
    previews = asyncio.run(preview.preview(recipe, rows, **arguments))
    if as_json:
        items = [
            {"language": plan.language.tag, **row.to_json()} for plan, of_plan in previews for row in of_plan
        ]
        tags = [plan.language.tag for plan, _ in previews]
        click.echo(terminal.json_text({"recipe": recipe, "languages": tags, "rows": items}))
        return
    for plan, previewed in previews:
        for number, row in enumerate(previewed, 1):
            title = f"row {number}, {plan.language.tag} ({plan.language.name})"
            click.echo(f"{row_text(title, row)}\n")
    if not uses_engine and (steps := preview.steps_that_need_replies(previews[0][0])):
        click.echo(
            f"Later steps need replies: {', '.join(steps)}. Add --model or --engine to see them.", err=True
        )


def row_text(title: str, row: "Previewed") -> str:
    """Return a row: its seed, then the messages of its first request, or its verdict and columns."""
    from glotmill.cli.table import line_width
    from glotmill.io import terminal

    if not row.asked:
        title += f", {row.verdict}"
        if row.reason:
            title += f": {row.reason} ({row.reason_at})"
        if row.detail:
            title += f"\n  {terminal.safe(row.detail)}"
    messages = [(message.role, message.content) for message in row.asked]
    pairs = [*row.seed.items(), *messages, *row.columns.items()]
    return f"{title}\n{terminal.labelled(pairs, line_width())}"
