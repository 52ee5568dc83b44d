"""The command line: parses, calls, prints. Data on stdout, everything else on stderr.

Exit codes: 0 ok, 1 failed, 2 usage or recipe, 3 a language is not full, 4 engine or network, 130 interrupted.
What a command needs is imported when it runs: the help answers at once.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glotmill.cli import data, out
from glotmill.cli import options as shared
from glotmill.errors import GlotmillError, UsageError

if TYPE_CHECKING:
    from glotmill.runner.options import RunOptions
    from glotmill.runner.preview import Previewed


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line, and return the exit code; errors are told on stderr, in words."""
    sys.path.append(str(Path.cwd()))  # a user's own `module:function`; last, so that it hides nothing
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8
    try:
        done = cli.main(arguments, prog_name="glotmill", standalone_mode=False)
        return done if isinstance(done, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except GlotmillError as error:
        return _fail(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except BrokenPipeError:
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}", 1)


def _fail(text: str, code: int) -> int:
    from glotmill.io.terminal import safe

    click.echo(f"glotmill: {safe(text)}", err=True)
    return code


def _version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"glotmill {version('glotmill')}")
        except PackageNotFoundError:
            click.echo("glotmill (not installed)")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def cli() -> None:
    """Make training data for language models in many languages."""


cli.add_command(data.filter_)
cli.add_command(data.calibrate)
cli.add_command(out.export)
cli.add_command(out.report)
cli.add_command(out.publish)


@cli.command("list")
@click.argument("what", default="recipes", metavar="[recipes|filters|transforms|engines|formats|languages]")
@shared.as_json
def list_(what: str, as_json: bool) -> None:
    """List the recipes, filters, engines, languages that there are.

    Of one kind: recipes, filters, transforms, engines, formats or languages.
    """
    from glotmill.cli import listing
    from glotmill.io import terminal

    items = listing.items(what)
    click.echo(terminal.json_text(items) if as_json else listing.lines(what, items))


@cli.command()
@click.argument("what", metavar="RECIPE|RUN|FILTER")
@shared.as_json
def show(what: str, as_json: bool) -> None:
    """Show a recipe, a run, or what a filter or a format does.

    A recipe with its templates, where the rows of a run went, the options of a unit.
    """
    from glotmill.cli import listing
    from glotmill.io import terminal

    found = listing.shown(what)
    click.echo(terminal.json_text(found.plain) if as_json else found.text)


@cli.command()
@click.argument("recipe")
@shared.languages
@shared.rows_from
@shared.as_json
def check(
    recipe: str, languages: list[str], seeds: str | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Find all that is wrong with a recipe, without a model."""
    import asyncio

    from glotmill.io import terminal
    from glotmill.runner import preview as previews

    found = asyncio.run(previews.problems(recipe, languages, seeds, settings))
    wrong = {tag: text for tag, text in found.items() if text}
    if as_json:
        told = [{"language": tag, "problem": text or None} for tag, text in found.items()]
        click.echo(terminal.json_text({"recipe": recipe, "ok": not wrong, "languages": told}))
    for tag in found:
        if tag not in wrong and not as_json:
            click.echo(f"{tag}: ok")
    if wrong:
        same = {text: [tag for tag in wrong if wrong[tag] == text] for text in wrong.values()}
        raise UsageError("\n".join(_whose(tags, len(found)) + text for text, tags in same.items()))


def _whose(tags: Sequence[str], of: int) -> str:
    more = f" and {len(tags) - 5} more" if len(tags) > 5 else ""
    return "" if len(tags) == of > 1 else f"{', '.join(tags[:5])}{more}: "


@cli.command()
@click.argument("recipe")
@click.option("-l", "--language", metavar="LANGUAGE", help="Without it, the recipe's first.")
@click.option("--rows", type=click.IntRange(1, 1000), default=3, show_default=True, help="Seed rows.")
@shared.rows_from
@shared.engine
@shared.as_json
def preview(recipe: str, rows: int, as_json: bool, **given: Any) -> None:
    """Print the messages of some rows.

    With --engine or --model, they are put to it, and what comes is printed.
    """
    import asyncio

    from glotmill.io import terminal
    from glotmill.runner import preview as previews

    real = bool(given["engine"] or given["model"])
    if real:
        click.echo("glotmill: starting the engine", err=True)
    plan, found = asyncio.run(previews.preview(recipe, rows, **given))
    if as_json:
        told = [row.to_json() for row in found]
        click.echo(terminal.json_text({"recipe": recipe, "language": plan.language.tag, "rows": told}))
        return
    for number, row in enumerate(found, 1):
        click.echo(_preview_row(f"row {number}, {plan.language.tag} ({plan.language.name})", row) + "\n")
    if not real and (later := previews.waiting(plan)):
        click.echo(
            f"Later steps need replies: {', '.join(later)}. To see them, add --model or --engine.", err=True
        )


def _preview_row(title: str, row: "Previewed") -> str:
    from glotmill.io import terminal

    why = f": {row.reason} ({row.reason_at})" if row.reason else ""
    detail = f"\n  {terminal.safe(row.detail)}" if row.detail else ""
    verdict = "" if row.asked else f", {row.verdict}{why}{detail}"
    messages = [(m.role, m.content) for m in row.asked]
    pairs = [*row.seed.items(), *messages, *row.columns.items()]
    return f"{title}{verdict}\n{terminal.labelled(pairs, shared.width())}"


@cli.command()
@click.argument("recipe")
@click.option(
    "-n", "--per-language", type=click.IntRange(1), metavar="N", help="Accepted rows of each language.  [100]"
)
@shared.languages
@shared.rows_from
@shared.engine
@click.option("-o", "--folder", metavar="FOLDER", help="Of the run; without it, runs/RECIPE-MODEL.")
@click.option("--window", type=click.IntRange(1), metavar="N", help="Requests in flight.  [512]")
@click.option(
    "--max-failures", type=click.FloatRange(0, 1), metavar="SHARE", help="Of the last 200 requests.  [0.2]"
)
@shared.as_json
def run(recipe: str, as_json: bool, **given: Any) -> int:
    """Run a recipe until every language has its rows. The same command again goes on where it stopped."""
    from glotmill.cli import outcome
    from glotmill.cli.progress import watching
    from glotmill.io import terminal
    from glotmill.runner import run

    options: RunOptions = {k: v for k, v in given.items() if v not in (None, [], (), {})}  # type: ignore[assignment]
    with watching() as watch:
        followed = outcome.Followed(watch)
        options["watch"] = followed
        error = followed.to_the_end(run.run_async(recipe, **options))
    assert followed.progress is not None
    result = outcome.result(followed.progress.run, followed.progress.seconds, error)
    click.echo(terminal.json_text(result) if as_json else outcome.text(result, shared.width()))
    if error:
        return _fail(str(error), error.exit_code)
    return 0


@cli.command()
@click.argument("folder")
def new(folder: str) -> None:
    """Write the first version of a recipe of your own."""
    from pathlib import Path

    from glotmill.cli import starter
    from glotmill.io import terminal

    for path in starter.write(Path(folder)):
        click.echo(terminal.safe(path))
    click.echo(f"Next: glotmill check {shlex.quote(folder)}", err=True)


@cli.command()
@shared.as_json
def doctor(as_json: bool) -> int:
    """Say what is installed here, and which engine would be used."""
    from glotmill.cli import doctor as doctors
    from glotmill.io import terminal

    found = doctors.examine()
    click.echo(terminal.json_text(found) if as_json else doctors.report(found))
    return 0 if any(engine["usable"] for engine in found["engines"].values()) else 1
