"""The command line: each command parses its options, calls a room below, and prints what comes back.

Read `main` first, then any command: `glotmill run` is run.py, and so on, one command a file. A command file
holds `command`, which click calls, and the functions that turn typed values into text for a person. Shared:
options.py (options and how their values are read), table.py (tables of rows and counts), progress.py (the
live panel of a run). starter/ holds the recipe that `glotmill new` copies.

Results go to stdout and everything else to stderr. With --json, stdout holds one JSON value or nothing;
errors stay text on stderr and set the exit code, as in gh and uv. A command imports what it needs when it
runs, so that the help appears at once.
"""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from glotmill.errors import GlotmillError, UsageError

COMMANDS = {
    "Recipes": ("new", "check", "preview", "run"),
    "Runs": ("show", "report", "export", "publish"),
    "Other datasets": ("filter", "calibrate"),
    "This installation": ("list", "doctor"),
}
EXIT_CODES = (
    ("0", "Success."),
    ("1", "The command failed."),
    ("2", "The command line or the recipe is wrong."),
    ("3", "A language has fewer rows than requested; the rows it has are written."),
    ("4", "The engine or the network failed; the same command resumes."),
    ("130", "Interrupted (Ctrl-C); the same command resumes."),
)


class CommandGroup(click.Group):
    """Loads a command from the file of its name, and lists the commands by task."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [name for names in COMMANDS.values() for name in names]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command; None if there is none of this name."""
        if name not in self.list_commands(context):
            return None
        command: click.Command = import_module(f"glotmill.cli.{name}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by task, then the exit codes and how to turn on shell completion."""
        for title, names in COMMANDS.items():
            with formatter.section(title):
                commands = [(name, self.get_command(context, name)) for name in names]
                formatter.write_dl([(name, c.get_short_help_str(80)) for name, c in commands if c])
        with formatter.section("Exit codes"):
            formatter.write_dl(EXIT_CODES)
        with formatter.section("Shell completion (for zsh and fish: zsh_source, fish_source)"):
            formatter.write_text('eval "$(_GLOTMILL_COMPLETE=bash_source glotmill)"')

    def invoke(self, context: click.Context) -> Any:
        """Run the command. With --debug, print the traceback of an error; `main` prints its message."""
        try:
            return super().invoke(context)
        except (GlotmillError, OSError) as error:
            if context.params["debug"]:
                _print_traceback(error)
            raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code. Errors go to stderr as text."""
    os.environ.setdefault("PYTHONSAFEPATH", "1")  # no process started here imports from the working folder
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # the terminal may not be UTF-8
    logger = logging.getLogger("glotmill")
    logger.setLevel(logging.INFO)
    logger.addHandler(_NOTICES)
    try:
        _refuse_lost_folder()
        code = cli.main(arguments, prog_name="glotmill", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except GlotmillError as error:
        return fail(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return fail("interrupted", 130)
    except BrokenPipeError:
        return 1
    except OSError as error:
        path = f"{error.filename}: " if error.filename else ""
        return fail(f"{path}{error.strerror or error}", 1)


def _refuse_lost_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError:
        raise UsageError("the working folder does not exist any more; change to one that does") from None


class _Notices(logging.Handler):
    """Prints what is logged, such as what an engine's server does not take, as a line on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        from glotmill.io.redact import hide_secrets
        from glotmill.io.terminal import safe

        kind = "warning: " if record.levelno >= logging.WARNING else ""
        click.echo(f"glotmill: {kind}{safe(hide_secrets(record.getMessage()))}", err=True)


_NOTICES = _Notices()


def fail(message: str, code: int) -> int:
    """Print an error message, and return the exit code."""
    from glotmill.io.redact import hide_secrets
    from glotmill.io.terminal import safe

    click.echo(f"glotmill: {safe(hide_secrets(message))}", err=True)
    return code


def _print_traceback(error: BaseException) -> None:
    """Print the traceback with every cause, also those that `raise ... from None` leaves out."""
    cause: BaseException | None = error
    while cause is not None:
        cause.__suppress_context__ = False
        cause = cause.__cause__ or cause.__context__
    traceback.print_exception(error)


def _print_version(context: click.Context, option: click.Parameter, requested: bool) -> None:
    if requested:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"glotmill {version('glotmill')}")
        except PackageNotFoundError:
            click.echo("glotmill (not installed)")
        context.exit()


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--debug",
    is_flag=True,
    envvar="GLOTMILL_DEBUG",
    help="Print the traceback of an error (or set GLOTMILL_DEBUG=1).",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def cli(debug: bool) -> None:
    """Make training data for language models in many languages.

    Run `glotmill COMMAND --help` for help on a command.
    """
