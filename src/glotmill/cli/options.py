"""Options that several commands share, and how their texts are read. Imports nothing but click."""

import shutil
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def split(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> list[str]:
    """Read `a,b`, also given several times."""
    parts = [part.strip() for text in given for part in text.split(",") if part.strip()]
    if given and not parts:  # as of a variable of the shell that is not set
        raise click.BadParameter("names none", context, option)
    return parts


def pairs(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    """Read `max_model_len=4096`."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{text!r}: write NAME=VALUE, as in max_model_len=4096", context, option)
        found[name.strip().replace("-", "_")] = _value(value)
    return found


def _value(text: str) -> Any:
    """Read a number, a word, yes or no as YAML does; lists and mappings are JSON; all else is text."""
    import json

    import yaml

    try:
        value = json.loads(text) if text.startswith(("{", "[")) else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    plain = isinstance(value, str | int | float | None) or text.startswith(("{", "["))
    return value if plain else text  # `so: it is` is no mapping, 2026-01-01 no date


def _stack(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
rows_from = _stack(
    click.option(
        "--seeds", metavar="SEEDS", help="A file, a dataset id or - for stdin, instead of the recipe's seeds."
    ),
    click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override: steps.draft.temperature=0.3"
    ),
)
languages = click.option(
    "-l", "--languages", multiple=True, callback=split, metavar="A,B,...", help="As in fra,swh_Latn,Arabic."
)
engine = _stack(
    click.option(
        "--engine", metavar="NAME", help="One of `glotmill list engines`; without it, what is installed."
    ),
    click.option("--model", metavar="MODEL", help="Name or folder of a model; without it, glotmill-nano."),
    click.option("--revision", metavar="REV", help="Of the model."),
    click.option(
        "--engine-arg",
        "engine_args",
        multiple=True,
        callback=pairs,
        metavar="K=V",
        help="As in max_model_len=4096.",
    ),
)


def width() -> int | None:
    """Return the cells of a line on the terminal; None where the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
