"""`glotmill show`: a recipe with its templates, where the rows of a run went, or how a plugin is used."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glotmill.cli import options
from glotmill.cli.list import PLUGINS, describe
from glotmill.errors import UsageError

if TYPE_CHECKING:
    from glotmill.runner.funnel import Funnel


@dataclass(frozen=True)
class Description:
    """What is shown: a value for programs and a text for people."""

    value: dict[str, Any]
    text: str


@click.command("show")
@click.argument("name", metavar="RECIPE|RUN|PLUGIN")
@options.as_json
def command(name: str, as_json: bool) -> None:
    """Show a recipe, a run, or how to use a filter or another plugin.

    A recipe is shown with its templates, a run with its counts for each language, and a plugin with its
    options, their defaults and choices. A recipe takes precedence over a plugin of the same name.
    """
    from glotmill.io import terminal

    description = show(name)
    click.echo(terminal.json_text(description.value) if as_json else description.text)


def show(name: str) -> Description:
    """Describe the folder of a run, a recipe or a plugin. Raises UsageError and RecipeError."""
    from glotmill import plugins
    from glotmill.recipes.read import built_in

    if (Path(name) / "run.json").is_file():
        return _describe_run(Path(name))
    if name not in built_in() and not Path(name).exists():
        for kind in PLUGINS.values():
            if name in plugins.names(kind) or (":" in name and kind == "filters"):
                return _describe_plugin(kind, name)
        if name.isidentifier():
            hint = plugins.did_you_mean(name, [*built_in(), *plugins.names("filters")])
            raise UsageError(f"no recipe, run or filter {name!r}{hint if 'did you' in hint else ''}")
    return _describe_recipe(name)


def _describe_recipe(name: str) -> Description:
    from glotmill.io.terminal import safe
    from glotmill.recipes.read import locate, read_recipe
    from glotmill.recipes.steps import Generate, Render

    recipe = read_recipe(name)
    files = sorted(recipe.folder.glob("*.j2"))
    if locate(name).suffix == ".j2":  # a single template: others in its folder are not part of the recipe
        templates = {step.template_name for step in recipe.steps if isinstance(step, Generate | Render)}
        files = [path for path in files if path.name.split(".")[0] in templates]
    texts = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in files}
    value = {"folder": str(recipe.folder), **recipe.resolved(), "templates": texts}
    return Description(value, safe(_yaml(value)).rstrip())


def _describe_run(folder: Path) -> Description:
    from glotmill.cli.table import funnel_table
    from glotmill.io.terminal import columns, safe
    from glotmill.runner.funnel import funnel
    from glotmill.runner.run_folder import Run

    run = Run(folder)
    info, funnels = run.info(), funnel(run)
    dataset = folder / "dataset"
    in_dataset = sum(f.in_dataset for f in funnels)
    accepted = sum(f.accepted for f in funnels)
    complete = all(f.accepted >= f.wanted for f in funnels)
    unfinished = [f.language for f in funnels if not f.is_finished]
    if unfinished:
        next_step = "the same `glotmill run` command resumes the run"
        next_step += "; `glotmill export` writes the rows so far" if accepted else ""
    elif accepted:
        next_step = f'datasets.load_dataset("parquet", data_files="{dataset}/*/train-*.parquet")'
    else:
        next_step = ""
    about = [
        ("recipe", info["recipe"].get("name", "")),
        ("model", f"{info['model']} ({info['engine']})"),
        ("state", safe(_state(funnels))),
        ("dataset", f"{dataset}, {in_dataset:,} rows" if in_dataset else "none yet"),
        ("rows", f"{folder / 'rows'}, every row with its reason"),
        ("next", next_step),
    ]
    value = {
        "folder": str(folder),
        "dataset": str(dataset),
        "complete": complete,
        "finished": not unfinished,
        "next": next_step,
        "languages": [f.to_json() for f in funnels],
        "run": info,
    }
    return Description(value, f"{funnel_table(funnels)}\n\n{columns(about)}")


def _state(funnels: "Sequence[Funnel]") -> str:
    """Say whether a run is finished, and which languages have fewer rows than the user asked for."""
    unfinished = [f.language for f in funnels if not f.is_finished]
    short = [f.language for f in funnels if f.is_finished and f.accepted < f.wanted]
    state = f"not finished: {', '.join(unfinished)}" if unfinished else "finished"
    return f"{state}; could not be filled: {', '.join(short)}" if short else state


def _describe_plugin(kind: str, name: str) -> Description:
    from glotmill import plugins
    from glotmill.io.terminal import columns, safe

    with plugins.trusting(name):  # the user named it
        manual = inspect.getdoc(plugins.find(kind, name)) or ""
        plugin = describe(kind, name)
    kind_name = next(plural for plural, folder in PLUGINS.items() if folder == kind).removesuffix("s")
    value = {"kind": kind_name, **plugin.to_json(), "help": manual}
    rows = [("option", "default", "choices")]
    for option, default in plugin.options.items():
        choices = ", ".join(map(str, plugin.choices.get(option, ())))
        rows.append((option, "required" if option in plugin.needed else repr(default), choices))
    table = columns(rows) if plugin.options else "no options"
    title = f"{safe(name)}, {'an' if kind_name[0] in 'aeiou' else 'a'} {kind_name}"
    return Description(value, f"{title}: {safe(plugin.about)}\n\n{safe(manual)}\n\n{table}")


def _yaml(value: dict[str, Any]) -> str:
    """Return YAML in which texts of several lines are blocks, as a person would write them."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    return yaml.dump(value, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=110)
