"""What there is to use, what a recipe or a run holds, and how a filter is used: `list` and `show`."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from glotmill import languages, plugins
from glotmill.errors import RecipeError, UsageError
from glotmill.io.terminal import columns, funnel_table, safe
from glotmill.recipes import model as recipes
from glotmill.recipes.model import Generate, Render
from glotmill.runner.folder import Run
from glotmill.runner.funnel import funnel

UNITS = {"filters": "filters", "transforms": "transforms", "engines": "generators", "formats": "formats"}
KINDS = ("recipes", *UNITS, "languages")


@dataclass(frozen=True)
class Shown:
    """What is to be shown, for a program and for a person."""

    plain: dict[str, Any]
    text: str


def items(what: str) -> list[dict[str, Any]]:
    """Return all that there is of a kind. Raises UsageError for an unknown kind."""
    if what == "recipes":
        return [_recipe(name) for name in recipes.built_in()]
    if what == "languages":
        names = ("tag", "name", "endonym", "script", "direction")
        return [{name: getattr(language, name) for name in names} for language in languages.table()]
    if what in UNITS:
        return [_unit(UNITS[what], name) for name in plugins.names(UNITS[what])]
    raise UsageError(f"nothing to list is called {what!r}{plugins.did_you_mean(what, KINDS)}")


def lines(what: str, found: Sequence[dict[str, Any]]) -> str:
    """Return a list as aligned lines for a person."""
    if what == "languages":  # names from right to left go last: nothing stands after them
        order = ("tag", "script", "direction", "name", "endonym")
        return columns([order, *([item[name] for name in order] for item in found)])
    rows: list[Sequence[object]] = []
    for item in found:
        rows.append((item["name"], item["about"]))
        if item.get("options"):
            rows.append(("", f"  {', '.join(_option(*pair) for pair in item['options'].items())}"))
    return columns(rows) if rows else f"no {what} yet"


def shown(source: str) -> Shown:
    """Return what a run's folder or a recipe holds, or what a filter (or another unit) says of itself.

    A recipe goes before a unit of the same name. Raises UsageError and RecipeError.
    """
    if (Path(source) / "run.json").is_file():
        return _run(Run(Path(source)))
    if source not in recipes.built_in() and not Path(source).exists():
        for kind in UNITS.values():
            if source in plugins.names(kind) or (":" in source and kind == "filters"):
                return _help(kind, source)
        if source.isidentifier():
            near = plugins.did_you_mean(source, [*recipes.built_in(), *plugins.names("filters")])
            raise UsageError(f"no recipe, run or filter {source!r}{near if 'did you' in near else ''}")
    recipe = recipes.read(source)
    named = {step.template_name for step in recipe.steps if isinstance(step, Generate | Render)}
    single = recipes.locate(source).suffix == ".j2"
    files = sorted(
        path for path in recipe.folder.glob("*.j2") if not single or path.name.split(".")[0] in named
    )
    texts = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in files}
    plain = {"folder": str(recipe.folder), **recipe.resolved(), "templates": texts}
    return Shown(
        plain, safe(yaml.dump(plain, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)).rstrip()
    )


def _run(run: Run) -> Shown:
    info, funnels = run.info(), funnel(run)
    dataset = run.folder / "dataset"
    full = all(f.accepted >= f.wanted for f in funnels)
    if any(f.accepted for f in funnels):
        data = f"{dataset}, {sum(f.accepted for f in funnels):,} rows"
        use = f'datasets.load_dataset("parquet", data_files="{dataset}/*/train-*.parquet")'
    else:
        data, use = "none yet", ""
    goes_on = "the same `glotmill run` command again goes on where it stopped"
    about = [
        ("recipe", info["recipe"].get("name", "")),
        ("model", f"{info['model']} ({info['engine']})"),
        ("dataset", data),
        ("rows", f"{run.folder / 'rows'}, every row with its reason"),
        ("next", use if full else goes_on),
    ]
    plain = {
        "folder": str(run.folder),
        "dataset": str(dataset),
        "complete": full,
        "next": about[-1][1],
        "languages": [f.to_json() for f in funnels],
        "run": info,
    }
    return Shown(plain, f"{funnel_table(funnels)}\n\n{columns(about)}")


def _help(kind: str, name: str) -> Shown:
    unit = plugins.find(kind, name)
    plain = {"kind": kind[:-1], **_unit(kind, name), "help": inspect.getdoc(unit) or ""}
    options = [
        (option, "needed" if option in plain["needed"] else repr(default))
        for option, default in plain["options"].items()
    ]
    told = columns([("option", "default"), *options]) if options else "no options"
    return Shown(
        plain, f"{safe(name)}, a {plain['kind']}: {safe(plain['about'])}\n\n{safe(plain['help'])}\n\n{told}"
    )


def _recipe(name: str) -> dict[str, Any]:
    try:
        return {"name": name, "about": recipes.read(name).about}
    except RecipeError as error:
        return {"name": name, "about": f"cannot be read: {str(error).splitlines()[0]}"}


def _unit(kind: str, name: str) -> dict[str, Any]:
    about = plugins.about(kind, name) if ":" not in name else ""
    try:
        found = plugins.options(plugins.find(kind, name))
    except UsageError as error:
        return {"name": name, "about": f"{about} ({error})", "options": {}}
    hidden = {"revision"} if kind == "generators" else set()
    options = {
        n: None if p.default is inspect.Parameter.empty else p.default
        for n, p in found.items()
        if n not in hidden
    }
    needed = [n for n, p in found.items() if p.default is inspect.Parameter.empty]
    return {"name": name, "about": about, "options": options, "needed": needed}


def _option(name: str, default: object) -> str:
    return name if default is None else f"{name}={default!r}"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, as one would write them."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
