"""`glotmill list`: the recipes, plugins and languages that can be used."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from glotmill.cli import options
from glotmill.errors import RecipeError, UsageError

PLUGINS = {"filters": "filters", "transforms": "transforms", "engines": "engines", "formats": "formats"}
KINDS = ("recipes", *PLUGINS, "detectors", "languages")


@click.command("list")
@click.argument("kind", default="recipes", metavar="[KIND]")
@options.as_json
def command(kind: str, as_json: bool) -> None:
    """List recipes, plugins or languages.

    KIND is recipes (the default), filters, transforms, engines, formats, detectors or languages. Filters,
    transforms, engines, formats and detectors are plugins: those of glotmill and those of other installed
    packages.
    """
    from glotmill.io import terminal

    items = list_items(kind)
    click.echo(terminal.json_text(items) if as_json else items_text(kind, items))


def list_items(kind: str) -> list[dict[str, Any]]:
    """Return everything of a kind, as `--json` prints it. Raises UsageError if there is no such kind."""
    from glotmill import languages, plugins
    from glotmill.recipes.read import built_in

    if kind == "recipes":
        return [_recipe(name) for name in built_in()]
    if kind == "languages":
        names = ("tag", "name", "endonym", "script", "direction")
        return [{name: getattr(language, name) for name in names} for language in languages.table()]
    if kind == "detectors":
        return [detector.to_json() for detector in list_detectors()]
    if kind in PLUGINS:
        summaries = [describe(PLUGINS[kind], name) for name in plugins.names(PLUGINS[kind])]
        return [summary.to_json() for summary in summaries]
    raise UsageError(f"cannot list {kind!r}{plugins.did_you_mean(kind, KINDS)}")


def items_text(kind: str, items: Sequence[Mapping[str, Any]]) -> str:
    """Return the items as aligned lines."""
    from glotmill.io.terminal import columns

    if kind == "languages":  # names may run from right to left: nothing may follow them on their line
        head = ("tag", "script", "direction", "name", "endonym")
        return columns([head, *([item[name] for name in head] for item in items)])
    rows: list[Sequence[object]] = []
    for item in items:
        rows.append((item["name"], item["about"]))
        if item.get("options"):
            text = ", ".join(
                name if default is None else f"{name}={default!r}"
                for name, default in item["options"].items()
            )
            rows.append(("", f"  {text}"))
        if item.get("usable") is False:
            rows.append(("", f"  not installed: {item['why']}"))
    return columns(rows) if rows else f"no {kind}"


def _recipe(name: str) -> dict[str, Any]:
    from glotmill.recipes.read import read_recipe

    try:
        return {"name": name, "about": read_recipe(name).about}
    except RecipeError as error:
        return {"name": name, "about": f"cannot be read: {str(error).splitlines()[0]}"}


@dataclass(frozen=True)
class Plugin:
    """A plugin as `list` and `show` describe it."""

    name: str
    about: str
    options: Mapping[str, Any] = field(default_factory=dict)  # option -> default, None if it is required
    needed: Sequence[str] = ()  # options without a default
    choices: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # option -> the values it accepts

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)


def describe(kind: str, name: str) -> Plugin:
    """Return a plugin's summary and options; of one that cannot be loaded, the error."""
    from glotmill import plugins

    about = plugins.about(kind, name) if ":" not in name else ""
    try:
        plugin = plugins.find(kind, name)
    except UsageError as error:
        return Plugin(name, f"{about} ({error})")
    parameters = dict(plugins.options(plugin))
    if kind == "engines":
        parameters.pop("revision", None)  # has an option of its own, --revision
    empty = inspect.Parameter.empty
    types = get_type_hints(plugin)
    values = {option: _choices(types.get(option)) for option in parameters}
    return Plugin(
        name,
        about,
        options={n: None if p.default is empty else p.default for n, p in parameters.items()},
        needed=[n for n, p in parameters.items() if p.default is empty],
        choices={option: literals for option, literals in values.items() if literals},
    )


def _choices(annotation: Any) -> list[Any]:
    """Return the values of the Literal in a type, such as `Literal["a", "b"] | None`."""
    if get_origin(annotation) is Literal:
        return [*get_args(annotation)]
    return [value for part in get_args(annotation) for value in _choices(part)]


@dataclass(frozen=True)
class Detector:
    """A language detector, and whether it can be used."""

    name: str
    about: str
    usable: bool
    why: str  # its version, or how to install it

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)


def list_detectors() -> list[Detector]:
    """Return all language detectors, installed or not."""
    from glotmill.filters import detectors as registry

    result = []
    for name in registry.names():
        path = f"glotmill.filters.detectors.{name}"
        module = import_module(path) if find_spec(path) else None
        usable = registry.installed(name)
        if usable or module is None:
            why = registry.version(name) or "installed"
        else:
            why = f"pip install {module.INSTALL!r}"
        about = (module.__doc__ or "").split("\n", 1)[0] if module else ""
        result.append(Detector(name, about, usable, why))
    return result
