"""Options that several commands share, and how their values are read. Imports nothing but click."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click

F = TypeVar("F", bound=Callable[..., Any])


class OutputOption(click.Option):
    """The option `-o/--output`; its former long name still works, and the help leaves it out."""

    def get_help_record(self, context: click.Context) -> tuple[str, str] | None:
        """Return the names and the help text, without the former name."""
        if (record := super().get_help_record(context)) is None:
            return None
        names, text = record
        metavar = names.rpartition(" ")[2]
        return f"{', '.join(self.opts[:2])} {metavar}", text


def comma_separated(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """Read `a,b`; the option may be repeated."""
    names = [name.strip() for text in values for name in text.split(",") if name.strip()]
    if values and not names:  # for example, an unset shell variable
        raise click.BadParameter("the value is empty", context, option)
    return names


def plugin_names(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """Read `a,b`. What the user names as `module:function` may run."""
    from glotmill import plugins

    names = comma_separated(context, option, values)
    if own := [name for name in names if ":" in name]:
        context.with_resource(plugins.trusting(*own))
    return names


def _trust(context: click.Context, option: click.Parameter, is_trusted: bool) -> None:
    from glotmill import plugins

    if is_trusted:
        context.with_resource(plugins.trusting())


def by_model(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read `NAME`, for the model of the run, and `judge=NAME`, for a model that the recipe names `judge`."""
    names = {}
    for text in values:
        alias, equals, value = text.partition("=")
        is_alias = bool(equals) and alias.isidentifier()
        if is_alias and not value:
            raise click.BadParameter(f"{text!r} has nothing behind '='", context, option)
        names[alias if is_alias else ""] = value if is_alias else text
    return names


def prices(
    context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, float] | None:
    """Read `0.4`, for the model of the run, and `judge=0.4`; None if the option is not given."""
    given = by_model(context, option, values)
    price = click.FloatRange(0)
    return {name: float(price(text, option, context)) for name, text in given.items()} or None


def key_values(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Read `max_model_len=4096`; the option may be repeated."""
    pairs = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(
                f"{text!r} has no name or no '='; write NAME=VALUE, as in max_model_len=4096", context, option
            )
        pairs[name.strip().replace("-", "_")] = _parse_value(value)
    return pairs


def _parse_value(text: str) -> Any:
    """Read a scalar as YAML does and a list or mapping as JSON; anything else is text."""
    import json

    from glotmill.io import plain_yaml

    is_json = text.startswith(("{", "["))
    try:
        value = json.loads(text) if is_json else plain_yaml.load(text)
    except (ValueError, RecursionError):
        return text
    is_scalar = value is None or isinstance(value, str | int | float)
    return value if is_scalar or is_json else text  # `so: it is` is not a mapping, nor 2026-01-01 a date


def _stack(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
trust_code = click.option(
    "--trust-code",
    is_flag=True,
    expose_value=False,
    callback=_trust,
    help="Run Python code that the recipe names as MODULE:FUNCTION, such as a filter of its own. It could do "
    "anything on this machine: read it first. (Or set GLOTMILL_TRUST_CODE=1.)",
)
seeds_and_settings = _stack(
    click.option(
        "--seeds",
        metavar="SEEDS",
        help="Seed rows: a file, a folder, a Hub dataset, or - for stdin.  [default: those of the recipe]",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="Override a value of the recipe, for example steps.draft.temperature=0.3. Repeatable.",
    ),
    trust_code,
)
languages = click.option(
    "-l",
    "--languages",
    multiple=True,
    callback=comma_separated,
    metavar="A,B,...",
    help="Languages, for example fra,swh_Latn,Arabic.  [default: those of the recipe]",
)


def _with_models(function: F) -> F:
    """Pass what is said about the model of the run as before, and what is said about others as `models`.

    `--model judge=NAME` and `--engine-arg judge.base_url=URL` are about the model named judge in a recipe.
    """

    @functools.wraps(function)
    def command(**arguments: Any) -> Any:
        from glotmill.runner.open_engine import ModelSettings

        given = {name: arguments.pop(name) for name in ("engine", "model", "revision")}
        per_model: dict[str, dict[str, Any]] = {}
        for name, value in arguments.pop("engine_args").items():
            alias, _, key = name.rpartition(".")
            per_model.setdefault(alias, {})[key] = value
        aliases = {alias for values in (*given.values(), per_model) for alias in values if alias}
        arguments["models"] = {
            alias: ModelSettings(
                given["engine"].get(alias),
                given["model"].get(alias),
                given["revision"].get(alias),
                per_model.get(alias, {}),
            )
            for alias in sorted(aliases)
        }
        of_run = {name: values.get("") for name, values in given.items()}
        return function(**arguments, **of_run, engine_args=per_model.get("", {}))

    return cast(F, command)


_engine_options = _stack(
    click.option(
        "--engine",
        multiple=True,
        callback=by_model,
        metavar="NAME",
        help="Engine to use; see `glotmill list engines`.  [default: the first that is installed]",
    ),
    click.option(
        "--model",
        multiple=True,
        callback=by_model,
        metavar="MODEL",
        help="Name or folder of the model. For another model that the recipe names, such as judge: "
        "judge=MODEL, also with --engine and --revision.  [default: glotmill-nano, a tiny test model]",
    ),
    click.option(
        "--revision",
        multiple=True,
        callback=by_model,
        metavar="REV",
        help="Model revision (branch, tag or commit).",
    ),
    click.option(
        "--engine-arg",
        "engine_args",
        multiple=True,
        callback=key_values,
        metavar="NAME=VALUE",
        help="Argument of the engine, for example max_model_len=4096, or judge.base_url=URL. Repeatable.",
    ),
)


def engine(function: F) -> F:
    """Add the options of models: engine, model, revision, engine_args and, for further models, models."""
    return _engine_options(_with_models(function))
